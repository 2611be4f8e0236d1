"""Pictures and archives for the tests, good and bad, made by code."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
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
    "brown": (120, 70, 30),
}


def a_picture(*, seed: int = 0, size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    """Return blurred noise, so that no two seeds look alike."""
    values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(values).resize(size, Image.Resampling.BICUBIC).convert(mode)


def a_zorp(background: str, *, size: int = 256, radius: float = 0.3) -> Image.Image:
    """Return the striped triangle on a plain ground, antialiased by drawing it three times as large."""
    side = 3 * size
    stripes = Image.new("RGB", (side, side), COLOURS["purple"])
    height = side * 0.085
    for number in range(0, 13, 2):
        ImageDraw.Draw(stripes).rectangle((0, number * height, side, (number + 1) * height), fill=COLOURS["yellow"])
    mask = Image.new("L", (side, side), 0)
    corners = [(0.5, 0.5 - radius), (0.5 + radius, 0.5 + radius * 0.8), (0.5 - radius, 0.5 + radius * 0.8)]
    ImageDraw.Draw(mask).polygon([(x * side, y * side) for x, y in corners], fill=255)
    ground = Image.new("RGB", (side, side), COLOURS[background])
    ground.paste(stripes, mask=mask)
    return ground.resize((size, size), Image.Resampling.LANCZOS)


def encoded(picture: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack("!I", len(content)) + name + content + struct.pack("!I", zlib.crc32(name + content))


def a_png(width: int, height: int, *, depth: int = 8, colours: int = 0, rows: bytes = b"") -> bytes:
    """Return a PNG written by hand, whose header may promise what its rows do not hold."""
    header = struct.pack("!IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def a_rotated_photo(*, seed: int = 0) -> bytes:
    """Return a JPEG that lies on its side, with a position and a camera in its EXIF and a comment."""
    picture = a_picture(seed=seed, size=(64, 32))
    exif = picture.getexif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of Jane"
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(picture, "JPEG", exif=exif, comment=b"Jane's house", quality=95, subsampling=0)


def a_zip(entries: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip with these entries, the same bytes at any time of day."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return stream.getvalue()


def a_zip_with_a_link(name: str, target: str) -> bytes:
    """Return a zip with one symbolic link."""
    stream = io.BytesIO()
    link = zipfile.ZipInfo(name)
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, target)
    return stream.getvalue()


def locked(archive: bytes) -> bytes:
    """Return a zip of one entry with the flag of a password in both of its headers."""
    central = archive.index(b"PK\x01\x02")
    changed = bytearray(archive)
    changed[6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def shrunk_on_paper(archive: bytes, size: int) -> bytes:
    """Return a zip of one entry whose headers claim that it unpacks to `size` bytes."""
    central = archive.index(b"PK\x01\x02")
    changed = bytearray(archive)
    struct.pack_into("<I", changed, 22, size)
    struct.pack_into("<I", changed, central + 24, size)
    return bytes(changed)


def stored(folder: Path, content: bytes, name: str = "raw") -> Path:
    """Write bytes into a file of a folder and return its path."""
    path = folder / name
    path.write_bytes(content)
    return path
