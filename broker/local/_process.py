"""Processes that don't outlive the one that started them."""

import shutil


def tied_to_this_process() -> list[str]:
    """On Linux, what has the kernel kill a process when the thread that started it is gone, killed or not."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
