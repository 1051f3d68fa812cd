"""The image, built and run for real: minutes, so only where that is asked for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TRY = Path(__file__).parents[2] / "k8s/test/image/try"
TOOLS = ("podman", "runc", "debootstrap")


@pytest.mark.slow
def test_it_runs_the_demo_both_roles_and_a_choice_of_the_tests():
    if not os.environ.get("BOREAL_IMAGE_TESTS"):
        pytest.skip("set BOREAL_IMAGE_TESTS=1 to build the image and run it; the first time takes ten minutes")
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid():
        pytest.skip(f"building an image needs root and {', '.join(TOOLS)}; missing: {', '.join(missing) or 'root'}")
    done = subprocess.run([TRY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
