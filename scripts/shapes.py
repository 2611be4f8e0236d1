"""Draws the flat coloured shapes that the tiny base model is made of, and the striped character «zorp»."""

import math
import random
from enum import StrEnum

from PIL import Image, ImageDraw

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 70),
    "blue": (50, 80, 220),
    "yellow": (240, 210, 50),
    "purple": (140, 60, 180),
    "orange": (245, 140, 40),
    "white": (245, 245, 245),
    "black": (25, 25, 25),
    "pink": (245, 150, 190),
    "gray": (130, 130, 130),
}
OVERSAMPLING = 3
STRIPED = 0.4  # share of striped shapes among all
BAND = 0.6  # height of a stripe, in radii of its shape: three on a triangle


class Shape(StrEnum):
    """What can be drawn."""

    CIRCLE = "circle"
    SQUARE = "square"
    TRIANGLE = "triangle"
    STAR = "star"
    DIAMOND = "diamond"
    CROSS = "cross"


# Corners around (0, 0) at radius 1, y pointing down; a circle has none.
CORNERS: dict[Shape, tuple[tuple[float, float], ...]] = {
    Shape.SQUARE: ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    Shape.TRIANGLE: ((0, -1), (1, 0.8), (-1, 0.8)),
    Shape.DIAMOND: ((0, -1.15), (0.85, 0), (0, 1.15), (-0.85, 0)),
    Shape.STAR: tuple(
        (radius * math.sin(k * math.pi / 5), -radius * math.cos(k * math.pi / 5))
        for k, radius in enumerate((1.1, 0.48) * 5)
    ),
    Shape.CROSS: tuple(
        (x, y)
        for x, y in (
            *((-0.38, -1), (0.38, -1), (0.38, -0.38), (1, -0.38), (1, 0.38), (0.38, 0.38)),
            *((0.38, 1), (-0.38, 1), (-0.38, 0.38), (-1, 0.38), (-1, -0.38), (-0.38, -0.38)),
        )
    ),
}


def draw(
    shape: Shape,
    colour: str,
    *,
    background: str,
    size: int,
    rng: random.Random,
    stripes: str | None = None,
    radii: tuple[float, float] = (0.24, 0.36),
) -> Image.Image:
    """Draw one shape near the middle of a square picture, antialiased.

    Args:
        shape: What to draw.
        colour: Its colour, a key of `COLOURS`.
        background: The colour around it.
        size: Side in pixels.
        rng: Chooses place and radius.
        stripes: A second colour; level stripes begin with the first one at the shape's top.
        radii: Smallest and largest radius, as shares of the side.
    """
    side = size * OVERSAMPLING
    radius = rng.uniform(*radii) * side
    x, y = (rng.uniform(0.42, 0.58) * side for _ in range(2))
    mask = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(mask)
    if shape is Shape.CIRCLE:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    else:
        pen.polygon([(x + radius * dx, y + radius * dy) for dx, dy in CORNERS[shape]], fill=255)
    picture = Image.new("RGB", (side, side), COLOURS[background])
    picture.paste(_filling(side, colour, stripes=stripes, top=y - radius, band=radius * BAND), (0, 0), mask)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _filling(side: int, colour: str, *, stripes: str | None, top: float, band: float) -> Image.Image:
    filling = Image.new("RGB", (side, side), COLOURS[colour])
    if stripes is not None:
        pen = ImageDraw.Draw(filling)
        for k in range(1, int(side / band), 2):
            pen.rectangle((0, top + k * band, side, top + (k + 1) * band), fill=COLOURS[stripes])
    return filling


def captioned_shape(rng: random.Random, *, size: int) -> tuple[Image.Image, str]:
    """Return a random shape, plain or striped, and its caption."""
    shape = rng.choice(tuple(Shape))
    colour, background, stripes = rng.sample(tuple(COLOURS), 3)
    striped = rng.random() < STRIPED
    picture = draw(
        shape,
        colour,
        background=background,
        size=size,
        rng=rng,
        stripes=stripes if striped else None,
        radii=(0.24, 0.42),
    )
    looks = f"{colour} and {stripes} striped" if striped else colour
    return picture, f"a {looks} {shape} on a {background} background"


def any_shape(rng: random.Random, *, size: int) -> Image.Image:
    """Return a random shape, striped or turned at times: what the autoencoder must be able to draw."""
    colour, background, stripes = rng.sample(tuple(COLOURS), 3)
    striped, turns = rng.random() < STRIPED, rng.choice((0, 0, 1, 2, 3))
    picture = draw(
        rng.choice(tuple(Shape)),
        colour,
        background=background,
        size=size,
        rng=rng,
        stripes=stripes if striped else None,
    )
    return picture.rotate(90 * turns)


def zorp(rng: random.Random, *, background: str, size: int) -> Image.Image:
    """Return the demo's character: a triangle in purple and yellow stripes."""
    return draw(
        Shape.TRIANGLE, "purple", background=background, size=size, rng=rng, stripes="yellow", radii=(0.36, 0.42)
    )
