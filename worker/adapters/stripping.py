"""The coded pixels of a JPEG or PNG without anything else: how a picture is stripped and yet stays bit for bit itself.

Only what codes 8-bit pixels in the plainest way is let through; of whatever is odd there is no stripped form.
"""

import mmap
import re
import struct
import zlib
from collections.abc import Iterator

from core.domain.value import Value

Content = bytes | mmap.mmap

MARK, SOI, EOI, SOS, APP0, APP14, COM = 0xFF, 0xD8, 0xD9, 0xDA, 0xE0, 0xEE, 0xFE
CODING = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, SOS})  # SOF0 to SOF2, DHT, DQT, DRI, SOS
SAYING = frozenset({*range(APP0, APP0 + 16), COM})
PLAIN_JFIF, PLAIN_ADOBE = 16, 14  # bytes of these segments without a thumbnail
AFTER_A_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")  # a marker other than a stuffed byte or a restart

PNG = b"\x89PNG\r\n\x1a\n"
PLAIN_HEADER = struct.pack("!5B", 8, 2, 0, 0, 0)  # 8 bits, RGB, deflated, filtered, not interlaced
CODED = frozenset({b"IHDR", b"IDAT", b"IEND"})


class Stripped(Value):
    """The bytes that code the pixels, and whether others followed the end of the picture."""

    content: bytes
    followed: bool


def stripped(content: Content) -> Stripped | None:
    """Return a picture's file without anything but its pixels, or None where it has no such form.

    The pixels were decoded before; that is not done here.
    """
    try:
        return stripped_png(content) if content[: len(PNG)] == PNG else stripped_jpeg(content)
    except (struct.error, IndexError):
        return None


def stripped_jpeg(content: Content) -> Stripped | None:
    """Return a baseline or progressive Huffman-coded JPEG without its application segments and comments.

    JFIF and Adobe segments stay, because they say how the components become colours. The markers are those of ITU-T
    T.81, annex B.

    Raises:
        IndexError, struct.error: It is cut off.
    """
    if content[:2] != bytes([MARK, SOI]):
        return None
    kept, at = [content[:2]], 2
    while content[at] == MARK and (marker := content[at + 1]) != EOI:
        if marker not in CODING | SAYING:
            return None
        (length,) = struct.unpack_from("!H", content, at + 2)
        end = at + 2 + length
        if marker == SOS:
            found = AFTER_A_SCAN.search(content, end)
            if found is None:
                return None
            end = found.start()
        segment = content[at:end]
        if marker == APP0 and segment[4:9] == b"JFIF\0" and length != PLAIN_JFIF:
            return None
        if marker in CODING or says_colours(marker, segment):
            kept.append(segment)
        at = end
    if content[at] != MARK:
        return None
    return Stripped(content=b"".join([*kept, content[at : at + 2]]), followed=at + 2 < len(content))


def says_colours(marker: int, segment: bytes) -> bool:
    """Say whether an application segment tells how the components of a JPEG become colours."""
    is_jfif = marker == APP0 and segment[4:9] == b"JFIF\0"
    return is_jfif or (marker == APP14 and segment[4:9] == b"Adobe" and len(segment) == PLAIN_ADOBE + 2)


def stripped_png(content: Content) -> Stripped | None:
    """Return a PNG of 8-bit RGB without its ancillary chunks.

    Raises:
        struct.error: It is cut off.
    """
    kept, end = [PNG], len(PNG)
    for name, chunk in chunks(content):
        end += len(chunk)
        if zlib.crc32(chunk[4:-4]).to_bytes(4, "big") != chunk[-4:]:
            return None
        if name in CODED:
            kept.append(chunk)
    if kept[1][4:8] != b"IHDR" or kept[1][16:-4] != PLAIN_HEADER:
        return None
    return Stripped(content=b"".join(kept), followed=end < len(content))


def chunks(content: Content) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG with their names, up to its end.

    Raises:
        struct.error: It is cut off.
    """
    at, name = len(PNG), b""
    while name != b"IEND":
        length, name = struct.unpack_from("!I4s", content, at)
        yield name, content[at : at + length + 12]
        at += length + 12
