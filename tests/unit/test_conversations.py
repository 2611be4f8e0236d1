import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.conversation import (
    ASSISTANT,
    EMAIL_SAID,
    SECRET_SAID,
    SYSTEM,
    USER,
    Conversation,
    Turn,
    Unreadable,
    counted,
    faults,
    fingerprint,
    flags,
    has_email,
    has_secret,
    mended,
    pairs,
    read,
    validates,
)

ROLES = {"s": SYSTEM, "u": USER, "a": ASSISTANT}

a_turn = st.builds(Turn, role=st.sampled_from([SYSTEM, USER, ASSISTANT]), content=st.text(max_size=9))
a_conversation = st.builds(
    Conversation, conversation_id=st.text(min_size=1, max_size=9), turns=st.lists(a_turn, min_size=1, max_size=9)
)


def talk(said: str, *, name: str = "talk") -> Conversation:
    """Make a conversation: `s u a` are roles, an upper case one says nothing, and each turn says its number."""
    turns = [
        Turn(role=ROLES[letter.lower()], content=" " if letter.isupper() else str(number))
        for number, letter in enumerate(said, start=1)
    ]
    return Conversation(conversation_id=name, turns=tuple(turns))


def told(conversation: Conversation) -> str:
    return " ".join(f"{turn.role[0]}{turn.content}" for turn in conversation.turns).replace("\n\n", "+")


@pytest.mark.parametrize(
    ("record", "format_"),
    [
        (
            {
                "conversation_id": "x",
                "turns": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}],
            },
            "turns",
        ),
        ({"id": "x", "messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]}, "OpenAI"),
        ({"id": "x", "conversations": [{"from": "human", "value": "1"}, {"from": "gpt", "value": "2"}]}, "ShareGPT"),
        (
            {"id": "x", "conversations": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]},
            "ShareGPT",
        ),
    ],
)
def test_every_format_reads_the_same(record: object, format_: str) -> None:
    assert read(record, at="") == (talk("ua", name="x"), format_, ())


@pytest.mark.parametrize(
    ("role", "meant", "repairs"),
    [
        ("human", USER, ()),
        ("gpt", ASSISTANT, ()),
        ("chatgpt", ASSISTANT, ("read the role «chatgpt» as «assistant»",)),
        ("bing", ASSISTANT, ("read the role «bing» as «assistant»",)),
        ("bard", ASSISTANT, ("read the role «bard» as «assistant»",)),
        ("developer", SYSTEM, ("read the role «developer» as «system»",)),
        ("USER\n", USER, ("read the role «USER\\n» as «user»",)),
    ],
)
def test_roles_are_mapped_and_the_odd_ones_told(role: str, meant: str, repairs: tuple[str, ...]) -> None:
    found = read({"id": "x", "turns": [{"role": role, "content": ""}]}, at="")
    assert (found.conversation.turns[0].role, found.repairs) == (meant, repairs)


def test_what_is_left_out_is_told_by_its_name() -> None:
    record = {
        "id": "x",
        "conversation_id": 7,
        "a" * 90: 1,
        "messages": [{"role": "user", "content": "1", "name": "ann"}],
    }
    assert read(record, at="a:1") == (
        Conversation(conversation_id="7", turns=talk("u").turns, at="a:1"),
        "OpenAI",
        ("left out the field «id»", f"left out the field «{'a' * 40}»", "left out the field «name»"),
    )


@pytest.mark.parametrize("name", [None, "", " ", True, 1.5, []])
def test_a_missing_id_is_made_from_what_is_said(name: object) -> None:
    found = read({"id": name, "turns": [{"role": "user", "content": "1"}]}, at="here")
    same = read({"messages": [{"role": "user", "content": "1"}]}, at="there")
    other = read({"messages": [{"role": "user", "content": "2"}]}, at="there")
    assert found.conversation.conversation_id == same.conversation.conversation_id == fingerprint(talk("u")).hex()
    assert found.conversation.conversation_id != other.conversation.conversation_id
    assert found.repairs == ("made a missing id",)


@pytest.mark.parametrize(
    ("turns", "turn", "words"),
    [
        (["hi"], 1, "This turn is no object with a role and a content."),
        ([{"role": "user", "content": "1"}, {}], 2, "This turn has no role: system, user or assistant is wanted."),
        (
            [{"role": "tool\x1b", "content": "1"}],
            1,
            "The role «tool\\x1b» is not known: system, user or assistant is wanted.",
        ),
        ([{"role": None, "content": "1"}], 1, "The role «None» is not known: system, user or assistant is wanted."),
        ([{"role": "user", "content": ["1"]}], 1, "The content of this turn is no text."),
        ([{"from": "human", "content": "1"}], 1, "The value of this turn is no text."),
    ],
)
def test_a_turn_that_cannot_be_read_is_named(turns: Sequence[object], turn: int, words: str) -> None:
    with pytest.raises(Unreadable) as reason:
        read({"turns": turns}, at="")
    assert (reason.value.turn, reason.value.words) == (turn, words)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["turns", "messages", "conversations", "id", "role", "content", "from", "value"]),
            inner,
            max_size=4,
        )
    ),
)


@given(json_values)
def test_whatever_is_sent_is_a_conversation_or_has_a_reason(record: object) -> None:
    try:
        said = read(record, at="a:1").conversation.conversation_id
    except Unreadable as reason:
        said = reason.words
    assert said.strip()


FORMATS = {
    "turns": ("conversation_id", "turns", "role", "content"),
    "OpenAI": ("id", "messages", "role", "content"),
    "ShareGPT": ("id", "conversations", "from", "value"),
}


@given(a_conversation.filter(lambda found: bool(found.conversation_id.strip())), st.sampled_from([*FORMATS]))
def test_what_was_written_in_any_format_reads_back_equal(conversation: Conversation, format_: str) -> None:
    name, shape, role, content = FORMATS[format_]
    turns = [{role: turn.role, content: turn.content} for turn in conversation.turns]
    record = json.loads(json.dumps({name: conversation.conversation_id, shape: turns}))
    assert read(record, at="") == (conversation, format_, ())


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("ua", ()),
        ("suaua", ()),
        ("uaA", ((3, "Nothing is said in this turn."), (3, "Two turns of the assistant stand in a row."))),
        ("usa", ((2, "A system turn can only be the first."),)),
        ("uua", ((2, "Two turns of the user stand in a row."),)),
        ("aua", ((1, "The assistant speaks before the user has said anything."),)),
        ("sa", ((2, "The assistant speaks before the user has said anything."),)),
        ("uau", ((3, "The last turn is the user's: nobody answers."),)),
        ("s", ((1, "The last turn is the system's: nobody answers."),)),
    ],
)
def test_faults_are_told_with_their_turn(said: str, found: object) -> None:
    assert faults(talk(said)) == found


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("suaua", "s1 u2 a3 u4 a5"),
        ("uuaa", "u1+2 a3+4"),
        ("uAa", "u1 a3"),
        ("uUsa", "s3 u1 a4"),
        ("susa", "s1+3 u2 a4"),
        ("aauau", "u3 a4"),
        ("saua", "s1 u3 a4"),
        ("u", None),
        ("sau", None),
        ("uA", None),
        ("S", None),
    ],
)
def test_roles_are_put_in_order(said: str, left: str | None) -> None:
    found = mended(talk(said))
    assert (found and told(found)) == left


@given(a_conversation)
def test_what_is_mended_has_no_faults_and_is_left_alone(conversation: Conversation) -> None:
    found = mended(conversation)
    if found is None:
        assert not pairs(conversation) or faults(conversation)
    else:
        assert not faults(found)
        assert mended(found) == found
        assert pairs(found) >= 1
    if not faults(conversation):
        assert found == conversation


@given(st.text())
def test_the_split_is_the_same_every_time(name: str) -> None:
    assert validates(name) == validates(name)


def test_about_one_conversation_in_ten_is_for_validation() -> None:
    count = sum(validates(f"conversation {number}") for number in range(10_000))
    assert 900 < count < 1_100
    assert [number for number in range(40) if validates(str(number))] == [14, 15, 29, 36]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to ann.b+c@mail.example.org!", True),
        ("ANN@EXAMPLE.ORG", True),
        ("@ann, see you at 3 @ the bar", False),
        ("ann@localhost", False),
        ("@example.org", False),
        ("a" * 100_000 + "@", False),
        ("@." * 100_000, False),
    ],
)
def test_addresses_are_seen(text: str, found: bool) -> None:  # noqa: FBT001 - the example's second column
    assert has_email(text) is found


@pytest.mark.parametrize(
    "text",
    [
        "my key is sk-" + "a1B2" * 8,
        "sk-proj-" + "a1_B2-" * 6,
        "AKIA" + "ABCD1234" * 2,
        "ghp_" + "a1B2c3" * 6,
        "github_pat_" + "a1B2c3" * 6,
        "AIza" + "a1B2c" * 7,
        "xoxb-1234567890-abc",
        "token: eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_secrets_are_seen(text: str) -> None:
    assert has_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "a risk-averse, task-oriented desk-lamp",
        "sk-8",
        "eyJ. eyJ.",
        "AKIAS",
        "-----BEGIN CERTIFICATE-----",
        "eyJ" * 99_999,
    ],
)
def test_words_are_no_secrets(text: str) -> None:
    assert not has_secret(text)


def test_what_is_private_is_flagged_by_turn_and_counted() -> None:
    turns = [
        Turn(role=USER, content="I am ann@example.org, also ann@example.com"),
        Turn(role=ASSISTANT, content="ghp_" + "a1B2c3" * 6 + " is yours, ann@example.org"),
    ]
    private = Conversation(conversation_id="14", turns=tuple(turns))
    assert flags(private) == ((1, EMAIL_SAID), (2, EMAIL_SAID), (2, SECRET_SAID))
    assert counted(private) == {
        "turns": 2,
        "pairs": 1,
        "validation_pairs": 1,
        "faults": 0,
        "emails": 2,
        "secrets": 1,
    }


def test_a_pair_is_an_answer_with_what_was_said_before() -> None:
    assert [pairs(talk(said)) for said in ("ua", "suaua", "a", "u", "sa")] == [1, 2, 0, 0, 1]
    assert counted(talk("uaua", name="14"))["validation_pairs"] == 2
    assert counted(talk("uaua", name="2"))["validation_pairs"] == 0
