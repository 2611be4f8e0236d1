"""Small pictures that go into other files."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.adapters.thumbnails import MOST, listed, thumbnail


def noise(width: int, height: int) -> Image.Image:
    """Draw what can hardly be compressed."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        (Image.new("RGB", (1024, 512), "red"), (256, 128)),
        (Image.new("RGBA", (64, 64), (0, 0, 255, 128)), (64, 64)),
        (Image.new("L", (300, 900), 7), (85, 256)),
        (noise(512, 512), None),
    ],
)
def test_a_thumbnail_is_small_in_every_way(tmp_path: Path, picture: Image.Image, size: tuple[int, int] | None) -> None:
    path = tmp_path / "a.png"
    picture.save(path)
    made = thumbnail(path)
    with Image.open(BytesIO(made)) as small:
        assert small.format == "JPEG"
        assert size in {small.size, None}
        assert max(small.size) <= 256

    assert len(made) <= MOST
    assert thumbnail(path) == made


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1024, 768), (384, 288)), ((385, 385), (384, 384)), ((7, 6000), (1, 384)), ((384, 300), None), ((9, 9), None)],
)
def test_what_lists_show_is_small_and_never_enlarged(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    picture = Image.new("RGB", size, "red")
    picture.info |= {"icc_profile": b"a profile", "exif": b"Exif\0\0secret", "xmp": b"<secret>"}
    made = listed(picture, tmp_path / "a.webp")

    assert (picture.size, made is not None, (tmp_path / "a.webp").exists()) == (size, bool(expected), bool(expected))
    if made:
        with Image.open(made) as small:
            assert (small.format, small.mode, small.size) == ("WEBP", "RGB", expected)
            assert not small.info.keys() & {"icc_profile", "exif", "xmp"}
            (red, green, blue) = np.asarray(small).reshape(-1, 3).mean(axis=0)
            assert (red > 250, green < 5, blue < 5) == (True, True, True)


def test_the_same_picture_has_the_same_thumbnail(tmp_path: Path) -> None:
    twice = [listed(noise(500, 400), tmp_path / name) for name in ("a", "b")]

    assert len({made.read_bytes() for made in twice if made}) == 1
