"""Signals are noted, wake whoever waits, and are obeyed again afterwards."""

import os
import signal
import threading
import time

from broker._signals import noted


def test_a_signal_ends_a_wait_and_every_wait_after_it():
    before = signal.getsignal(signal.SIGUSR1)
    with noted(signal.SIGUSR1) as came:
        assert not came()
        began = time.monotonic()
        came.wait(0.05)
        assert time.monotonic() - began >= 0.05
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        began = time.monotonic()
        came.wait(60)
        assert came()
        for _ in range(3):
            came.wait(60)
        assert time.monotonic() - began < 30
    assert signal.getsignal(signal.SIGUSR1) is before
