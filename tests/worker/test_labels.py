from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kinds.intake import FileOutcome, Verdict
from worker.adapters.archives import RawFile
from worker.adapters.labels import Label, Labelled, labelled, paired

PICTURES = (".png", ".jpg")


def files(*names: str) -> tuple[RawFile, ...]:
    return tuple(RawFile(path=Path(str(number)), name=name) for number, name in enumerate(names))


def pairing(*names: str) -> tuple[dict[str, str | None], list[str]]:
    pictures = [file for file in files(*names) if file.name.lower().endswith(PICTURES)]
    sidecars = [file for file in files(*names) if file not in pictures]
    pairs, alone = paired(pictures, sidecars)
    return {file.name: sidecar.name if sidecar else None for file, sidecar in pairs}, [file.name for file in alone]


def put(folder: Path, contents: Mapping[str, bytes | str]) -> Labelled:
    """Label files of these contents; pictures need none."""
    raws = []
    for number, (name, content) in enumerate(contents.items()):
        path = folder / str(number)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        raws.append(RawFile(path=path, name=name))
    return labelled(raws)


def labels(folder: Path, contents: Mapping[str, bytes | str]) -> dict[str, Label]:
    return {file.name: label for file, label in put(folder, contents).pictures}


@pytest.mark.parametrize("parent", ["", "zorp/", "zorp/10_zorp triangle/"])
def test_sidecars_are_paired_within_their_folder(parent: str) -> None:
    names = [f"{parent}{name}" for name in ("01.PNG", "01.txt", "02.jpg", "02.Caption", "03.png", "04.txt")]
    pairs, alone = pairing(*names, "elsewhere/03.txt")
    assert pairs == {names[0]: names[1], names[2]: names[3], names[4]: None}
    assert alone == [names[5], "elsewhere/03.txt"]


def test_a_text_goes_before_a_caption_and_serves_every_picture_of_its_stem() -> None:
    assert pairing("a.caption", "a.txt", "a.png", "a.jpg") == ({"a.png": "a.txt", "a.jpg": "a.txt"}, ["a.caption"])


def test_names_without_a_suffix_are_their_own_stem() -> None:
    assert pairing("v1.5/picture.png", "v1.txt", ".txt") == ({"v1.5/picture.png": None}, ["v1.txt", ".txt"])


@pytest.mark.parametrize(
    ("content", "label"),
    [
        (b"\xef\xbb\xbfzorp, on \xc3\xa9t\xc3\xa9\r\n", Label("zorp, on été")),
        (b"two\nlines \t here", Label("two lines here")),
        (b" \n", Label()),
        (b"", Label()),
        ("zorp été".encode("utf-16"), Label("zorp été", repairs=("read its caption from UTF-16",))),
        ("zorp".encode("utf-16-le"), Label(repairs=("left out its caption, which is not UTF-8 text",))),
        (b"\xff\xfez", Label(repairs=("left out its caption, which is not UTF-8 text",))),
        ("été".encode("latin-1"), Label(repairs=("left out its caption, which is not UTF-8 text",))),
        (b"x" * 65_537, Label(repairs=("left out its caption, which is longer than 64 KB",))),
    ],
    ids=["bom", "lines", "blank", "empty", "utf-16", "unmarked utf-16", "half a letter", "latin-1", "huge"],
)
def test_captions_are_read_on_one_line_or_left_out_in_words(tmp_path: Path, content: bytes, label: Label) -> None:
    assert labels(tmp_path, {"a.png": b"", "a.txt": content}) == {"a.png": label}


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("10_zorp triangle/01.png", {"repeats": "10"}),
        ("img/10_zorp triangle/01.png", {"repeats": "10"}),
        ("set/img/3_zorp/01.png", {"repeats": "3"}),
        ("1_zorp/01.png", {}),
        ("10_zorp/deeper/01.png", {}),
        ("10_zorp.png", {}),
        ("2024_summer/01.png", {}),
        ("0_zorp/01.png", {}),
        ("zorp/01.png", {}),
    ],
)
def test_the_folders_of_kohya_say_how_often_a_picture_is_shown(
    tmp_path: Path, name: str, metadata: dict[str, str]
) -> None:
    found = put(tmp_path, {name: b""})
    assert [label.metadata for _, label in found.pictures] == [metadata]
    assert found.source_format == ("kohya" if metadata else "pictures")


JSON_LINES = (
    '{"file_name": "1.png", "text": "one", "hat": "red", "n": 3}\r\n\n{"file_name": "2.png", "caption": "two"}\n'
)
CSV = '\ufefffile_name,text,hat,n\r\n1.png,one,red,3\r\n2.png,"two",,\r\n'
SEMICOLONS = "text;file_name;hat;n\none;1.png;red;3\ntwo;2.png;;"


@pytest.mark.parametrize(
    ("table", "content"),
    [("metadata.jsonl", JSON_LINES), ("metadata.csv", CSV), ("Metadata.CSV", SEMICOLONS)],
    ids=["json lines", "csv", "semicolons"],
)
@pytest.mark.parametrize(
    ("folder", "pictures"),
    [("", ""), ("train/", "train/"), ("", "train/"), ("set/", "set/train/"), ("train/", "")],
    ids=["flat", "inside a split", "outside it", "below a parent", "alone in a folder"],
)
def test_a_table_says_captions_and_more(tmp_path: Path, table: str, content: str, folder: str, pictures: str) -> None:
    found = put(tmp_path, {f"{pictures}1.png": b"", f"{pictures}2.png": b"", f"{folder}{table}": content})
    assert [label for _, label in found.pictures] == [Label("one", {"hat": "red", "n": "3"}), Label("two")]
    assert found.outcomes == (FileOutcome(name=f"{folder}{table}", verdict=Verdict.TAKEN),)
    assert found.source_format == "imagefolder"


def test_a_table_may_name_the_folders_of_its_pictures(tmp_path: Path) -> None:
    rows = '{"file_name": "train/1.png", "text": "one"}\n{"file_name": "./test\\\\1.PNG", "text": "two"}'
    found = labels(tmp_path, {"set/train/1.png": b"", "set/test/1.png": b"", "set/metadata.jsonl": rows})
    assert [label.caption for label in found.values()] == ["one", "two"]


def test_a_name_that_may_mean_several_means_none(tmp_path: Path) -> None:
    found = put(
        tmp_path, {"a/1.png": b"", "b/1.png": b"", "metadata.jsonl": '{"file_name": "1.png", "text": "which?"}'}
    )
    assert [label.caption for _, label in found.pictures] == [None, None]
    assert [outcome.verdict for outcome in found.outcomes] == [Verdict.REFUSED]


def test_a_sidecar_goes_before_a_table_and_the_rest_is_put_together(tmp_path: Path) -> None:
    rows = "\n".join(f'{{"file_name": "5_zorp/{name}.png", "text": "table", "hat": "red"}}' for name in "abc")
    sidecars = {"5_zorp/a.txt": "sidecar", "5_zorp/b.txt": " table ", "5_zorp/c.txt": ""}
    pictures = {f"5_zorp/{name}.png": b"" for name in "abc"}
    repairs = ("kept the caption of its sidecar, not the other one in the table",)
    said = {"repeats": "5", "hat": "red"}
    assert list(labels(tmp_path, {**pictures, **sidecars, "metadata.jsonl": rows}).values()) == [
        Label("sidecar", said, repairs),
        Label("table", said),
        Label("table", said),
    ]


def test_partly_captioned_sets_are_sets_and_lonely_captions_are_told(tmp_path: Path) -> None:
    found = put(tmp_path, {"1.png": b"", "1.txt": "one", "2.png": b"", "3.txt": "three"})
    assert [label.caption for _, label in found.pictures] == ["one", None]
    assert [(one.name, one.verdict) for one in found.outcomes] == [("3.txt", Verdict.REFUSED)]
    assert found.source_format == "sidecars"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "metadata.jsonl",
            '{"file_name": "1.png"}\n{"file_name": "9.png"}\nnonsense\n[]\n{"file_name": "1.png"}\n{"text": "x"}',
            (
                "Rows used: 1. Left out: line 2 names «9.png», which did not come with it; "
                "line 3 is no JSON that can be read; line 4 has no «file_name»; and 2 more."
            ),
        ),
        (
            "metadata.csv",
            "file_name,text\n1.png,one\n/etc/passwd,two\n1.png,again\n",
            (
                "Rows used: 1. Left out: line 3 names «/etc/passwd», which did not come with it; "
                "line 4 names «1.png» again."
            ),
        ),
        (
            "metadata.csv",
            'file_name,text\n1.png,"one\nin two lines"\n2.png,two,three\n2.png,"two',
            (
                "Rows used: 1. Left out: line 4 has more cells than the head; "
                "line 5 is no CSV, and nothing after it was read."
            ),
        ),
        ("metadata.csv", "picture,text\n1.png,one", "Left out: it has no column «file_name»."),
        ("metadata.csv", b"file_name,text\n1.png,\xe9t\xe9", "Left out: it is not UTF-8 text."),
        ("metadata.jsonl", "", "Left out: there is no row in it."),
        (
            "metadata.jsonl",
            '{"file_name": "1.png", "x": ' + "[" * 500 + "]" * 500 + "}",
            "is no JSON that can be read.",
        ),
    ],
)
def test_faults_of_tables_are_told(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    found = put(tmp_path, {"1.png": b"", "2.png": b"", name: content})
    (outcome,) = found.outcomes
    assert outcome.words.endswith(words)
    assert outcome.verdict is (Verdict.REFUSED if "Rows used: 0" in outcome.words else Verdict.REPAIRED)


def test_values_of_every_type_become_text_and_nothing_stays_nothing(tmp_path: Path) -> None:
    row = '{"file_name": "1.png", "text": 5, "a": 1.5, "b": true, "c": null, "d": ["x", {"y": 1}], "\\u0000": "x"}'
    assert labels(tmp_path, {"1.png": b"", "metadata.jsonl": row}) == {
        "1.png": Label("5", {"a": "1.5", "b": "true", "d": '["x",{"y":1}]'})
    }


@given(content=st.text() | st.binary(), name=st.sampled_from(["metadata.csv", "metadata.jsonl", "1.txt"]))
def test_whatever_stands_beside_pictures_they_come_with_a_label(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes, name: str
) -> None:
    text = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    found = put(tmp_path_factory.mktemp("labels"), {"1.png": b"", name: text})
    assert [file.name for file, _ in found.pictures] == ["1.png"]
