"""The captioner that needs nothing but Pillow: it names the colours of a figure and of its ground."""

import asyncio
import colorsys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

from config.settings import Settings
from worker.adapters.captioners import Captioner

NAMES = ("black", "white", "gray", "red", "brown", "orange", "yellow", "green", "blue", "purple", "pink")
HUES = ((15, "red"), (40, "orange"), (68, "yellow"), (165, "green"), (255, "blue"), (310, "purple"), (345, "pink"))
"""Where each hue ends, in degrees; after the last it is red again."""
BLACK_BELOW, WHITE_ABOVE = 0.2, 0.85  # value
GRAY_BELOW = 0.12  # chroma
BROWN_HUES, BROWN_BELOW = range(10, 48), (0.7, 0.5)  # degrees; value, or saturation
PINK_BELOW, PINK_ABOVE = 0.55, 0.6  # a red's saturation; value
SIDE, EDGE = 128, 2
GROUND_SHARE, SECOND_SHARE, SPECK_SHARE = 0.6, 0.2, 0.01


class PaletteCaptioner:
    """Looks at one picture after the other, off the event loop."""

    concurrency = 1

    async def check(self) -> None:
        """Nothing can be missing."""

    async def caption(self, picture: Path) -> str:
        """Return the colours of a picture in words."""
        return await asyncio.to_thread(colours, picture)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Captioner]:  # noqa: ARG001 - all captioners share one shape
    """Give the palette captioner."""
    yield PaletteCaptioner()


def colours(picture: Path) -> str:
    """Return «purple and yellow, on a white background», or «mostly blue and gray» where the ground is not plain."""
    with Image.open(picture) as opened_picture:
        named = colour_map(opened_picture.convert("RGB"))
    figure, inner, edge = areas(named), inner_areas(named), edge_areas(named)
    ground, share = edge.most_common(1)[0]
    if share < GROUND_SHARE * edge.total():
        return f"mostly {leading(figure, inner)}"
    del figure[ground], inner[ground]
    if figure.total() < SPECK_SHARE * named.width * named.height:
        return f"a plain {ground} background"
    return f"{leading(figure, inner)}, on {'an' if ground == 'orange' else 'a'} {ground} background"


def leading(found: Counter[str], inner: Counter[str]) -> str:
    """Return the largest colour and, where it matters, the second, in words.

    Mixtures have next to no `inner` area, so that area chooses; thin stripes have little of it too, so that the area
    in which a colour was `found` orders. Colours of like area come by the alphabet: like pictures are described alike.
    """
    (first, _), *rest = (inner or found).most_common(2)
    second = [name for name, area in rest if area >= SECOND_SHARE * (inner or found).total()]
    names = sorted([first, *second], key=lambda name: -found[name])
    alike = 2 * found[names[-1]] >= found[names[0]]
    return " and ".join(sorted(names) if alike else names)


def colour_map(picture: Image.Image) -> Image.Image:
    """Return each pixel of an RGB picture, shrunk to 128 a side, as the place of its colour in NAMES."""
    shrink = max(1, *(-(-side // SIDE) for side in picture.size))
    size = max(1, picture.width // shrink), max(1, picture.height // shrink)
    samples = picture.resize(size, Image.Resampling.NEAREST).tobytes()  # any smoother way would mix new colours
    colours = list(zip(samples[::3], samples[1::3], samples[2::3], strict=True))
    places = {colour: NAMES.index(colour_name(colour)) for colour in set(colours)}
    return Image.frombytes("L", size, bytes(places[colour] for colour in colours))


def colour_name(colour: tuple[int, int, int]) -> str:
    """Return the everyday name of an RGB colour, 0 to 255 each."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
    degrees = round(hue * 360)
    if value < BLACK_BELOW:
        return "black"
    if saturation * value < GRAY_BELOW:
        return "white" if value > WHITE_ABOVE else "gray"
    if degrees in BROWN_HUES and (value < BROWN_BELOW[0] or saturation < BROWN_BELOW[1]):
        return "brown"
    name = next((name for end, name in HUES if degrees < end), "red")
    return "pink" if name == "red" and saturation < PINK_BELOW and value > PINK_ABOVE else name


def areas(named: Image.Image, mask: Image.Image | None = None) -> Counter[str]:
    """Count the pixels of each colour in a colour map, where the mask is white."""
    counts = named.histogram(mask)
    return Counter({name: counts[place] for place, name in enumerate(NAMES) if counts[place]})


def inner_areas(named: Image.Image) -> Counter[str]:
    """Count the pixels with eight neighbours of their own colour: mixtures live on the edges between two colours."""
    spread = ImageChops.difference(named.filter(ImageFilter.MaxFilter(3)), named.filter(ImageFilter.MinFilter(3)))
    return areas(named, spread.point([255] + [0] * 255))


def edge_areas(named: Image.Image) -> Counter[str]:
    """Count the pixels along the four sides."""
    mask = Image.new("L", named.size, 255)
    mask.paste(0, (EDGE, EDGE, max(EDGE, named.width - EDGE), max(EDGE, named.height - EDGE)))
    return areas(named, mask)
