"""Pictures and archives that nobody wants to be sent."""

import io
import struct
import zipfile
from functools import partial
from itertools import accumulate

from PIL import Image

from core.kinds.intake import Verdict
from tests.corpus.made import REFUSED, REPAIRED, TAKEN, Case, refused, repaired
from tests.worker.pictures import (
    a_picture,
    a_png,
    a_rotated_photo,
    a_zip,
    a_zip_with_a_link,
    encoded,
    locked,
    shrunk_on_paper,
)
from worker.adapters import labels, media, unpacking
from worker.adapters.archives import ARCHIVE_HEADS

PNG, OTHER = encoded(a_picture()), encoded(a_picture(seed=1))
JPEG = encoded(a_picture(), "JPEG")
COLOURS = ("red", "lime", "blue")
DAMAGED_ZIP = "The archive is damaged or cut off. Make it anew and send that."


def animated(file_format: str) -> bytes:
    """Make a picture of three frames."""
    first, *others = (Image.new("RGB", (8, 8), colour) for colour in COLOURS)
    return encoded(first, file_format, save_all=True, append_images=others)


def with_a_hole(mode: str) -> bytes:
    """Make a PNG with a palette or gray values of which a part is transparent."""
    picture = a_picture(mode="RGBA")
    picture.paste((10, 20, 30, 0), (0, 0, 32, 48))
    return encoded(picture.quantize(32) if mode == "P" else picture.convert(mode))


def located() -> bytes:
    """Make a JPEG that tells where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6)})
    return encoded(a_picture(), "JPEG", exif=exif)


def with_broken_exif() -> bytes:
    """Make a JPEG whose EXIF points out of itself."""
    body = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 3, 9, 0xFFFFFF)
    return JPEG[:2] + b"\xff\xe1" + struct.pack("!H", len(body) + 2) + body + JPEG[2:]


def a_crowd() -> bytes:
    """Make a zip with 100,000 empty entries, by hand because that is much faster."""
    names = [f"{number:05d}.png".encode() for number in range(100_000)]
    heads = [struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name for name in names]
    places = accumulate((len(head) for head in heads), initial=0)
    rows = [
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, place) + name
        for name, place in zip(names, places, strict=False)
    ]
    files, directory = b"".join(heads), b"".join(rows)
    stream = io.BytesIO(files + directory)
    start, size = len(files), len(directory)
    stream.seek(0, io.SEEK_END)
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, len(names), len(names), size, start)
    stream.write(end64 + struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1))
    stream.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
    return stream.getvalue()


def condemned(sent: str, content: bytes, name: str, fault: str) -> Case:
    """Make a case of an archive of which nothing is taken because of one entry."""
    return refused(
        sent, lambda: content, f"«{name}» in the archive {fault}. Make a plain one without it and send that."
    )


def beside(sent: str, name: str, content: bytes, *outcomes: tuple[str, Verdict, str]) -> Case:
    """Make a case of a zip with one picture and something that stands beside it."""
    archive = {"a.png": PNG, name: content}
    verdicts = {verdict for _, verdict, _ in outcomes}
    verdict = verdicts.pop() if len(verdicts) == 1 else REPAIRED
    count = sum(verdict is not REFUSED for _, verdict, _ in outcomes)
    summary = (sent, verdict, f"{count} of {len(outcomes)} files taken.")
    return Case(sent, partial(a_zip, archive), (summary, *outcomes), pictures=1)


PICTURES = (
    refused("cut.png", lambda: PNG[:1500], media.DAMAGED),
    refused("cut.jpg", lambda: JPEG[:600], media.DAMAGED),
    refused("cut.webp", lambda: encoded(a_picture(), "WEBP")[:300], media.DAMAGED),
    refused("cut.gif", lambda: encoded(a_picture(), "GIF")[:900], media.DAMAGED),
    refused("wrong-sum.png", lambda: PNG.replace(b"IDAT", b"IDAT\0", 1), media.DAMAGED),
    repaired("cmyk.jpg", lambda: encoded(a_picture(mode="CMYK"), "JPEG"), "Converted CMYK to RGB."),
    repaired(
        "deep.png",
        lambda: a_png(4, 4, depth=16, colours=2, rows=(b"\0" + bytes(24)) * 4),
        "Reduced 16 bits per colour to 8.",
    ),
    refused("real.tiff", lambda: encoded(Image.new("F", (4, 4), 0.5), "TIFF"), media.TOO_DEEP),
    repaired("palette.png", lambda: with_a_hole("P"), "Filled its transparent parts with white."),
    repaired("gray-with-holes.png", lambda: with_a_hole("LA"), "Filled its transparent parts with white."),
    repaired("moving.gif", lambda: animated("GIF"), "Kept the first frame only."),
    repaired("moving.webp", lambda: animated("WEBP"), "Kept the first frame only."),
    repaired("moving.png", lambda: animated("PNG"), "Kept the first frame only."),
    repaired("rotated.jpg", a_rotated_photo, "Removed its metadata; turned it upright."),
    repaired("located.jpg", located, "Removed its metadata."),
    repaired("broken-exif.jpg", with_broken_exif, "Removed its metadata."),
    repaired("polyglot.jpg", lambda: JPEG + a_zip({"evil.html": b"<script>"}), "Removed what followed the picture."),
    repaired("glued.png", lambda: PNG + b"<?php evil(); ?>" * 9, "Removed what followed the picture."),
    Case("jpeg.png", lambda: JPEG, (("jpeg.png", TAKEN, ""),), pictures=1),
    Case(
        "a-single-pixel.png", lambda: encoded(a_picture(size=(1, 1))), (("a-single-pixel.png", TAKEN, ""),), pictures=1
    ),
    refused("text.png", lambda: b"this is a text, not a picture", media.UNREADABLE),
    refused("vectors.svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", media.UNREADABLE),
    refused("program.exe", lambda: b"MZ" + bytes(500), media.UNREADABLE),
    refused("empty.png", lambda: b"", media.EMPTY),
    refused("huge.png", lambda: a_png(65_535, 65_535), media.TOO_LARGE),
    refused("bomb.png", lambda: a_png(50_000, 50_000, rows=bytes(5_000_000)), media.TOO_LARGE),
    refused("bomb.gif", lambda: b"GIF89a\xff\xff\xff\xff" + encoded(a_picture(), "GIF")[10:], media.TOO_LARGE),
)

ARCHIVES = (
    condemned("nested.zip", a_zip({"more.zip": a_zip({"a.png": PNG})}), "more.zip", "is an archive itself"),
    refused(
        "disguised.zip",
        partial(a_zip, {"more.png": a_zip({"a.png": PNG})}),
        "«more.png» in the archive is an archive itself. Unpack it first.",
    ),
    condemned("absolute.zip", a_zip({"/etc/a.png": PNG}), "/etc/a.png", "has an absolute name"),
    condemned("drive.zip", a_zip({"C:\\a.png": PNG}), "C:/a.png", "has an absolute name"),
    condemned("climbing.zip", a_zip({"a.png": PNG, "../b.png": PNG}), "../b.png", "points out of the archive"),
    condemned("link.zip", a_zip_with_a_link("a.png", "/etc/passwd"), "a.png", "is a link or a device"),
    condemned("case.zip", a_zip({"a.png": PNG, "A.PNG": OTHER}), "A.PNG", "comes twice (or differs by case alone)"),
    condemned("locked.zip", locked(a_zip({"a.png": PNG})), "a.png", "needs a password"),
    condemned("escape.zip", a_zip({"a\x1b[2J.png": PNG}), "a\ufffd[2J.png", "has an unprintable name"),
    condemned("endless.zip", a_zip({"a" * 300: PNG}), "a" * 80, "has an endless name"),
    condemned(
        "odd.zip", a_zip({"a.png": PNG}, compression=zipfile.ZIP_LZMA), "a.png", "is compressed in an unusual way"
    ),
    refused("crowd.zip", a_crowd, "The archive has 100,000 entries, at most 10,000 are taken. Split it."),
    refused("bomb.zip", lambda: a_zip({"bomb.png": bytes(30_000_000)}), "At «bomb.png» the archive outgrows "),
    refused("cut.zip", lambda: a_zip({"a.png": PNG})[:-30], DAMAGED_ZIP),
    refused("lying.zip", lambda: shrunk_on_paper(a_zip({"a.png": PNG}), 10), DAMAGED_ZIP),
    refused("empty.zip", lambda: a_zip({}), unpacking.NOTHING),
    refused("junk.zip", lambda: a_zip({"__MACOSX/._a.png": b"x", ".DS_Store": b"x"}), unpacking.NOTHING),
    refused("other.rar", lambda: ARCHIVE_HEADS[2] + bytes(100), unpacking.NO_ZIP),
    Case(
        "copies.zip",
        lambda: a_zip({"a.png": PNG, "b/c.png": PNG}),
        (
            ("copies.zip", REPAIRED, "1 of 2 files taken."),
            ("a.png", TAKEN, ""),
            ("b/c.png", REFUSED, "It is the same picture as «a.png», which was taken."),
        ),
        pictures=1,
    ),
)

LABELS = (
    beside(
        "missing.zip",
        "metadata.jsonl",
        b'{"file_name": "a.png", "text": "zorp"}\n{"file_name": "b.png", "text": "zorp"}',
        ("a.png", TAKEN, ""),
        ("metadata.jsonl", REPAIRED, "Rows used: 1. Left out: line 2 names «b.png», which did not come with it."),
    ),
    beside(
        "elsewhere.zip",
        "metadata.jsonl",
        b'{"file_name": "/etc/passwd"}\n{"file_name": "../../secret.png"}',
        ("a.png", TAKEN, ""),
        ("metadata.jsonl", REFUSED, "Rows used: 0. Left out: line 1 names «/etc/passwd», which did not come with it;"),
    ),
    beside(
        "twice.zip",
        "metadata.jsonl",
        b'{"file_name": "a.png", "text": "one"}\n{"file_name": "A.png", "text": "two"}',
        ("a.png", TAKEN, ""),
        ("metadata.jsonl", REPAIRED, "Rows used: 1. Left out: line 2 names «A.png» again."),
    ),
    beside(
        "no-json.zip",
        "metadata.jsonl",
        b'{"file_name": "a.png", "weight": NaN}\n{"file_name"',
        ("a.png", TAKEN, ""),
        ("metadata.jsonl", REFUSED, "Rows used: 0. Left out: line 1 is no JSON that can be read; line 2 is no JSON"),
    ),
    beside(
        "windows.zip",
        "metadata.csv",
        b'\xef\xbb\xbffile_name,text\r\na.png,"zorp,\r\non two lines"\r\n',
        ("a.png", TAKEN, ""),
        ("metadata.csv", TAKEN, ""),
    ),
    beside(
        "headless.zip",
        "metadata.csv",
        b"a.png,zorp\n",
        ("a.png", TAKEN, ""),
        ("metadata.csv", REFUSED, "Rows used: 0. Left out: it has no column «file_name»."),
    ),
    beside(
        "unquoted.zip",
        "metadata.csv",
        b'file_name,text\na.png,"zorp\n',
        ("a.png", TAKEN, ""),
        ("metadata.csv", REFUSED, "Rows used: 0. Left out: line 2 is no CSV, and nothing after it was read."),
    ),
    beside("utf-16.zip", "a.txt", "zorp, été".encode("utf-16"), ("a.png", REPAIRED, "Read its caption from UTF-16.")),
    beside(
        "latin.zip", "a.txt", b"zorp, \xe9t\xe9", ("a.png", REPAIRED, "Left out its caption, which is not UTF-8 text.")
    ),
    beside(
        "novel.zip",
        "a.caption",
        b"zorp " * 20_000,
        ("a.png", REPAIRED, "Left out its caption, which is longer than 64"),
    ),
    beside("lonely.zip", "b.txt", b"zorp", ("a.png", TAKEN, ""), ("b.txt", REFUSED, labels.NO_PICTURE)),
)

CASES = (*PICTURES, *ARCHIVES, *LABELS)
