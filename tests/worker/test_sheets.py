from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops

from worker.adapters.sheets import (
    CELL,
    COARSE,
    GAP,
    LINE,
    MAX_ON_SHEET,
    THUMBNAIL,
    Numbered,
    before_after,
    blurred,
    contact_sheet,
    side_by_side,
)


def painted(folder: Path, *colours: str, size: tuple[int, int] = (30, 30)) -> list[Path]:
    paths = []
    for number, colour in enumerate(colours):
        paths.append(folder / f"{number}-{colour}.png")
        Image.new("RGB", size, colour).save(paths[-1])
    return paths


def numbered(paths: Sequence[Path]) -> list[Numbered]:
    return list(enumerate(paths, start=1))


def middle(sheet: Image.Image, column: int, row: int, *, side: int) -> object:
    across = GAP + column * (side + GAP) + side // 2
    return sheet.getpixel((across, GAP + row * (side + LINE + GAP) + LINE + side // 2))


def contrast(picture: Image.Image) -> int:
    levels = picture.convert("L").histogram()
    present = [level for level, count in enumerate(levels) if count]
    return present[-1] - present[0]


def test_a_contact_sheet_shows_every_picture_in_its_place_with_a_number(tmp_path: Path) -> None:
    colours = ["red", "lime", "blue", "cyan", "magenta", "yellow", "black"]
    with Image.open(contact_sheet(numbered(painted(tmp_path, *colours)), tmp_path / "sheet.png")) as sheet:
        assert sheet.size == (6 * (THUMBNAIL + GAP) + GAP, 2 * (THUMBNAIL + LINE + GAP) + GAP)
        shown = [middle(sheet, place % 6, place // 6, side=THUMBNAIL) for place in range(7)]
        assert shown == [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours]
        assert sheet.crop((0, GAP, 50, GAP + LINE)).getextrema() != ((255, 255),) * 3


def test_a_contact_sheet_ends_after_sixty_pictures(tmp_path: Path) -> None:
    paths = painted(tmp_path, "red") * (MAX_ON_SHEET + 5)
    with Image.open(contact_sheet(numbered(paths), tmp_path / "sheet.png")) as sheet:
        assert sheet.height == 10 * (THUMBNAIL + LINE + GAP) + GAP


def test_pairs_stand_side_by_side_and_what_cannot_be_shown_stays_blank(tmp_path: Path) -> None:
    red, lime, blue = painted(tmp_path, "red", "lime", "blue")
    rows: list[list[Numbered]] = [[(1, red), (7, lime)], [(2, blue), (3, None)]]
    with Image.open(side_by_side(rows, tmp_path / "pairs.png")) as sheet:
        assert sheet.size == (2 * (THUMBNAIL + GAP) + GAP, 2 * (THUMBNAIL + LINE + GAP) + GAP)
        assert [middle(sheet, *place, side=THUMBNAIL) for place in ((0, 0), (1, 0), (0, 1), (1, 1))] == [
            (255, 0, 0),
            (0, 255, 0),
            (0, 0, 255),
            (255, 255, 255),
        ]


def test_extreme_shapes_fit(tmp_path: Path) -> None:
    paths = [*painted(tmp_path, "red", size=(3000, 1)), *painted(tmp_path, "blue", size=(1, 3000))]
    with Image.open(contact_sheet(numbered(paths), tmp_path / "sheet.png")) as sheet:
        assert sheet.size == (2 * (THUMBNAIL + GAP) + GAP, THUMBNAIL + LINE + 2 * GAP)


def test_before_and_after_are_two_labelled_rows_of_sharp_pixels(tmp_path: Path) -> None:
    tiny = tmp_path / "tiny.png"
    checks = Image.new("RGB", (2, 1), "red")
    checks.putpixel((1, 0), (0, 0, 255))
    checks.save(tiny)
    green, black = painted(tmp_path, "lime", "black", size=(500, 500))
    grid_path = before_after([tiny, green], [black], labels=("Before", "After"), out=tmp_path / "grid.png")
    with Image.open(grid_path) as grid:
        assert grid.size == (2 * (CELL + GAP) + GAP, 2 * (LINE + CELL + GAP) + GAP)
        assert [middle(grid, *place, side=CELL) for place in ((1, 0), (0, 1), (1, 1))] == [
            (0, 255, 0),
            (0, 0, 0),
            (255, 255, 255),
        ]
        cell = grid.crop((GAP, GAP + LINE, GAP + CELL, GAP + LINE + CELL))
        assert sorted(cell.getcolors() or []) == [
            (CELL * CELL // 4, (0, 0, 255)),
            (CELL * CELL // 4, (255, 0, 0)),
            (CELL * CELL // 2, (255, 255, 255)),
        ]


def test_a_blurred_sheet_keeps_its_colours_and_nothing_that_can_be_recognised(tmp_path: Path) -> None:
    fine = tmp_path / "fine.png"
    checks = Image.effect_noise((THUMBNAIL, THUMBNAIL), 100).convert("RGB")
    checks.save(fine)
    sharp = contact_sheet(numbered([fine, *painted(tmp_path, "red", size=(200, 200))]), tmp_path / "sheet.png")
    with Image.open(blurred(sharp, tmp_path / "blurred.png")) as sheet, Image.open(sharp) as before:
        assert sheet.size == before.size
        noise = sheet.crop((GAP + 2 * COARSE, GAP + LINE + 2 * COARSE, GAP + 6 * COARSE, GAP + LINE + 6 * COARSE))
        assert contrast(noise) < 30
        red = middle(sheet, 1, 0, side=THUMBNAIL)
        assert isinstance(red, tuple)
        assert (red[0] > 200, red[1] < 60, red[2] < 60) == (True, True, True)
        steps = ImageChops.difference(sheet, ImageChops.offset(sheet, 1, 0)).crop((1, 0, *sheet.size)).convert("L")
        assert contrast(steps) < 30
