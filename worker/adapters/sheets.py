"""Many pictures on one: a numbered contact sheet, also blurred, pairs side by side, and what a training changed."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

COLUMNS, MAX_ON_SHEET = 6, 60
THUMBNAIL, CELL, GAP, LINE = 160, 192, 8, 24
COARSE = 20  # pixels of a sheet that become one when it is blurred: eight of a thumbnail
INK, PAPER = "black", "white"

Numbered = tuple[int, Path | None]
"""The number that people know a picture by, and where it is; None where it cannot be shown."""


def contact_sheet(pictures: Sequence[Numbered], out: Path) -> Path:
    """Write numbered thumbnails, six to a row, as PNG to `out`; of more than sixty the first sixty.

    Args:
        pictures: Clean pictures, at least one.
        out: The file to write.

    Returns:
        `out`.
    """
    shown = pictures[:MAX_ON_SHEET]
    return side_by_side([shown[first : first + COLUMNS] for first in range(0, len(shown), COLUMNS)], out)


def side_by_side(rows: Sequence[Sequence[Numbered]], out: Path) -> Path:
    """Write rows of thumbnails, each under its number, as PNG to `out`: at least one row.

    Returns:
        `out`.
    """
    columns = max(map(len, rows))
    step_x, step_y = THUMBNAIL + GAP, THUMBNAIL + LINE + GAP
    sheet = Image.new("RGB", (columns * step_x + GAP, len(rows) * step_y + GAP), PAPER)
    for row, pictures in enumerate(rows):
        for column, (number, path) in enumerate(pictures):
            corner = GAP + column * step_x, GAP + row * step_y
            write(sheet, str(number), corner)
            if path:
                place(sheet, path, (corner[0], corner[1] + LINE), THUMBNAIL)
    sheet.save(out, "PNG")
    return out


def blurred(sheet: Path, out: Path) -> Path:
    """Write a contact sheet so coarse that colours can be told and nothing can be recognised, as PNG to `out`.

    Returns:
        `out`.
    """
    with Image.open(sheet) as sharp:
        size = sharp.size
        coarse = sharp.resize((-(-size[0] // COARSE), -(-size[1] // COARSE)), Image.Resampling.BOX)
    coarse.filter(ImageFilter.GaussianBlur(1)).resize(size, Image.Resampling.BICUBIC).save(out, "PNG")
    return out


def before_after(before: Sequence[Path], after: Sequence[Path], *, labels: tuple[str, str], out: Path) -> Path:
    """Write two labelled rows of pictures, one over the other, as PNG to `out`.

    Args:
        before: The upper row, at least one picture in one of the rows.
        after: The lower row, each picture under the one it answers to.
        labels: The words over each row.
        out: The file to write.

    Returns:
        `out`.
    """
    columns = max(len(before), len(after))
    grid = Image.new("RGB", (columns * (CELL + GAP) + GAP, 2 * (LINE + CELL + GAP) + GAP), PAPER)
    for row, (label, pictures) in enumerate(zip(labels, (before, after), strict=True)):
        top = GAP + row * (LINE + CELL + GAP)
        write(grid, label, (GAP, top))
        for column, path in enumerate(pictures):
            place(grid, path, (GAP + column * (CELL + GAP), top + LINE), CELL)
    grid.save(out, "PNG")
    return out


def write(sheet: Image.Image, words: str, corner: tuple[int, int]) -> None:
    """Write one line in the font that comes with Pillow."""
    ImageDraw.Draw(sheet).text(corner, words, fill=INK, font=ImageFont.load_default(LINE - 8))


def place(sheet: Image.Image, path: Path, corner: tuple[int, int], side: int) -> None:
    """Paste a picture into the middle of a square; a tiny one grows by whole steps and keeps its pixels sharp."""
    with Image.open(path) as picture:
        scaled = thumbnail(picture, side)
    sheet.paste(scaled, (corner[0] + (side - scaled.width) // 2, corner[1] + (side - scaled.height) // 2))


def thumbnail(picture: Image.Image, side: int = THUMBNAIL) -> Image.Image:
    """Return a picture as it fits into a square; a tiny one as large as whole steps make it."""
    scaled = picture.convert("RGB")
    if (growth := side // max(picture.size)) > 1:
        scaled = scaled.resize((scaled.width * growth, scaled.height * growth), Image.Resampling.NEAREST)
    scaled.thumbnail((side, side))
    return scaled
