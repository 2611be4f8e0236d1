import io
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.worker.pictures import a_picture, a_png, a_rotated_photo, chunk, encoded
from worker.adapters.stripping import Stripped, stripped

PLAIN = encoded(a_picture(), "JPEG")
ROWS = (b"\0" + bytes(3 * 4)) * 2  # two rows of four pixels
PACKED = zlib.compress(ROWS)


def by_hand(*chunks: tuple[bytes, bytes], header: bytes = b"\0\0\0\4\0\0\0\2\x08\2\0\0\0") -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in ((b"IHDR", header), *chunks, (b"IEND", b"")))


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.convert("RGB").tobytes()


@given(
    file_format=st.sampled_from(["JPEG", "PNG"]),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    options=st.fixed_dictionaries({"quality": st.integers(1, 100), "progressive": st.booleans()}),
    words=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
    behind=st.binary(max_size=50),
)
def test_the_pixels_stay_the_words_go_and_so_does_what_follows(
    file_format: str, size: tuple[int, int], options: dict[str, Any], words: str, behind: bytes
) -> None:
    picture, info = a_picture(size=size), PngInfo()
    info.add_itxt("Comment", words)
    bare = encoded(picture, file_format, **options)
    told = encoded(picture, file_format, **options, comment=b"c" + words.encode(), pnginfo=info)
    assert stripped(told + behind) == Stripped(content=bare, followed=behind != b"")
    assert stripped(bare) == Stripped(content=bare, followed=False)
    assert pixels(bare) == pixels(told)


@given(content=st.binary(max_size=200), at=st.integers(0, 600), file_format=st.sampled_from(["JPEG", "PNG"]))
def test_any_damage_gives_the_pixels_or_nothing(content: bytes, at: int, file_format: str) -> None:
    whole = encoded(a_picture(size=(16, 16)), file_format)
    found = stripped(whole[:at] + content + whole[at + len(content) :])
    assert found is None or found.content[:2] == whole[:2]


@pytest.mark.parametrize("length", range(0, 900, 7))
def test_what_is_cut_off_has_no_stripped_form(length: int) -> None:
    assert stripped(a_rotated_photo()[:length]) is None
    assert stripped(encoded(a_picture())[:length]) is None


def test_chunks_of_a_png_are_whole_or_it_has_no_stripped_form() -> None:
    whole = by_hand((b"IDAT", PACKED[:5]), (b"tEXt", b"Author\0Jane"), (b"IDAT", PACKED[5:]))
    assert stripped(whole) == Stripped(content=by_hand((b"IDAT", PACKED[:5]), (b"IDAT", PACKED[5:])), followed=False)
    assert stripped(whole.replace(PACKED[-4:], b"1234")) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"GIF89a",
        a_png(4, 4, depth=16, rows=bytes(36)),
        encoded(a_picture(mode="RGBA")),
        encoded(a_picture(mode="P")),
        by_hand((b"IDAT", PACKED), header=b"\0\0\0\4\0\0\0\2\x08\2\0\0\1"),
        PLAIN.replace(b"\xff\xc0", b"\xff\xc9", 1),
        PLAIN.replace(b"\x00\x10JFIF", b"\x00\x0fJFIF", 1),
    ],
    ids=["empty", "a mark", "gif", "deep", "alpha", "palette", "interlaced", "arithmetic", "odd JFIF"],
)
def test_what_is_not_plain_has_no_stripped_form(content: bytes) -> None:
    assert stripped(content) is None


def test_an_adobe_segment_says_how_colours_are_coded_and_stays() -> None:
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    as_rgb = PLAIN[:2] + adobe + PLAIN[20:]  # in the place of JFIF, so that the colours are taken for RGB
    assert stripped(as_rgb) == Stripped(content=as_rgb, followed=False)
    assert pixels(as_rgb) != pixels(PLAIN)
    secret = PLAIN[:20] + b"\xff\xee\x00\x20" + b"not of Adobe".ljust(30) + PLAIN[20:]
    assert stripped(secret) == Stripped(content=PLAIN, followed=False)
