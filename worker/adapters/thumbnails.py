"""Thumbnails: a picture so small that many fit on a page, or that it can be carried inside another file."""

from io import BytesIO
from pathlib import Path

from PIL import Image

LISTED = 384  # pixels: what half a phone's screen shows
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


def listed(picture: Image.Image, out: Path) -> Path | None:
    """Write a picture as WebP to `out`, its longer side 384 pixels; one that is no larger is a thumbnail itself: None.

    Args:
        picture: Upright 8-bit RGB in sRGB; it stays as it is.
        out: The file to write.
    """
    factor = max(picture.size) / LISTED
    if factor <= 1:
        return None
    width, height = (max(1, round(side / factor)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.HAMMING, reducing_gap=1.0)
    small.info.clear()  # a colour profile would be written too
    small.save(out, "WEBP", quality=80, method=0)
    return out
