"""Thumbnails: a picture so small that it can be carried inside another file."""

from io import BytesIO
from pathlib import Path

from PIL import Image

SIDE, MOST = 256, 30_000  # pixels, bytes
QUALITIES = (85, 70, 55, 40)


def thumbnail(path: Path) -> bytes:
    """Return a picture as JPEG, 256 pixels wide and high at most, in 30,000 bytes at most; of the same, the same.

    Args:
        path: A clean picture.
    """
    with Image.open(path) as opened:
        small = opened.convert("RGB")
    side = SIDE
    while True:
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            out = BytesIO()
            small.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= MOST:
                return out.getvalue()
        side //= 2
