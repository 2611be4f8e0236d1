"""The command line as people run it: in a folder of its own, with none of our settings."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from config.settings import Settings
from tests.e2e.processes import ALONE, LORAGUILD, ROOT


def environment(**settings: str) -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, **ALONE, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **settings}


def ran(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*LORAGUILD, *words],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@contextmanager
def running(folder: Path, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Have a command running; at the end it is told to leave, and has a minute for it."""
    with subprocess.Popen(
        [*LORAGUILD, *words],
        cwd=folder,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def seen(process: subprocess.Popen[str], word: str) -> str:
    """Read what a process says until it says this; return that line."""
    assert process.stdout
    heard = []
    for line in process.stdout:
        heard.append(line)
        if word in line:
            return line
    raise AssertionError("".join([*heard, f"\nit ended without saying {word}"]))


def left_behind(folder: Path) -> list[psutil.Process]:
    """Processes that work in a folder or were started with its name, and stay when nobody needs them any more."""

    def concerned(process: psutil.Process) -> bool:
        try:
            return str(folder) in " ".join([*process.cmdline(), process.cwd()])
        except psutil.Error:
            return False

    return psutil.wait_procs([process for process in psutil.process_iter() if concerned(process)], timeout=30)[1]
