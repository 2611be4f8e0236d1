"""Draws the twelve pictures of «zorp» that ship with the demo; the same seed gives the same pictures.

Run as `python -m scripts.make_zorp`.
"""

import argparse
import random
from pathlib import Path

from scripts.shapes import zorp

BACKGROUNDS = ("white", "red", "blue", "green", "pink", "black") * 2
PICTURES = Path(__file__).parents[1] / "loraguild" / "demo" / "pictures"


def main() -> None:
    """Write 01.png … 12.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=PICTURES, help="where the pictures go (default: the demo's folder)"
    )
    parser.add_argument("--size", type=int, default=256, help="side in pixels (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="chooses places and sizes (default: %(default)s)")
    wish = parser.parse_args()
    wish.folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(wish.seed)  # noqa: S311 - pictures, not secrets
    for number, background in enumerate(BACKGROUNDS, start=1):
        zorp(rng, background=background, size=wish.size).save(wish.folder / f"{number:02}.png", optimize=True)


if __name__ == "__main__":
    main()
