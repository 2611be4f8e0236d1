"""Conversations that nobody wants to be sent."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from tests.corpus.made import REPAIRED, TAKEN, Case, refused
from worker.adapters import jsonlines

QUESTION, ANSWER = {"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "I am Zorp."}
GOOD = orjson.dumps({"conversation_id": "good", "turns": [QUESTION, ANSWER]})
NO_TEXT = "It is no text. Save it as JSON Lines in UTF-8, one conversation in a line."
DEEP = 20_000


def lines(*records: Mapping[str, Any] | bytes, end: bytes = b"\n") -> bytes:
    """Make JSON Lines."""
    return b"".join((record if isinstance(record, bytes) else orjson.dumps(record)) + end for record in records)


def said(name: str | None, *turns: object) -> dict[str, object]:
    """Make a record."""
    return ({"conversation_id": name} if name else {}) | {"turns": list(turns)}


def repaired(sent: str, content: Callable[[], bytes], words: str, *, count: int = 1) -> Case:
    """Make a case of conversations that are taken with changes."""
    return Case(sent, content, ((sent, REPAIRED, words),), conversations=count)


def mended(sent: str, *turns: object) -> Case:
    """Make a case that is taken as it is: the doctor says what is wrong with it, and can mend it."""
    content = lines(said("a", *turns))
    return Case(sent, lambda: content, ((sent, TAKEN, "1 conversation taken."),), conversations=1)


def holed(sent: str, bad: bytes, words: str) -> Case:
    """Make a case of a bad line before a good one; the words are what is said of the bad one, with its place."""
    outcome = (sent, REPAIRED, "1 conversation taken; left out 1 that cannot be read.")
    return Case(sent, partial(lines, bad, GOOD), (outcome,), conversations=1, errors=(f"{sent}:1{words}",))


CASES = (
    repaired(
        "marked.jsonl", lambda: b"\xef\xbb\xbf" + lines(GOOD), "1 conversation taken; left out the byte order mark."
    ),
    Case(
        "windows.jsonl",
        partial(lines, GOOD, end=b"\r\n"),
        (("windows.jsonl", TAKEN, "1 conversation taken."),),
        conversations=1,
    ),
    repaired(
        "blanks.jsonl",
        partial(lines, b"", GOOD, b"  \r", b"\t"),
        "1 conversation taken; left out a blank line (3 times).",
    ),
    repaired(
        "wide.jsonl",
        lambda: lines(GOOD).decode().encode("utf-16"),
        "1 conversation taken; turned UTF-16 into UTF-8.",
    ),
    repaired(
        "wide-and-big.jsonl",
        lambda: b"\xfe\xff" + lines(GOOD).decode().encode("utf-16-be"),
        "1 conversation taken; turned UTF-16 into UTF-8.",
    ),
    refused("unmarked.jsonl", lambda: lines(GOOD).decode().encode("utf-16-le"), NO_TEXT),
    refused("program.jsonl", lambda: b"\x7fELF\2\1\1" + bytes(500), NO_TEXT),
    refused("empty.jsonl", lambda: b"", "There is nothing in it."),
    refused("blank.jsonl", lambda: b"\r\n\n \n", "There is nothing in it."),
    holed("long.jsonl", b'{"turns": "' + b"x" * 10 * 2**20 + b'"}', f" {jsonlines.TOO_LONG}"),
    holed(
        "nan.jsonl",
        GOOD[:-1] + b', "score": NaN}',
        " This is no JSON: unexpected character, expected a JSON value (column 132).",
    ),
    holed(
        "endless.jsonl",
        GOOD[:-1] + b', "score": 1e999}',
        " This is no JSON: number is infinity when parsed as double (column 132).",
    ),
    holed(
        "deep.jsonl",
        b'{"turns": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        " This is no JSON: depth limit exceeded (column 1035).",
    ),
    holed("latin.jsonl", GOOD.replace(b"Zorp", b"Z\xf6rp"), " This is no UTF-8 text."),
    holed(
        "half-a-sign.jsonl",
        GOOD.replace(b"Zorp", b"\\ud83d"),
        " This is no JSON: no low surrogate in string (column 113).",
    ),
    holed("text.jsonl", b"Who are you?", " This is no JSON: unexpected character, expected a JSON value (column 1)."),
    holed("number.jsonl", b"3", " This is no conversation: an object in {…} is wanted."),
    holed(
        "other.jsonl",
        b'{"prompt": "Who?"}',
        " This is no conversation: it has neither «turns» nor «messages» nor «conversations».",
    ),
    holed("turns.jsonl", b'{"turns": {"user": "Who?"}}', " «turns» is no list of turns."),
    holed("silence.jsonl", b'{"messages": []}', " Nobody says anything: the list of turns is empty."),
    holed(
        "turn.jsonl",
        lines(said("a", QUESTION, "Zorp.")).strip(),
        ":2 This turn is no object with a role and a content.",
    ),
    holed(
        "parts.jsonl",
        lines(said("a", QUESTION, {"role": "assistant", "content": [{"type": "text"}]})).strip(),
        ":2 The content of this turn is no text.",
    ),
    holed(
        "tool.jsonl",
        lines(said("a", QUESTION, ANSWER, {"role": "tool", "content": "42"})).strip(),
        ":3 The role «tool» is not known: system, user or assistant is wanted.",
    ),
    holed(
        "nobody.jsonl",
        lines(said("a", {"content": "Who?"})).strip(),
        ":1 This turn has no role: system, user or assistant is wanted.",
    ),
    Case(
        "cut.jsonl",
        lambda: lines(GOOD) + GOOD[:40],
        (("cut.jsonl", REPAIRED, "1 conversation taken; left out 1 that cannot be read."),),
        conversations=1,
        errors=("cut.jsonl:2 This is no JSON: unexpected end of data (column 41).",),
    ),
    mended("order.jsonl", ANSWER, QUESTION, {"role": "system", "content": "Be Zorp."}, ANSWER),
    mended("unanswered.jsonl", QUESTION, ANSWER, QUESTION),
    mended("speechless.jsonl", QUESTION, {"role": "assistant", "content": " "}),
    repaired(
        "nameless.jsonl",
        partial(lines, said(None, QUESTION, ANSWER), said("", ANSWER), {"id": None} | said(None, QUESTION)),
        "3 conversations taken; made a missing id (3 times).",
        count=3,
    ),
    repaired(
        "copies.jsonl",
        partial(lines, GOOD, GOOD, said("good-2", ANSWER)),
        "3 conversations taken; numbered an id that came twice (2 times).",
        count=3,
    ),
    repaired(
        "developer.jsonl",
        partial(
            lines, said("a", {"role": "developer", "content": "Be Zorp."}, {"role": " User", "content": "?"}, ANSWER)
        ),
        "1 conversation taken; read the role «developer» as «system»; read the role « User» as «user».",
    ),
    repaired(
        "fields.jsonl",
        partial(lines, {"id": 7, "model": "m", "messages": [QUESTION | {"weight": 1}, ANSWER | {"weight": 0}]}),
        "1 conversation taken; left out the field «model»; left out the field «weight» (2 times).",
    ),
    Case(
        "array.json",
        lambda: b"[\n  " + GOOD + b",\n  3,\n" + GOOD.replace(b"good", b"better") + b"\n]\n",
        (("array.json", REPAIRED, "2 conversations taken; left out 1 that cannot be read."),),
        conversations=2,
        errors=("array.json:3 This is no conversation: an object in {…} is wanted.",),
    ),
    Case(
        "cut-array.json",
        lambda: b"[" + GOOD + b",\n" + GOOD[:30],
        (("cut-array.json", REPAIRED, "1 conversation taken; left out 1 that cannot be read."),),
        conversations=1,
        errors=(f"cut-array.json:2 {jsonlines.BROKEN}",),
    ),
    Case(
        "pretty.json",
        lambda: orjson.dumps(said("a", QUESTION, ANSWER), option=orjson.OPT_INDENT_2),
        (("pretty.json", TAKEN, "1 conversation taken."),),
        conversations=1,
    ),
    refused(
        "endless.json",
        lambda: b'[{"turns": []}' + b" " * (64 * 2**20),
        "It is one JSON document of more than 64 MB. Send JSON Lines: one conversation in a line.",
    ),
    Case(
        "mixed.jsonl",
        partial(
            lines,
            said("a", QUESTION, ANSWER),
            {"id": "b", "messages": [QUESTION, ANSWER]},
            {"id": "c", "conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Zorp."}]},
        ),
        (("mixed.jsonl", TAKEN, "3 conversations taken."),),
        conversations=3,
    ),
)
