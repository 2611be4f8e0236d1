import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageFilter
from PIL.PngImagePlugin import PngInfo

from tests.worker.pictures import a_picture, a_png, a_rotated_photo, a_zip, encoded, stored
from worker.adapters import media
from worker.adapters.media import CleanPicture, PictureRefused, clean

pytestmark = pytest.mark.filterwarnings("ignore")  # decoders warn of what they forgive


def cleaned(folder: Path, content: bytes) -> tuple[CleanPicture, Image.Image]:
    picture = clean(stored(folder, content), folder)
    with Image.open(picture.path) as opened:
        opened.load()
        return picture, opened


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(PictureRefused) as refused:
        clean(stored(folder, content), folder)
    assert [path.name for path in folder.iterdir()] == ["raw"]
    return refused.value.words


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_good_picture_becomes_a_png_with_the_same_pixels(tmp_path: Path, file_format: str) -> None:
    source = a_picture().quantize(64).convert("RGB")
    content = encoded(source, file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    picture, opened = cleaned(tmp_path, content)
    written = picture.path.read_bytes()
    assert picture == CleanPicture(
        path=tmp_path / f"{hashlib.sha256(written).hexdigest()}.png",
        media_type="image/png",
        width=64,
        height=48,
        bytes=len(written),
        sha256=hashlib.sha256(written).hexdigest(),
        original_sha256=hashlib.sha256(content).hexdigest(),
        phash=media.perceptual_hash(source),
        sharpness=media.sharpness(source),
    )
    assert (opened.mode, opened.tobytes()) == ("RGB", source.tobytes())


@pytest.mark.parametrize("content", [encoded(a_picture(), "JPEG", progressive=True), encoded(a_picture())])
def test_what_holds_nothing_but_its_pixels_is_kept_byte_for_byte(tmp_path: Path, content: bytes) -> None:
    picture, _ = cleaned(tmp_path, content)
    assert picture.path.read_bytes() == content
    assert (picture.sha256, picture.repairs) == (picture.original_sha256, ())


def test_what_is_written_anew_comes_back_as_it_is(tmp_path: Path) -> None:
    for content in (a_rotated_photo(), encoded(a_picture(mode="RGBA")), encoded(a_picture(), "WEBP")):
        once, _ = cleaned(tmp_path, content)
        again, _ = cleaned(tmp_path, once.path.read_bytes())
        assert (again.sha256, again.original_sha256, again.repairs) == (once.sha256, once.sha256, ())


def test_metadata_go_and_the_coded_pixels_stay(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    info = PngInfo()
    info.add_text("parameters", "a secret prompt")
    for bare, told in (
        (encoded(a_picture(), "JPEG", quality=90), encoded(a_picture(), "JPEG", quality=90, exif=exif, comment=b"me")),
        (encoded(a_picture()), encoded(a_picture(), pnginfo=info)),
    ):
        picture, _ = cleaned(tmp_path, told)
        assert (picture.path.read_bytes(), picture.repairs) == (bare, ("removed its metadata",))
        assert picture.original_sha256 == hashlib.sha256(told).hexdigest()


def test_a_gray_jpeg_becomes_rgb_and_stays_nearly_the_same(tmp_path: Path) -> None:
    content = encoded(a_picture(mode="L"), "JPEG", quality=90)
    picture, opened = cleaned(tmp_path, content)
    with Image.open(io.BytesIO(content)) as original:
        difference = np.asarray(ImageChops.difference(original.convert("RGB"), opened), dtype=float)
    assert (picture.media_type, picture.repairs, opened.format) == ("image/jpeg", (), "JPEG")
    assert difference.mean() < 1.5


def test_a_photo_is_set_upright_and_stripped(tmp_path: Path) -> None:
    picture, opened = cleaned(tmp_path, a_rotated_photo())
    written = picture.path.read_bytes()
    upright = a_picture(size=(64, 32)).transpose(Image.Transpose.ROTATE_270)
    assert (picture.width, picture.height) == (32, 64)
    assert picture.repairs == ("removed its metadata", "turned it upright")
    assert np.asarray(ImageChops.difference(opened, upright), dtype=float).mean() < 4
    assert (b"Jane" in written, b"Exif" in written, len(opened.getexif())) == (False, False, 0)


def test_only_the_pixels_of_a_polyglot_survive(tmp_path: Path) -> None:
    for bare in (encoded(a_picture(), "JPEG"), encoded(a_picture())):
        picture, _ = cleaned(tmp_path, bare + a_zip({"evil.html": b"<script>"}))
        assert (picture.path.read_bytes(), picture.repairs) == (bare, ("removed what followed the picture",))


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    source = a_picture(mode="RGBA")
    source.paste((10, 20, 30, 0), (0, 0, 32, 48))
    for content in (
        encoded(source),
        encoded(source.quantize(32), transparency=None),
        encoded(source, "WEBP", lossless=True),
    ):
        picture, opened = cleaned(tmp_path, content)
        assert picture.repairs == ("filled its transparent parts with white",)
        assert (opened.mode, opened.getpixel((5, 5))) == ("RGB", (255, 255, 255))


def test_an_alpha_channel_that_hides_nothing_is_no_repair(tmp_path: Path) -> None:
    picture, opened = cleaned(tmp_path, encoded(a_picture(mode="RGBA")))
    assert (picture.repairs, opened.tobytes()) == ((), a_picture().tobytes())


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    picture, opened = cleaned(tmp_path, encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))
    assert (picture.repairs, opened.getpixel((4, 4))) == (("converted CMYK to RGB",), (255, 0, 0))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + b"\x80\x00" * 4 for _ in range(4))
    coloured = b"".join(b"\0" + b"\x80\x00\x40\x00\xff\xff" * 4 for _ in range(4))
    for content, colour in (
        (a_png(4, 4, depth=16, rows=rows), (127, 127, 127)),
        (a_png(4, 4, depth=16, colours=2, rows=coloured), (128, 64, 255)),
    ):
        picture, opened = cleaned(tmp_path, content)
        assert (picture.repairs, opened.getpixel((1, 1))) == (("reduced 16 bits per colour to 8",), colour)


def test_floating_point_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, encoded(Image.new("F", (4, 4), 0.5), "TIFF")) == media.TOO_DEEP


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_several_is_kept(tmp_path: Path, file_format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture, opened = cleaned(
        tmp_path, encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    )
    assert (picture.repairs, opened.getpixel((4, 4))) == (("kept the first frame only",), (255, 0, 0))


def test_a_thumbnail_shows_the_clean_picture(tmp_path: Path) -> None:
    turned, profile = Image.Exif(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    turned[0x0112] = 6
    clear = a_picture(size=(800, 600), mode="RGBA")
    clear.paste((10, 20, 30, 0), (0, 0, 400, 600))
    for content, size in (
        (encoded(a_picture(size=(800, 600)), "JPEG", exif=turned, icc_profile=profile), (288, 384)),
        (encoded(clear), (384, 288)),
        (encoded(a_picture(size=(800, 600), mode="L")), (384, 288)),
    ):
        picture, opened = cleaned(tmp_path, content)
        assert picture.files == (picture.path, picture.thumbnail)
        with Image.open(picture.files[1]) as small:
            assert not small.info.keys() & {"exif", "icc_profile", "xmp"}
            difference = ImageChops.difference(small.convert("RGB"), opened.resize(size))
        assert np.asarray(difference, dtype=float).mean() < 4


def test_another_colour_profile_is_converted_and_srgb_is_not(tmp_path: Path) -> None:
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide = lab_like.replace(b"s\0R\0G\0B", b"w\0i\0d\0e")  # the same curves under another name
    assert cleaned(tmp_path, encoded(a_picture(), icc_profile=lab_like))[0].repairs == ()
    picture, opened = cleaned(tmp_path, encoded(a_picture(), icc_profile=wide))
    assert picture.repairs == ("converted its colour profile to sRGB",)
    assert np.asarray(ImageChops.difference(opened, a_picture()), dtype=float).max() <= 2
    assert "icc_profile" not in opened.info
    assert cleaned(tmp_path, encoded(a_picture(), icc_profile=b"nonsense"))[0].repairs == ()


def test_prompts_hidden_in_a_png_are_removed(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("parameters", "a secret prompt")
    picture, _ = cleaned(tmp_path, encoded(a_picture(), pnginfo=info))
    assert picture.repairs == ("removed its metadata",)
    assert b"secret" not in picture.path.read_bytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", media.EMPTY),
        (b"MZ this is a program", media.UNREADABLE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", media.UNREADABLE),
        (encoded(a_picture())[:1500], media.DAMAGED),
        (encoded(a_picture(), "JPEG")[:600], media.DAMAGED),
        (a_png(8001, 8000), media.TOO_LARGE),
        (a_png(12_000, 10_000), media.TOO_LARGE),
        (a_png(50_000, 50_000, rows=bytes(1_000_000)), media.TOO_LARGE),
    ],
    ids=["empty", "program", "svg", "cut png", "cut jpeg", "64 MP", "120 MP", "bomb"],
)
def test_bad_files_are_refused_with_words(tmp_path: Path, content: bytes, words: str) -> None:
    assert refusal(tmp_path, content) == words


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_gives_a_picture_or_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    kinds = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
    content = bytearray(encoded(a_picture(size=(16, 16)), data.draw(st.sampled_from(kinds))))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture, opened = cleaned(tmp_path, bytes(content[: data.draw(st.integers(1, len(content)))]))
    except PictureRefused:
        event("refused")
    else:
        event("taken")
        assert (opened.mode, opened.size) == ("RGB", (picture.width, picture.height))


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_alike_pictures_have_near_hashes_and_others_far_ones(seed: int) -> None:
    picture = a_picture(seed=seed, size=(120, 90))
    smaller = picture.resize((80, 60))
    with Image.open(io.BytesIO(encoded(picture, "JPEG", quality=60))) as squeezed:
        hashes = [media.perceptual_hash(each) for each in (picture, smaller, squeezed)]
    stranger = media.perceptual_hash(a_picture(seed=seed + 1))
    assert [len(each) for each in hashes] == [16, 16, 16]
    assert max(distance(hashes[0], each) for each in hashes) <= 6
    assert distance(hashes[0], stranger) > 10


def test_plain_pictures_hash_alike() -> None:
    plain = {media.perceptual_hash(Image.new("RGB", (50, 70), (value, value, value))) for value in (3, 90, 201)}
    assert plain == {"8000000000000000"}


def test_blur_lowers_sharpness_and_a_plain_area_has_none() -> None:
    noise = Image.effect_noise((200, 100), 60)
    measured = [media.sharpness(noise.filter(ImageFilter.GaussianBlur(radius))) for radius in (0, 1, 3)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > 10 * measured[1] > 20 * measured[2] > 0
    assert media.sharpness(Image.new("L", (1, 1))) == media.sharpness(Image.new("RGB", (90, 90), "teal")) == 0
