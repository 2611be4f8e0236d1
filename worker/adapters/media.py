"""One picture from unknown hands made safe: decoded within bounds, set upright, stripped, written anew.

The rule: nothing of a file survives but its pixels, always as upright 8-bit RGB: metadata, hidden frames and whatever
is glued to a file stay behind. Where that leaves the coded pixels of a JPEG or PNG as they are, they are kept bit for
bit; else JPEG is written anew as JPEG (quality 95, full chroma), anything else losslessly as PNG.
"""

import errno
import hashlib
import io
import mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from core.domain.value import Value
from worker.adapters import thumbnails
from worker.adapters.stripping import stripped

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 64_000_000
ORIENTATION = 0x0112
DEEP_MODES, MAX_DEEP = ("I", "F"), 0xFFFF
METADATA = frozenset({"exif", "xmp", "photoshop", "comment"})
JPEGS = frozenset({"JPEG", "MPO"})
HASH_SIDE, HASH_SAMPLES = 8, 32
SHARPNESS_SIDE = 512
UNSEEN = "removed its metadata"
FOLLOWED = "removed what followed the picture"

EMPTY = "The file is empty. Look at it on your side and send it again."
UNREADABLE = "It is not a picture that can be read. Send it as JPEG, PNG, WebP, GIF, BMP or TIFF."
TOO_LARGE = f"It has more than {MAX_PIXELS // 1_000_000} megapixels. Scale it down and send it again."
TOO_DEEP = "Its pixels have more than 16 bits per colour. Save it with 8 and send it again."
TOO_HUNGRY = "It needs more memory than one picture may take. Scale it down and send it again."
DAMAGED = "It is damaged or cut off. Open it on your side, save it anew and send that."


class PictureRefused(Exception):  # noqa: N818 a past participle, as every result here
    """A file that gives no picture; `words` say what is wrong and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class CleanPicture(Value):
    """A picture that holds nothing but its pixels, and what was changed on the way.

    `bytes` is the size of the file at `path`; `phash` is 64 bits as 16 hex digits; `sharpness` as `sharpness()` says.
    `thumbnail` is None where the picture is as small.
    """

    path: Path
    media_type: str
    width: int
    height: int
    bytes: int
    sha256: str
    original_sha256: str
    phash: str
    sharpness: float
    thumbnail: Path | None = None
    repairs: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """What lies on the disk."""
        return (self.path, self.thumbnail) if self.thumbnail else (self.path,)


class Decoded(NamedTuple):
    """An upright 8-bit RGB picture, the format of its file, what was changed, and whether the pixels are as coded."""

    picture: Image.Image
    file_format: str | None
    repairs: tuple[str, ...]
    is_as_coded: bool


def clean(raw: Path, out: Path) -> CleanPicture:
    """Decode the file `raw` and write its picture into the folder `out`, named by its sha256, and a thumbnail.

    Decoders warn of whatever they forgive: call it where warnings are ignored.

    Raises:
        PictureRefused: It is no picture, damaged, or larger than 64 megapixels (seen before anything is decoded) or
            than the memory of this process.
    """
    if not raw.stat().st_size:
        raise PictureRefused(EMPTY)
    try:
        return cleaned(raw, out)
    except MemoryError:
        raise PictureRefused(TOO_HUNGRY) from None
    except OSError as reason:
        if reason.errno != errno.ENOMEM:
            raise
        raise PictureRefused(TOO_HUNGRY) from None


def cleaned(raw: Path, out: Path) -> CleanPicture:
    """Do what `clean` says, while memory lasts.

    Raises:
        PictureRefused: As for `clean`.
        MemoryError, OSError: The limit of this process is reached.
    """
    picture, file_format, repairs, is_as_coded = decoded(raw)
    with raw.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        original_sha256 = hashlib.sha256(content).hexdigest()
        bare = stripped(content)
    if bare and bare.followed and file_format != "MPO":  # what follows in an MPO are previews
        repairs = (*repairs, FOLLOWED)
    is_jpeg = file_format in JPEGS
    written = bare.content if bare and is_as_coded else encoded(picture, is_jpeg=is_jpeg)
    sha256 = hashlib.sha256(written).hexdigest()
    path = out / f"{sha256}.{'jpg' if is_jpeg else 'png'}"
    path.write_bytes(written)
    gray = picture.convert("L")
    return CleanPicture(
        path=path,
        media_type="image/jpeg" if is_jpeg else "image/png",
        width=picture.width,
        height=picture.height,
        bytes=len(written),
        sha256=sha256,
        original_sha256=original_sha256,
        phash=perceptual_hash(gray),
        sharpness=sharpness(gray),
        thumbnail=thumbnails.listed(picture, out / f"{sha256}.webp"),
        repairs=repairs,
    )


def encoded(picture: Image.Image, *, is_jpeg: bool) -> bytes:
    """Return a picture as the bytes of a new file."""
    anew = picture.convert("RGB")
    anew.info.clear()
    stream = io.BytesIO()
    if is_jpeg:
        anew.save(stream, "JPEG", quality=95, subsampling=0)
    else:
        anew.save(stream, "PNG")
    return stream.getvalue()


def decoded(raw: Path) -> Decoded:
    """Return the upright 8-bit RGB picture in a file.

    Raises:
        PictureRefused: As for `clean`.
    """
    try:
        with Image.open(raw, formats=FORMATS) as source:
            return repaired(source)
    except (PictureRefused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise PictureRefused(TOO_LARGE) from None
    except UnidentifiedImageError:
        raise PictureRefused(UNREADABLE) from None
    except Exception as reason:  # decoders fail in every possible way on hostile bytes
        raise PictureRefused(DAMAGED) from reason


def repaired(source: ImageFile) -> Decoded:
    """Decode a picture into upright 8-bit RGB, and tell each change that its owner might notice.

    Raises:
        PictureRefused: It has too many pixels, or too deep ones.
    """
    if source.width * source.height > MAX_PIXELS:
        raise PictureRefused(TOO_LARGE)
    repairs = []
    is_deep = any("16" in str(tile.args) for tile in source.tile)
    if getattr(source, "is_animated", False) and source.format != "MPO":  # an MPO's other frames are previews
        repairs.append("kept the first frame only")
    source.load()
    if METADATA & source.info.keys() or getattr(source, "text", None):
        repairs.append(UNSEEN)
    picture: Image.Image = source
    if source.getexif().get(ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(picture)
        repairs.append("turned it upright")
    if is_deep or picture.mode.startswith(DEEP_MODES):
        picture = shallow(picture)
        repairs.append("reduced 16 bits per colour to 8")
    if picture.has_transparency_data:
        picture, had_holes = on_white(picture)
        repairs += ["filled its transparent parts with white"] * had_holes
    if picture.mode in {"CMYK", "YCbCr", "LAB"}:
        repairs.append(f"converted {picture.mode} to RGB")
    picture, had_profile = in_srgb(picture, source.info.get("icc_profile"))
    repairs += ["converted its colour profile to sRGB"] * had_profile
    is_as_coded = source.mode == "RGB" and set(repairs) <= {UNSEEN}
    upright = picture if picture.mode == "RGB" else picture.convert("RGB")
    return Decoded(upright, source.format, tuple(repairs), is_as_coded)


def shallow(picture: Image.Image) -> Image.Image:
    """Scale gray values of 16 bits to 8, which Pillow itself would clip; deep colours it has already scaled.

    Raises:
        PictureRefused: The values do not fit 16 bits.
    """
    if not picture.mode.startswith(DEEP_MODES):
        return picture
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > MAX_DEEP:
        raise PictureRefused(TOO_DEEP)
    return Image.fromarray((values // (MAX_DEEP // 0xFF)).astype(np.uint8))


def on_white(picture: Image.Image) -> tuple[Image.Image, bool]:
    """Return a picture with an alpha channel as RGB on a white ground, and whether anything was transparent."""
    rgba = picture.convert("RGBA")
    alpha = rgba.getchannel("A")
    flat = Image.new("RGB", rgba.size, "white")
    flat.paste(rgba, mask=alpha)
    return flat, alpha.histogram()[0xFF] < flat.width * flat.height


def in_srgb(picture: Image.Image, icc_profile: bytes | None) -> tuple[Image.Image, bool]:
    """Convert an RGB or CMYK picture from its own colour profile, and tell whether there was one other than sRGB."""
    if not icc_profile or picture.mode not in {"RGB", "CMYK"}:
        return picture, False
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        if own.profile.xcolor_space.strip() != picture.mode or "sRGB" in ImageCms.getProfileDescription(own):
            return picture, False
        converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture, False  # a profile that nobody can read changes no colours elsewhere either
    return (picture, False) if converted is None else (converted, True)


def perceptual_hash(picture: Image.Image) -> str:
    """Return 64 bits as 16 hex digits; pictures that look alike differ in few of them.

    The DCT hash of Zauner, «Implementation and Benchmarking of Perceptual Image Hash Functions» (2010), with the
    choices of ImageHash's `phash`: 32×32 samples, the 8×8 lowest frequencies, set where above their median.
    """
    gray = picture.convert("L").resize((HASH_SAMPLES, HASH_SAMPLES), Image.Resampling.LANCZOS, reducing_gap=4.0)
    frequency, sample = np.arange(HASH_SIDE)[:, None], np.arange(HASH_SAMPLES)[None, :]
    basis = np.cos(np.pi * frequency * (2 * sample + 1) / (2 * HASH_SAMPLES))
    spectrum = (basis @ np.asarray(gray, dtype=np.float64) @ basis.T).round(6)  # so that plain areas hash the same
    return np.packbits(spectrum > np.median(spectrum)).tobytes().hex()


def sharpness(picture: Image.Image) -> float:
    """Return the variance of the Laplacian of the luminance, at no more than 512 pixels a side; a blur is below ~100.

    The measure is LAPV of Pertuz, Puig and Garcia, «Analysis of focus measure operators for shape-from-focus» (2013).
    """
    gray = picture.convert("L")
    gray.thumbnail((SHARPNESS_SIDE, SHARPNESS_SIDE), reducing_gap=1.0)
    values = np.pad(np.asarray(gray, dtype=np.int16), 1, mode="edge")
    centre = values[1:-1, 1:-1]
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * centre
    return round(float(laplacian.var()), 3)
