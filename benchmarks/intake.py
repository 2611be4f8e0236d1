"""How fast pictures come in: the intake child's code, against plain Pillow decoding of the same files on all cores.

Half of the pictures are JPEG, half PNG, all as a camera or an editor leaves them: the decoded pixels are hashed for
likeness, measured for blur, made small for lists, and kept without their metadata. Both sides go in turn, thrice, with
as many threads as there are cores; the pictures are in the page cache. Run `python benchmarks/intake.py [PICTURES]
[PIXELS A SIDE]`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from core.domain.value import Value
from worker.adapters.archives import RawFile
from worker.adapters.unpacking import IntakeTask, Unpacking

PICTURES, SIDE, GRAIN, ROUNDS, KINDS = 60, 1024, 6, 3, ("JPEG", "PNG")
CORES = os.cpu_count() or 1


class Silence:
    """A channel that nobody listens to."""

    def send(self, event: Value) -> None:
        """Say nothing."""

    def stopping(self) -> bool:
        """Never stop."""
        return False

    def wishes(self) -> tuple[Value, ...]:
        """Wish nothing."""
        return ()


def a_photo(seed: int, side: int) -> Image.Image:
    """Make soft shapes with the grain of a sensor, so that files are as large as those of photos."""
    chance = np.random.default_rng(seed)
    shapes = Image.fromarray(chance.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    soft = np.asarray(shapes.resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = chance.integers(-GRAIN, GRAIN + 1, soft.shape, dtype=np.int16)
    return Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))


def made(folder: Path, count: int, side: int) -> Sequence[RawFile]:
    """Write the pictures."""
    files = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        path = folder / f"{number:04d}.{kind.lower()}"
        exif = Image.Exif()
        exif[0x010F] = "a camera"
        a_photo(number, side).save(path, kind, quality=92, exif=exif)
        files.append(RawFile(path=path, name=path.name))
    return files


def decode(file: RawFile) -> None:
    """Do what everybody has to who looks at a picture."""
    with Image.open(file.path) as picture:
        picture.load()


def plain(files: Sequence[RawFile], _: Path) -> None:
    """Decode all with Pillow alone."""
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(decode, files))


def taken(files: Sequence[RawFile], out: Path) -> None:
    """Take all in."""
    found = Unpacking().take(IntakeTask(files=tuple(files), out=out, threads=CORES), Silence())
    if len(found.pictures) != len(files):
        sys.exit(f"only {len(found.pictures)} pictures were taken")


def rate(side: Callable[[Sequence[RawFile], Path], None], files: Sequence[RawFile]) -> float:
    """Pictures per second of one side."""
    with tempfile.TemporaryDirectory() as out:
        since = time.perf_counter()
        side(files, Path(out))
        return len(files) / (time.perf_counter() - since)


def main(arguments: Sequence[str]) -> None:
    """Measure both sides in turn for each kind and both together, and print the better of each and the ratio."""
    count, side = (int(given) for given in (*arguments, *map(str, (PICTURES, SIDE)[len(arguments) :])))
    with tempfile.TemporaryDirectory() as folder:
        files = made(Path(folder), count, side)
        for name in (*KINDS, "both"):
            chosen = [file for file in files if name == "both" or file.name.endswith(name.lower())]
            rates = [(rate(taken, chosen), rate(plain, chosen)) for _ in range(ROUNDS)]
            intake, pillow = (max(found) for found in zip(*rates, strict=True))
            print(
                f"{name}: {len(chosen)} pictures of {side} px on {CORES} cores: "
                f"intake {intake:.0f}/s, plain Pillow {pillow:.0f}/s, ratio {intake / pillow:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
