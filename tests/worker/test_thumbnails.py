"""Small pictures that go into other files."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.adapters.thumbnails import MOST, thumbnail


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
