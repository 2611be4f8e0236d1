import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.conversation import ASSISTANT, SYSTEM, USER, Conversation, PartFacts, Turn
from core.domain.finding import LineError, TokenCount
from core.domain.value import Value
from core.kinds.intake import Verdict
from worker.adapters import conversations, jsonlines, portions, tokens
from worker.adapters.archives import RawFile
from worker.adapters.conversations import TakenConversations, examined, is_conversations, mend, taken
from worker.adapters.portions import stored
from worker.adapters.progress import IntakeStopped, Progressed

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "conversations.py"
ESTIMATE = tokens.counter(None)


class Listener:
    """A channel that keeps what it hears, and stops after so many events."""

    def __init__(self, *, patience: int = 1_000) -> None:
        self.events: list[Value] = []
        self._patience = patience

    def send(self, event: Value) -> None:
        self.events.append(event)

    def stopping(self) -> bool:
        return len(self.events) >= self._patience

    def wishes(self) -> tuple[Value, ...]:
        return ()


def take(folder: Path, files: dict[str, bytes], listener: Listener | None = None) -> TakenConversations:
    """Take files from a folder, which is emptied first."""
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    raws = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / str(number)
        path.write_bytes(content)
        raws.append(RawFile(path=path, name=name))
    return taken(raws, out, listener or Listener())


def found(result: TakenConversations) -> list[Conversation]:
    return [conversation for portion in result.portions for conversation in stored(portion.path)]


def jsonl(*records: object) -> bytes:
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def talk(said: str, *, name: str = "talk") -> dict[str, Any]:
    """Make a record: `s u a` are roles, and each turn says its number."""
    roles = {"s": SYSTEM, "u": USER, "a": ASSISTANT}
    turns = [{"role": roles[letter], "content": str(number)} for number, letter in enumerate(said, start=1)]
    return {"conversation_id": name, "turns": turns}


WRITERS: dict[str, Callable[[Conversation], object]] = {
    "turns": lambda one: one.model_dump(exclude={"at"}),
    "OpenAI": lambda one: {"id": one.conversation_id, "messages": [turn.model_dump() for turn in one.turns]},
    "ShareGPT": lambda one: {
        "id": one.conversation_id,
        "conversations": [{"from": turn.role, "value": turn.content} for turn in one.turns],
    },
}
a_turn = st.builds(Turn, role=st.sampled_from([SYSTEM, USER, ASSISTANT]), content=st.text(max_size=9))
some_conversations = st.lists(
    st.builds(
        Conversation,
        conversation_id=st.text(min_size=1, max_size=9).filter(lambda name: bool(name.strip())),
        turns=st.lists(a_turn, min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.conversation_id,
)


@settings(max_examples=50, deadline=None)
@given(
    said=some_conversations, format_=st.sampled_from([*WRITERS]), shape=st.sampled_from(["lines", "array", "utf-16"])
)
def test_what_was_written_in_any_format_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, said: list[Conversation], format_: str, shape: str
) -> None:
    records = [WRITERS[format_](one) for one in said]
    content = {
        "lines": jsonl(*records),
        "array": orjson.dumps(records, option=orjson.OPT_INDENT_2),
        "utf-16": jsonl(*records).decode().encode("utf-16"),
    }[shape]
    result = take(tmp_path_factory.mktemp("talk"), {"a.jsonl": content})
    assert [one.but(at="") for one in found(result)] == said
    assert (result.errors, result.error_count, result.source_format) == ((), 0, format_)


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=99) | st.text(alphabet='[]{}":, \nturnsmeag1', max_size=40).map(str.encode))
def test_whatever_is_sent_has_an_outcome(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    result = take(tmp_path_factory.mktemp("noise"), {"a.jsonl": content})
    assert [outcome.verdict for outcome in result.outcomes] == [Verdict.REFUSED]


def test_every_line_says_where_it_came_from_and_a_bad_one_disturbs_no_other(tmp_path: Path) -> None:
    files = {
        "a.jsonl": jsonl(talk("ua", name="1"), 3, talk("ua", name="2")),
        "b/c.jsonl": b"\n" + jsonl({"messages": [{"role": "user"}]}, talk("ua", name="3")),
        "d.jsonl": b"no",
    }
    result = take(tmp_path, files)
    assert [one.at for one in found(result)] == ["a.jsonl:1", "a.jsonl:3", "b/c.jsonl:3"]
    assert [(outcome.verdict.value, outcome.words) for outcome in result.outcomes] == [
        ("repaired", "2 conversations taken; left out 1 that cannot be read."),
        ("repaired", "1 conversation taken; left out 1 that cannot be read; left out a blank line."),
        ("refused", "There is no conversation in it: 1 cannot be read."),
    ]
    assert [(error.file, error.line, error.turn) for error in result.errors] == [
        ("a.jsonl", 2, None),
        ("b/c.jsonl", 2, 1),
        ("d.jsonl", 1, None),
    ]
    assert result.error_count == 3


def test_only_the_first_errors_are_kept_but_all_are_counted(tmp_path: Path) -> None:
    result = take(tmp_path, {"a.jsonl": jsonl(*range(25))})
    assert [error.line for error in result.errors] == list(range(1, 11))
    assert result.error_count == 25


def test_an_id_is_given_once_in_all_files(tmp_path: Path) -> None:
    copies = [talk("ua", name=name) for name in ("x", "x", "x-2", "x")]
    result = take(tmp_path, {"a.jsonl": jsonl(*copies), "b.jsonl": jsonl(copies[0])})
    assert [one.conversation_id for one in found(result)] == ["x", "x-2", "x-2-2", "x-3", "x-4"]
    assert [outcome.words for outcome in result.outcomes] == [
        "4 conversations taken; numbered an id that came twice (3 times).",
        "1 conversation taken; numbered an id that came twice.",
    ]


def test_more_kinds_of_repairs_than_anybody_reads_are_one(tmp_path: Path) -> None:
    result = take(tmp_path, {"a.jsonl": jsonl(talk("ua") | {f"f{number}": 1 for number in range(50)})})
    words = result.outcomes[0].words
    assert words.count("left out the field") == conversations.REPAIRS
    assert words.endswith("; made other repairs (30 times).")


def test_portions_are_bounded_by_count_and_by_size(tmp_path: Path) -> None:
    small = [talk("ua", name=str(number)) for number in range(portions.COUNT + 1)]
    assert [portion.count for portion in take(tmp_path, {"a.jsonl": jsonl(*small)}).portions] == [portions.COUNT, 1]
    large = {"messages": [{"role": "user", "content": "x" * (portions.BYTES // 3)}]}
    result = take(tmp_path, {"a.jsonl": jsonl(*[large] * 4)})
    assert [portion.count for portion in result.portions] == [3, 1]
    assert [portion.path.stat().st_size < 2 * portions.BYTES for portion in result.portions] == [True, True]
    assert result.portions[0].facts == PartFacts(turns=3, faults=3)


def test_progress_is_told_in_megabytes_and_a_stop_is_heard(tmp_path: Path) -> None:
    line = jsonl({"messages": [{"role": "user", "content": "x" * 2**19}]})
    listener = Listener()
    take(tmp_path, {"a.jsonl": line * 5}, listener)
    assert listener.events == [Progressed(done=1, total=3), Progressed(done=2, total=3)]
    with pytest.raises(IntakeStopped):
        take(tmp_path, {"a.jsonl": line * 5}, Listener(patience=1))


def test_a_line_that_is_too_long_is_skipped_without_being_held() -> None:
    half = b"x" * (jsonlines.LINE // 2 + 1)
    chunks = [b"a\n", half, half, half, half + b"\nb", b"\n" + half, half + b"\n", b"c", half, half]
    read = [(line.number, line.content, bool(line.fault)) for line in jsonlines.lines(chunks)]
    assert read == [(1, b"a", False), (2, b"", True), (3, b"b", False), (4, b"", True), (5, b"", True)]


@given(st.binary(max_size=60).map(lambda content: content.replace(b"x", b"\n")), st.integers(1, 9))
def test_lines_do_not_depend_on_the_chunks(content: bytes, size: int) -> None:
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    read = list(jsonlines.lines(chunks))
    lines = content.split(b"\n")
    assert [line.content for line in read] == (lines if lines[-1] else lines[:-1])
    assert [line.number for line in read] == list(range(1, len(read) + 1))


@pytest.mark.parametrize(
    ("document", "read"),
    [
        ("[1,\n2]", [(1, b"1"), (2, b"2")]),
        ("\n[\n\n1\n,\n2\n]\n", [(4, b"1"), (6, b"2")]),
        ('{"a": "[]"}\n{}', [(1, b'{"a": "[]"}'), (2, b"{}")]),
        ("[]", []),
        ("[1", [(1, b"1"), (1, None)]),
        ("[1, nope, 2]", [(1, b"1"), (1, None)]),
        ("[1] 2 ]", [(1, b"1"), (1, b"2"), (1, None)]),
        ("[\n" + "[" * 9_999, [(2, None)]),
        (f'["{"x" * jsonlines.LINE}", 2]', [(1, None), (1, b"2")]),
    ],
)
def test_the_values_of_a_document_are_told_apart(document: str, read: list[tuple[int, bytes | None]]) -> None:
    assert [(line.number, None if line.fault else line.content) for line in jsonlines.values(document)] == read


@pytest.mark.parametrize(
    ("name", "content", "is_one"),
    [
        ("a.jsonl", b"", True),
        ("A.NDJSON", b"\0", True),
        ("a.json", b'\xef\xbb\xbf [{"id": 1, "messages": []}]', True),
        ("a.json", '{"turns": []}'.encode("utf-16"), True),
        ("a.json", b'{"tags": "zorp"}', False),
        ("a.json", b"", False),
        ("a.txt", b'{"turns": []}', False),
        ("a.png", b'{"turns": []}', False),
    ],
)
def test_conversations_are_known_by_name_and_beginning(
    tmp_path: Path,
    name: str,
    content: bytes,
    is_one: bool,  # noqa: FBT001 - the example's third column
) -> None:
    path = tmp_path / "raw"
    path.write_bytes(content)
    assert is_conversations(RawFile(path=path, name=name)) is is_one


def a_part(folder: Path, *records: object) -> Path:
    (portion,) = take(folder, {"a.jsonl": jsonl(*records)}).portions
    return portion.path.rename(folder / f"part-{len(list(folder.iterdir()))}")


def test_the_doctor_counts_over_all_parts(tmp_path: Path) -> None:
    private = {
        "id": "p",
        "messages": [{"role": "user", "content": "ann@example.org"}, {"role": "assistant", "content": "a b c"}],
    }
    first = a_part(tmp_path, talk("suaua", name="14"), talk("uau", name="b"), talk("ua", name="c"))
    second = a_part(tmp_path, talk("ua", name="d"), private)
    assert examined([first, second], ESTIMATE) == conversations.Examined(
        count=5,
        facts=PartFacts(turns=14, pairs=6, validation_pairs=2, tokens=30, faults=1, emails=1),
        tokens=TokenCount(shortest=2, longest=4, total=30, texts=14, estimated=True),
        errors=(LineError(file="a.jsonl", line=2, turn=3, words="The last turn is the user's: nobody answers."),),
        flagged=(LineError(file="a.jsonl", line=2, turn=1, words="An e-mail address is said here."),),
        samples=(
            "system: 1\nuser: 2\nassistant: 3\nuser: 4\nassistant: 5",
            "user: 1\nassistant: 2\nuser: 3",
            "user: 1\nassistant: 2",
        ),
        duplicates=1,
    )


def test_the_doctor_counts_nothing_in_nothing() -> None:
    nothing = examined([], ESTIMATE)
    assert (nothing.count, nothing.facts, nothing.tokens) == (0, PartFacts(), TokenCount(estimated=True))


def test_tokens_are_real_where_a_tokenizer_is(tmp_path: Path) -> None:
    exact = tokens.counter("package:tiny-sd")
    lengths = examined([a_part(tmp_path, talk("ua"))], exact).tokens
    assert lengths == TokenCount(shortest=1, longest=1, total=2, texts=2)


def test_only_the_first_faults_are_kept_and_samples_are_short(tmp_path: Path) -> None:
    long = {"messages": [{"role": "user", "content": "x" * 999}] * 4}
    seen = examined([a_part(tmp_path, *[long] * 9)], ESTIMATE)
    assert [(error.line, error.turn) for error in seen.errors[-3:]] == [(2, 4), (3, 2), (3, 3)]
    assert (len(seen.errors), seen.facts.faults, seen.duplicates) == (10, 36, 8)
    assert seen.samples == (f"user: {'x' * 293}…",) * 3


def test_roles_are_mended_in_a_part(tmp_path: Path) -> None:
    part = a_part(tmp_path, talk("uauu", name="a"), talk("u", name="b"), talk("ua", name="c"))
    mended = mend(part, tmp_path / "mended")
    assert mended == conversations.Mended(count=2, facts=PartFacts(turns=4, pairs=2), dropped=1)
    assert [(one.conversation_id, one.at, len(one.turns)) for one in stored(tmp_path / "mended")] == [
        ("a", "a.jsonl:1", 2),
        ("c", "a.jsonl:3", 2),
    ]
    assert examined([tmp_path / "mended"], ESTIMATE).facts.faults == 0
    assert [len(one.turns) for one in stored(part)] == [4, 1, 2]


def test_64_megabytes_stay_within_the_memory_that_500_do() -> None:
    command = [sys.executable, str(BENCHMARK), "64", "ours"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(BENCHMARK.parents[1])}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
