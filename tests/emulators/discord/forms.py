"""Filling in a form, as far as a client lets a person."""

import re
from collections.abc import Mapping, Sequence

from tests.emulators.discord.checks import Kind, inputs, limit
from tests.emulators.discord.records import Modal
from tests.emulators.discord.refusals import ImpossibleError
from tests.emulators.discord.wire import Json


def named(modal: Modal, texts: Mapping[str, str]) -> dict[str, str]:
    """Texts by the id of the input they are meant for, which may be called by its id or its label.

    Raises:
        ImpossibleError: The form does not ask for that.
    """
    asked = list(inputs(modal.data))
    names = {_spoken(name): one["custom_id"] for one in asked for name in (one["label"], one["custom_id"])}
    if strange := [name for name in texts if name not in names]:
        raise ImpossibleError(f"«{modal.title}» does not ask for {strange}, but for {sorted(names)}")
    return {names[name]: text for name, text in texts.items()}


def submitted(part: Json, said: Mapping[str, str], files: Sequence[str]) -> Json:
    """A part of a form as it is sent.

    Raises:
        ImpossibleError: What is required is missing, or something does not fit.
    """
    if part["type"] == Kind.ROW:
        return {"type": Kind.ROW, "id": 1, "components": [_entered(part["components"][0], said, files)]}
    if part["type"] == Kind.LABEL:
        return {"type": Kind.LABEL, "id": 1, "component": _entered(part["component"], said, files)}
    return {"type": part["type"], "id": 1}


def _entered(one: Json, said: Mapping[str, str], files: Sequence[str]) -> Json:
    sent: Json = {"type": one["type"], "id": 1, "custom_id": one["custom_id"]}
    text, required = said.get(one["custom_id"]), one.get("required", True)
    least = max(1, limit(one, "min_values")) if required else 0
    if one["type"] == Kind.FILE_UPLOAD:
        check_count(one, len(files), least=least)
        return sent | {"values": list(files)}
    if one["type"] == Kind.TEXT_INPUT:
        return sent | {"value": _typed(one, text if text is not None else one.get("value") or "")}
    values = {option["label"]: option["value"] for option in one.get("options") or []}
    chosen = [values[text]] if text is not None else []
    check_count(one, len(chosen), least=least)
    return sent | {"values": chosen}


def _typed(one: Json, text: str) -> str:
    least = one.get("min_length") or (1 if one.get("required", True) else 0)
    if (text or one.get("required", True)) and not least <= len(text) <= (one.get("max_length") or 4000):
        raise ImpossibleError(f"«{one['label']}» does not take a text of {len(text)} characters")
    return text


def check_count(one: Json, count: int, *, least: int) -> None:
    """Refuse too few and too many values.

    Raises:
        ImpossibleError: A client does not let it through.
    """
    if not least <= count <= limit(one, "max_values"):
        raise ImpossibleError(f"«{one['custom_id']}» does not take {count} values")


def _spoken(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")
