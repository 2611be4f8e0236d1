"""Sizes that pictures are trained at: their own aspect ratio, about one area, never enlarged."""

import math
from functools import lru_cache

GRAIN, COARSEST = 8, 64  # pixels: what the sides are multiples of


def grid(resolution: int, *, grain: int = GRAIN) -> int:
    """Return what the sides are multiples of: about an eighth of the resolution, in whole grains."""
    return max(grain, min(COARSEST, resolution // 8) // grain * grain)


def bucket(width: int, height: int, *, resolution: int, grain: int = GRAIN) -> tuple[int, int]:
    """Return the width and height in pixels that a picture is trained at.

    Of all sizes of at most `resolution`² pixels it is the one nearest in aspect ratio, and of those the largest; a
    picture that is smaller than that gets the largest one that it fills. Sides are multiples of `grain` at least.
    """
    step = grid(resolution, grain=grain)
    wide, high = _nearest(width / height, resolution, step)
    if wide <= width and high <= height:
        return wide, high
    shrunk = min(1.0, math.sqrt(resolution**2 / (width * height)))
    floors = [max(step, math.floor(side * shrunk / step) * step) for side in (width, height)]
    return floors[0], floors[1]


@lru_cache(maxsize=1024)
def _nearest(aspect: float, resolution: int, step: int) -> tuple[int, int]:
    longest = 4 * resolution
    sizes = [(wide, resolution**2 // wide // step * step) for wide in range(step, longest + 1, step)]
    fitting = [(wide, high) for wide, high in sizes if high >= step]
    return min(fitting, key=lambda size: (round(abs(math.log(size[0] / size[1] / aspect)), 3), -size[0] * size[1]))
