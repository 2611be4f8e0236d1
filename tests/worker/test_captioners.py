from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from config.settings import Settings
from tests.worker.pictures import COLOURS, a_picture, a_zorp, encoded, stored
from worker.adapters import captioners
from worker.adapters.captioners import LONGEST, NotDescribed, scene_of
from worker.adapters.captioners.palette import colours

DEMO = Path(__file__).parents[2] / "loraguild" / "demo" / "pictures"


def caption(folder: Path, picture: Image.Image, file_format: str = "PNG") -> str:
    return colours(stored(folder, encoded(picture, file_format)))


def test_captioners_are_found_by_name() -> None:
    assert captioners.names() == ("palette", "transformers", "vision")
    with pytest.raises(LookupError, match=r"there is no captioner 'oracle'; there are: .*palette"):
        captioners.captioner("oracle", Settings())


async def test_the_palette_captioner_needs_nothing(tmp_path: Path) -> None:
    picture = stored(tmp_path, encoded(a_zorp("red")))
    async with captioners.captioner("palette", Settings()) as palette:
        await palette.check()
        assert await palette.caption(picture) == "purple and yellow, on a red background"


@pytest.mark.parametrize(
    ("said", "scene"),
    [
        ("standing, in a red coat", "standing, in a red coat"),
        ('  "standing,\n  in a red coat."\n', "standing, in a red coat"),
        ("«a cat»", "a cat"),
        ("a\u202ecat\x00 sits", "a cat sits"),
    ],
)
def test_what_a_model_says_becomes_one_line(said: str, scene: str) -> None:
    assert scene_of(said) == scene


@pytest.mark.parametrize(
    "said", ["", " \n ", '"."', "<html><body>no</body></html>", '{"error": 1}', "x" * (LONGEST + 1)]
)
def test_what_is_no_description_is_refused_in_words(said: str) -> None:
    with pytest.raises(NotDescribed, match="answer"):
        scene_of(said)


@pytest.mark.parametrize("background", sorted(COLOURS.keys() - {"purple", "yellow"}))
@pytest.mark.parametrize(("size", "radius"), [(64, 0.36), (64, 0.24), (256, 0.3), (777, 0.27)])
def test_every_zorp_is_described_alike(tmp_path: Path, background: str, size: int, radius: float) -> None:
    expected = f"purple and yellow, on {'an' if background == 'orange' else 'a'} {background} background"
    zorp = a_zorp(background, size=size, radius=radius)
    assert {caption(tmp_path, zorp), caption(tmp_path, zorp, "JPEG")} == {expected}


def test_the_demos_pictures_are_described_right() -> None:
    names = {bytes(rgb): name for name, rgb in COLOURS.items()}
    described = {}
    for path in sorted(DEMO.glob("*.png")):
        with Image.open(path) as picture:
            ground = names[picture.convert("RGB").tobytes()[:3]]
        described[colours(path)] = f"purple and yellow, on {'an' if ground == 'orange' else 'a'} {ground} background"
    assert len(described) > 1
    assert list(described) == list(described.values())


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_each_colour_is_named(tmp_path: Path, colour: str) -> None:
    assert caption(tmp_path, Image.new("RGB", (40, 30), COLOURS[colour])) == f"a plain {colour} background"


def test_a_larger_colour_goes_first_and_a_small_one_is_left_out(tmp_path: Path) -> None:
    picture = Image.new("RGB", (100, 100), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 79, 79), fill="red")
    assert caption(tmp_path, picture) == "red, on a white background"
    draw.rectangle((30, 30, 59, 59), fill="blue")
    assert caption(tmp_path, picture) == "red and blue, on a white background"
    draw.rectangle((25, 70, 34, 74), fill="green")
    assert caption(tmp_path, picture) == "red and blue, on a white background"


def test_a_drawing_of_thin_lines_has_the_colour_of_its_lines(tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 64), "white")
    for x in range(8, 56, 8):
        ImageDraw.Draw(picture).line((x, 8, x, 55), fill="red")
    assert caption(tmp_path, picture) == "red, on a white background"


def test_a_landscape_has_no_plain_ground(tmp_path: Path) -> None:
    picture = Image.new("RGB", (400, 300), (90, 150, 230))
    picture.paste((60, 120, 50), (0, 150, 400, 300))
    assert caption(tmp_path, picture, "JPEG") == "mostly blue and green"


def test_even_noise_and_a_single_pixel_get_words(tmp_path: Path) -> None:
    assert caption(tmp_path, a_picture(size=(300, 200))).startswith("mostly ")
    assert caption(tmp_path, Image.effect_noise((64, 64), 240)).startswith("mostly ")
    assert caption(tmp_path, Image.new("RGB", (1, 1), "red")) == "a plain red background"
