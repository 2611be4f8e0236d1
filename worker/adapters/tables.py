"""The tables beside pictures in an ImageFolder: `metadata.jsonl` and `metadata.csv`, a row for each picture.

The format is that of Hugging Face datasets: a column `file_name`, here with the caption as `text` or `caption`, and
whatever else somebody wants to say of a picture.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from worker.adapters import texts
from worker.adapters.archives import RawFile
from worker.adapters.texts import TextRefused, on_one_line

NAMES = ("metadata.jsonl", "metadata.csv")
FILE_NAME, CAPTIONS = "file_name", ("text", "caption")
LIMIT = 32 * 2**20
SEPARATORS = ",;\t"
NO_COLUMN = f"has no column «{FILE_NAME}»"


class Row(NamedTuple):
    """What a table says of one picture, in a line counted from 1; or what is wrong with that line."""

    line: int
    file_name: str = ""
    caption: str | None = None
    metadata: Mapping[str, str] = {}
    fault: str = ""


def is_table(file: RawFile) -> bool:
    """Say whether a file is the table of an ImageFolder by its name."""
    return file.name.rpartition("/")[2].lower() in NAMES


def rows(table: RawFile) -> Iterator[Row]:
    """The rows of a table in order.

    Raises:
        TextRefused: It is no text, larger than 32 MB, or names no files.
    """
    text = texts.read(table.path, limit=LIMIT).content
    return of_csv(text) if table.name.lower().endswith(".csv") else of_json_lines(text)


def of_json_lines(text: str) -> Iterator[Row]:
    """The rows of `metadata.jsonl`."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            said = orjson.loads(line)
            yield row(number, said if isinstance(said, dict) else {})
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the latter of what is nested too deeply
            yield Row(number, fault="is no JSON that can be read")


def of_csv(text: str) -> Iterator[Row]:
    """The rows of `metadata.csv`, separated by commas, semicolons or tabs, whichever its head is.

    Raises:
        TextRefused: It names no files.
    """
    lines = io.StringIO(text, newline="")
    head = lines.readline()
    lines.seek(0)
    separator = next((mark for mark in SEPARATORS if FILE_NAME in head.replace('"', "").strip().split(mark)), None)
    if separator is None:
        raise TextRefused(NO_COLUMN)
    reader = csv.DictReader(lines, delimiter=separator, strict=True)
    line = 1
    try:
        for said in reader:
            line = reader.line_num
            yield Row(line, fault="has more cells than the head") if None in said else row(line, said)
    except csv.Error:
        yield Row(line + 1, fault="is no CSV, and nothing after it was read")


def row(line: int, said: Mapping[str, object]) -> Row:
    """Return what a line says; whatever is neither the name nor the caption is kept as text."""
    file_name = said.get(FILE_NAME)
    if not isinstance(file_name, str) or not file_name:
        return Row(line, fault=f"has no «{FILE_NAME}»")
    column = next((name for name in CAPTIONS if name in said), CAPTIONS[0])
    others = {name: worded(value) for name, value in said.items() if name not in {FILE_NAME, column}}
    caption = on_one_line(worded(said.get(column)))
    return Row(line, file_name, caption, {name: text for name, text in others.items() if text and name.isprintable()})


def worded(value: object) -> str:
    """Return a value of a table as text: JSON where it is none already, nothing for nothing."""
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
