"""Where a worker keeps files: a folder of its own, which lives as long as the process, and the cache that all share.

The kernel lets go of a lock however its holder dies, so whatever nobody holds belongs to the dead and can go.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

KEPT_UNUSED = 7 * 86_400.0  # seconds


@contextmanager
def own_folder(root: Path, worker: str) -> Iterator[Path]:
    """A worker's own folder below `root`, for as long as it is needed; those of workers that died go first.

    Raises:
        BlockingIOError: A worker of this name is at work.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("ab") as turn:  # nobody clears while somebody moves in
        fcntl.flock(turn, fcntl.LOCK_EX)
        for other in (path for path in root.iterdir() if path.is_dir()):
            if _left(other):
                shutil.rmtree(other, ignore_errors=True)
        folder = root / worker
        folder.mkdir(exist_ok=True)
        mine = _held(folder)
    with mine:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def forget_unused(cache: Path, *, now: float | None = None) -> int:
    """Remove files that nobody has read or written for a week; return how many went."""
    oldest = (time.time() if now is None else now) - KEPT_UNUSED
    known = [(file, file.stat()) for file in cache.glob("*")]
    unused = [file for file, stat in known if max(stat.st_atime, stat.st_mtime) < oldest]
    for file in unused:
        file.unlink(missing_ok=True)
    return len(unused)


def _held(folder: Path) -> IO[bytes]:
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


def _left(folder: Path) -> bool:
    try:
        _held(folder).close()
    except BlockingIOError:
        return False
    return True
