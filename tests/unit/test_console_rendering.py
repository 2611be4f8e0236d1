import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bots.chat.parsing import parsed
from bots.chat.reply import Button, Reply, Table
from bots.commands import discovered
from bots.console.files import file_name
from bots.console.rendering import as_json, numbered, plain, shown, spelled
from bots.console.saying import Answer, status, told
from core.domain.errors import DatabaseUnavailable, NotYours
from core.domain.job import Progress
from tests.builders.entities import an_artifact

COMMANDS = discovered()
CONFIRM = Button(label="Confirm", command="train confirm", arguments={"quote": "abc"})
AGAIN = Button(label="Again", command="imagine", arguments={"prompt": "alice's zorp", "count": "2"})
REPLY = Reply(
    title="zorp · running",
    lines=("Use it: `imagine zorp …`",),
    fields=(("loss", "0.25"),),
    table=Table(header=("a", "b"), rows=(("1", "2"),)),
    progress=Progress(step=50, total=200, eta=14.4, doing="training"),
    buttons=(CONFIRM, AGAIN),
    job="j1",
    link="https://house.example/u/secret",
)


def text_of(reply: Reply, *paths: Path) -> str:
    out = Console(file=StringIO(), width=100)
    shown(reply, paths, out=out)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def test_a_reply_is_drawn_with_all_its_parts() -> None:
    text = text_of(REPLY, Path("zorp.png"))

    told = ("zorp · running", "Use it: `imagine zorp …`", "loss  0.25", "▸ zorp.png", "[1] Confirm  [2] Again")
    for part in (*told, REPLY.link):
        assert str(part) in text
    assert "50/200 · 14 s left · training" in text


@pytest.mark.parametrize("hostile", ["[bold]x[/bold]", "[/]", "[link=file:///]x[/link]", ":smile:", r"\[x]"])
def test_markup_of_people_is_shown_as_they_wrote_it(hostile: str) -> None:
    reply = Reply(
        title=hostile,
        lines=(hostile,),
        fields=((hostile, hostile),),
        table=Table(header=(hostile,), rows=((hostile,),)),
        buttons=(Button(label=hostile, command="start"),),
        progress=Progress(step=1, total=2, doing=hostile),
    )

    assert text_of(reply).count(hostile) == 8


@given(st.text())
def test_nothing_that_people_write_reaches_the_terminal_as_a_command(written: str) -> None:
    assert not set(plain(written)) & {*map(chr, (*range(10), *range(11, 32), *range(127, 160)))}


def test_button_numbers_count_on_from_where_they_are_told() -> None:
    assert numbered(REPLY, first=4).plain == "[4] Confirm  [5] Again"


def test_buttons_are_spelled_as_commands() -> None:
    lines = ["Confirm: train confirm abc", """Again: imagine 'alice'"'"'s zorp' count=2"""]

    assert spelled(REPLY, COMMANDS).plain.splitlines() == lines


def test_a_reply_as_data() -> None:
    data = json.loads(json.dumps(as_json(REPLY, [Path("/x/zorp.png")], COMMANDS)))

    assert data == {
        "title": "zorp · running",
        "lines": ["Use it: `imagine zorp …`"],
        "fields": {"loss": "0.25"},
        "table": {"header": ["a", "b"], "rows": [["1", "2"]]},
        "files": ["/x/zorp.png"],
        "actions": [
            {"label": "Confirm", "command": "train confirm abc"},
            {"label": "Again", "command": """imagine 'alice'"'"'s zorp' count=2"""},
        ],
        "link": "https://house.example/u/secret",
        "job": "j1",
        "progress": {"step": 50, "total": 200, "eta": 14.4, "doing": "training"},
        "code": None,
    }
    typed = [parsed(action["command"], COMMANDS) for action in data["actions"]]
    assert [(one.definition.path, one.words) for one in typed] == [
        (button.command, button.arguments) for button in REPLY.buttons
    ]


@given(st.text())
def test_data_is_one_json_object_whatever_people_wrote(written: str) -> None:
    out = Console(file=StringIO(), width=40)

    told(Answer(reply=Reply(title=written, lines=(written,))), out=out, as_data=True)

    assert isinstance(out.file, StringIO)
    printed = json.loads(out.file.getvalue())
    assert (printed["title"], printed["lines"]) == (written, [written])


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (REPLY, 0),
        (Reply.refused(NotYours()), 2),
        (Reply.refused(DatabaseUnavailable(why="gone")), 1),
        (Reply(title="failed", code="nan_loss", unavailable=True), 1),
    ],
)
def test_exit_statuses(reply: Reply, expected: int) -> None:
    assert status(reply) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zorp.safetensors", "zorp-abcdef01.safetensors"),
        ("my zorp.png", "my-zorp-abcdef01.png"),
        ("../../etc/passwd", "passwd-abcdef01"),
        ("..", "file-abcdef01"),
        (".png", "png-abcdef01"),
        ("a\x1b[2Jb.png", "a-2Jb-abcdef01.png"),
    ],
)
def test_file_names_are_safe_and_tell_contents_apart(name: str, expected: str) -> None:
    assert file_name(an_artifact(name, sha256="abcdef0123")) == expected


@given(st.text())
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    made = file_name(an_artifact(name, sha256="abcdef0123"))

    assert Path(made).name == made
    assert not made.startswith(".")
