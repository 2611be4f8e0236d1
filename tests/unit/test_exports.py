"""How a dataset is laid out as a file."""

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.dataset import Kind
from core.domain.errors import BadValue
from core.domain.export import Format, chosen, formats, laid_out, names, placed
from tests.builders.entities import a_caption, a_dataset, an_artifact, an_item

ITEMS = (
    an_item(0, artifact=an_artifact("set/a.webp"), captions={"main": a_caption("zorp, red")}),
    an_item(1, artifact=an_artifact("a.png"), metadata={"repeats": "10", "pose": "left"}),
)
FILE_NAMES = st.text(st.characters(codec="utf-8"), max_size=12).map(lambda text: f"{text}.png")


def test_each_format_lays_out_pictures_and_captions_its_own_way() -> None:
    laid = {one: [(e.path, e.text) for e in laid_out(a_dataset(), ITEMS, one)] for one in formats(Kind.IMAGES)}

    rows = [
        {"file_name": "a.png", "text": "zorp, red"},
        {"file_name": "a-2.png", "text": "", "repeats": "10", "pose": "left"},
    ]
    assert laid == {
        Format.ZIP: [("a.png", ""), ("a.txt", "zorp, red\n"), ("a-2.png", "")],
        Format.KOHYA: [("1_zorp/a.png", ""), ("1_zorp/a.txt", "zorp, red\n"), ("10_zorp/a-2.png", "")],
        Format.IMAGEFOLDER: [
            ("a.png", ""),
            ("a-2.png", ""),
            ("metadata.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows)),
        ],
    }


@given(st.lists(FILE_NAMES, max_size=8))
def test_names_are_safe_anywhere_and_differ_by_more_than_case(wished: list[str]) -> None:
    found = names([an_item(number, artifact=an_artifact(name)) for number, name in enumerate(wished)])

    assert len({name.casefold() for name in found}) == len(wished)
    for name in found:
        assert name.isprintable()
        assert not set('/\\<>:"|?*') & set(name)
        assert PurePosixPath(name).name == name
        assert PurePosixPath(name).with_suffix(".txt").name != ".txt"


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_a_path_in_a_cloud_folder_is_one_file_that_can_stand_there(name: str) -> None:
    path = placed(a_dataset(name=name, id="d1"), Format.ZIP, job="j1", suffix=".zip")

    assert path.endswith("-zip-j1.zip")
    assert path.isprintable()
    assert path.count("/") == 1
    assert not set('\\<>:"|?*') & set(path)
    assert path.removeprefix("/").strip(" .") == path.removeprefix("/")


def test_only_formats_of_its_kind_fit_a_dataset() -> None:
    pictures, talk = a_dataset(kind=Kind.IMAGES), a_dataset(kind=Kind.CONVERSATIONS)

    assert (chosen(pictures, None), chosen(talk, None)) == (Format.ZIP, Format.CONVERSATIONS)
    assert chosen(talk, Format.OPENAI) is Format.OPENAI
    with pytest.raises(BadValue, match="«zorp» holds images: take zip or kohya or imagefolder"):
        chosen(pictures, Format.OPENAI)
