"""Installs PyTorch before everything else, so that a machine without a GPU is spared gigabytes of CUDA.

Usage: `python scripts/install_torch.py`, with the Python to install for. Set TORCH_INDEX to choose the package index.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def pinned_torch() -> str:
    """Return the version of torch that the constraints ask for."""
    pins = (line.partition("==") for line in CONSTRAINTS.read_text().splitlines())
    return next(pin for name, _, pin in pins if name == "torch")


def installed_torch() -> str | None:
    """Return the installed version of torch without its build's tag (`2.13.0` for `2.13.0+cpu`)."""
    try:
        return version("torch").partition("+")[0]
    except PackageNotFoundError:
        return None


def pip_install(*arguments: str) -> str:
    """Run pip under the constraints and return what it prints; its complaints go to the terminal."""
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-c", str(CONSTRAINTS)]
    done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own words
    return done.stdout.decode()


def plan_brings_cuda(requirement: str) -> bool:
    """Ask pip what it would install, without installing: does NVIDIA's software come along?"""
    packages = json.loads(pip_install("--dry-run", "--report", "-", requirement))["install"]
    return any(package["metadata"]["name"].startswith("nvidia-") for package in packages)


def has_nvidia_device() -> bool:
    """Whether this machine shows an NVIDIA device or its driver's tool."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def main() -> None:
    """Install the pinned torch unless it is there: from TORCH_INDEX, or where this machine's hardware says."""
    pin = pinned_torch()
    if installed_torch() == pin:
        return
    requirement = f"torch=={pin}"
    index = os.environ.get("TORCH_INDEX", "")
    if not index and not has_nvidia_device() and plan_brings_cuda(requirement):
        index = CPU_INDEX
    print(f"Installing {requirement} from {index or 'the default index'} …", flush=True)
    pip_install(requirement, *(["--index-url", index] if index else []))


if __name__ == "__main__":
    main()
