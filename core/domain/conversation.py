"""Conversations: the turns of a chat that a text LoRA learns from, and the parts that they are stored in."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from core.domain.artifact import Artifact
from core.domain.value import Entity, Value

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
ROLES = {
    SYSTEM: SYSTEM,
    USER: USER,
    ASSISTANT: ASSISTANT,
    "human": USER,
    "gpt": ASSISTANT,
    "chatgpt": ASSISTANT,
    "bing": ASSISTANT,
    "bard": ASSISTANT,
    "developer": SYSTEM,
}
USUAL = frozenset({SYSTEM, USER, ASSISTANT, "human", "gpt"})  # the others are mapped, and said to be
SHAPES = {"turns": "turns", "messages": "OpenAI", "conversations": "ShareGPT"}  # what holds the turns → its format
IDS = ("conversation_id", "id")
SHOWN = 40  # characters of a name that somebody else chose
VALIDATION = 10  # one conversation of so many is kept for validation
SPLIT_SEED = b"validation"
FINE = 1000  # parts of a tenth

EMAIL = re.compile(r"@(?<=[\w.+-]@)(?:[a-z0-9-]{1,63}\.)+[a-z]{2,}", re.ASCII | re.IGNORECASE)
SECRETS = {
    mark: re.compile(rf"(?<![\w-]){re.escape(mark)}{rest}", re.ASCII)
    for mark, rest in {
        "sk-": r"[\w-]{20,}",
        "AKIA": r"[0-9A-Z]{16}",
        "AIza": r"[\w-]{35}",
        "ghp_": r"\w{36}",
        "github_pat_": r"\w{22,}",
        "xoxb-": r"[\w-]{10,}",
        "eyJ": r"[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
        "-----BEGIN ": r"[A-Z ]*PRIVATE KEY-----",
    }.items()
}


class Turn(Value):
    """One thing said: the role is system, user or assistant."""

    role: str
    content: str


class Conversation(Value):
    """One conversation; `at` is where it came from, as `file:line`."""

    conversation_id: str
    turns: tuple[Turn, ...]
    at: str = ""


class PartFacts(Value):
    """What was counted in some conversations.

    A pair is an assistant's turn with what was said before; `faults`, `emails` and `secrets` count turns. `tokens` are
    0 until somebody counts them.
    """

    turns: int = 0
    pairs: int = 0
    validation_pairs: int = 0
    tokens: int = 0
    faults: int = 0
    emails: int = 0
    secrets: int = 0


class Part(Entity):
    """Up to some thousand conversations of a dataset, stored together as JSON Lines, one `Conversation` each.

    A row and a file for each of the hundred thousand conversations of a dataset would be neither readable nor fast.
    """

    dataset: str
    position: int
    artifact: Artifact
    count: int
    facts: PartFacts = PartFacts()


class Unreadable(Exception):  # noqa: N818 a past participle, as every result of reading
    """A record that is no conversation; `words` say why, `turn` counts from 1."""

    def __init__(self, words: str, *, turn: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.turn = turn


class Read(NamedTuple):
    """A conversation, what its format is called, and what was repaired on the way, as often as it was."""

    conversation: Conversation
    format: str
    repairs: tuple[str, ...]


def read(record: object, *, at: str) -> Read:
    """Make a conversation of a parsed JSON record, whatever format it is in.

    Known are `{conversation_id, turns: [{role, content}]}`, OpenAI's `{messages: […]}` and ShareGPT's
    `{conversations: [{from, value}]}`. An id that is missing is made from what is said, so it is always the same.

    Raises:
        Unreadable: It is none of these.
    """
    if not isinstance(record, dict):
        raise Unreadable("This is no conversation: an object in {…} is wanted.")
    shape = next((shape for shape in SHAPES if shape in record), None)
    if shape is None:
        raise Unreadable("This is no conversation: it has neither «turns» nor «messages» nor «conversations».")
    said = record[shape]
    if not isinstance(said, list):
        raise Unreadable(f"«{shape}» is no list of turns.")
    if not said:
        raise Unreadable("Nobody says anything: the list of turns is empty.")
    turns = [_turn(turn, number) for number, turn in enumerate(said, start=1)]
    key = next((key for key in IDS if key in record), None)
    name = _named(record[key]) if key else ""
    repairs = [*_left_out(record, {shape, key}), *(repair for turn in said for repair in _repaired(turn))]
    conversation = Conversation.model_validate({"conversation_id": name, "turns": turns, "at": at})
    if not name:
        conversation = conversation.but(conversation_id=fingerprint(conversation).hex())
        repairs.append("made a missing id")
    return Read(conversation, SHAPES[shape], tuple(repairs))


def _named(name: object) -> str:
    """An id as text, or nothing where it is not fit to be one."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    return name if isinstance(name, str) and name.strip() else ""


def _turn(turn: Any, number: int) -> dict[str, str]:
    """What a `Turn` is made of, of any format: `from` and `value` are ShareGPT's names of `role` and `content`."""
    if not isinstance(turn, dict):
        raise Unreadable("This turn is no object with a role and a content.", turn=number)
    speaker, text = _speech(turn)
    role = turn.get(speaker)
    known = ROLES.get(role.strip().lower()) if isinstance(role, str) else None
    if known is None:
        said = f"The role «{_shown(role)}» is not known" if speaker in turn else "This turn has no role"
        raise Unreadable(f"{said}: system, user or assistant is wanted.", turn=number)
    content = turn.get(text)
    if not isinstance(content, str):
        raise Unreadable(f"The {text} of this turn is no text.", turn=number)
    return {"role": known, "content": content}


def _speech(turn: Mapping[str, object]) -> tuple[str, str]:
    return ("from", "value") if "from" in turn else ("role", "content")


def _repaired(turn: Mapping[str, Any]) -> Iterator[str]:
    """What had to be done to one turn, in words."""
    speaker, text = _speech(turn)
    if turn[speaker] not in USUAL:
        yield f"read the role «{_shown(turn[speaker])}» as «{ROLES[turn[speaker].strip().lower()]}»"
    if len(turn) > 2:  # noqa: PLR2004 - a role and a content
        yield from _left_out(turn, {speaker, text})


def _left_out(record: Mapping[str, object], known: set[str | None]) -> Iterator[str]:
    return (f"left out the field «{_shown(name)}»" for name in record if name not in known)


def _shown(name: object) -> str:
    text = str(name)[:SHOWN]
    return text if text.isprintable() else ascii(text)[1:-1]


def fingerprint(conversation: Conversation) -> bytes:
    """16 bytes that name what is said, and by whom: the same for the same turns only."""
    digest = hashlib.blake2b(digest_size=16)
    for turn in conversation.turns:
        content = turn.content.encode()
        digest.update(b"%s %d " % (turn.role.encode(), len(content)))
        digest.update(content)
    return digest.digest()


def faults(conversation: Conversation) -> tuple[tuple[int, str], ...]:
    """What keeps a conversation from being trained on, and in which turn, counted from 1; `mended` mends it."""
    found = []
    before = SYSTEM
    for number, turn in enumerate(conversation.turns, start=1):
        if not turn.content.strip():
            found.append((number, "Nothing is said in this turn."))
        if turn.role == SYSTEM:
            if number > 1:
                found.append((number, "A system turn can only be the first."))
            continue
        if turn.role == before:
            found.append((number, f"Two turns of the {turn.role} stand in a row."))
        elif turn.role == ASSISTANT and before == SYSTEM:
            found.append((number, "The assistant speaks before the user has said anything."))
        before = turn.role
    if before != ASSISTANT:
        found.append((len(conversation.turns), f"The last turn is the {before}'s: nobody answers."))
    return tuple(found)


def mended(conversation: Conversation) -> Conversation | None:
    """Put the roles in order: system, then user and assistant in turns; None where no answer is left to learn.

    Empty turns go, system turns come first, neighbours of one role become one turn with a blank line between, and an
    answer without a question goes as well as a question without an answer.
    """
    said = [turn for turn in conversation.turns if turn.content.strip()]
    said.sort(key=lambda turn: turn.role != SYSTEM)
    merged = [_merged(role, tuple(turns)) for role, turns in groupby(said, key=lambda turn: turn.role)]
    start = 1 if merged and merged[0].role == SYSTEM else 0
    head, talk = merged[:start], merged[start:]
    if talk and talk[0].role == ASSISTANT:
        talk = talk[1:]
    if talk and talk[-1].role == USER:
        talk = talk[:-1]
    return conversation.but(turns=(*head, *talk)) if talk else None


def _merged(role: str, turns: Sequence[Turn]) -> Turn:
    return Turn(role=role, content="\n\n".join(turn.content for turn in turns))


def pairs(conversation: Conversation) -> int:
    """How many turns of the assistant can be learned, each with what was said before; the first of all cannot."""
    return [turn.role for turn in conversation.turns[1:]].count(ASSISTANT)


def validates(conversation_id: str, *, share: float = 1 / VALIDATION) -> bool:
    """Whether a conversation is kept for validation: one in ten, by its id alone and never by the order.

    Of two shares, the larger one keeps all that the smaller one keeps.
    """
    digest = hashlib.blake2b(conversation_id.encode(), digest_size=8, key=SPLIT_SEED).digest()
    rest, tenth = divmod(int.from_bytes(digest), VALIDATION)
    return (tenth + rest % FINE / FINE) / VALIDATION < share


def has_email(text: str) -> bool:
    """Whether an e-mail address is said."""
    return "@" in text and EMAIL.search(text) is not None


def has_secret(text: str) -> bool:
    """Whether something is said that looks like an API key, a token or a private key."""
    marks = [mark for mark in SECRETS if mark in text]
    return any(SECRETS[mark].search(text) for mark in marks)


EMAIL_SAID, SECRET_SAID = "An e-mail address is said here.", "This looks like a password or a key."
PRIVATE: dict[str, Callable[[str], bool]] = {EMAIL_SAID: has_email, SECRET_SAID: has_secret}


def flags(conversation: Conversation) -> tuple[tuple[int, str], ...]:
    """What nobody should learn, and in which turn, counted from 1; never the thing itself."""
    everything = "\n".join([turn.content for turn in conversation.turns])
    return tuple(
        (number, words)
        for words, found in PRIVATE.items()
        if found(everything)
        for number, turn in enumerate(conversation.turns, start=1)
        if found(turn.content)
    )


def counted(conversation: Conversation) -> Mapping[str, int]:
    """What is counted in one conversation, by the names of `PartFacts`; tokens are not."""
    answers, said = pairs(conversation), [words for _, words in flags(conversation)]
    return {
        "turns": len(conversation.turns),
        "pairs": answers,
        "validation_pairs": answers if validates(conversation.conversation_id) else 0,
        "faults": len(faults(conversation)),
        "emails": said.count(EMAIL_SAID),
        "secrets": said.count(SECRET_SAID),
    }
