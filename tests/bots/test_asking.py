"""Asking for what is missing, whatever the chat."""

from collections.abc import Mapping

import pytest

from bots.chat.asking import Asking, Question, Ready, Step
from bots.chat.parameter import Call
from core.domain.account import Actor
from core.domain.errors import Banned, NotAllowed
from core.ports.sources import Stored
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher
from tests.builders.scenes import some_datasets, somebody, stored


@pytest.fixture
async def ann(house: House) -> Actor:
    actor = await somebody(house, "ann")
    await some_datasets(house, actor, *(f"cats {number}" for number in range(5)))
    return actor


@pytest.fixture
def asking(house: House) -> Asking:
    return Asking(dispatcher=a_dispatcher(), blobs=house.blobs, size=2)


@pytest.fixture
def call(house: House, ann: Actor) -> Call:
    return a_call(house, ann)


def question(step: Step) -> Question:
    assert isinstance(step, Question)
    return step


async def begun(asking: Asking, call: Call, path: str, given: Mapping[str, str] | None = None) -> Question:
    return question(await asking.begin(asking.dispatcher.definition(path), call, given or {}))


def labels(asked: Question) -> list[str]:
    return [choice.label for choice in asked.page.choices]


async def test_nothing_is_asked_where_nothing_is_missing(asking: Asking, call: Call) -> None:
    step = await asking.begin(asking.dispatcher.definition("wallet"), call, {}, token="telegram:1")

    assert isinstance(step, Ready)
    assert (step.draft.id, step.given) == ("telegram:1", {})


async def test_pages_go_on_and_back(asking: Asking, call: Call) -> None:
    first = await begun(asking, call, "dataset view")
    second = question(await asking.more(call, first.draft))
    third = question(await asking.more(call, second.draft))
    end = question(await asking.more(call, third.draft))
    back = question(await asking.fewer(call, end.draft))

    assert [labels(one) for one in (first, second, third, end, back)] == [
        ["cats 0", "cats 1"],
        ["cats 2", "cats 3"],
        ["cats 4"],
        ["cats 4"],
        ["cats 2", "cats 3"],
    ]
    assert [(one.before, one.page.more) for one in (first, second, third)] == [
        (False, True),
        (True, True),
        (True, False),
    ]


async def test_typed_words_answer_or_narrow(asking: Asking, call: Call) -> None:
    asked = await begun(asking, call, "dataset view")

    narrowed = question(await asking.typed(call, asked.draft, "ats 4"))
    nothing = question(await asking.typed(a_call_of(call, "2"), narrowed.draft, "dogs"))
    step = await asking.typed(a_call_of(call, "3"), nothing.draft, "cats 3")

    assert labels(narrowed) == ["cats 4"]
    assert (labels(nothing), nothing.words.split(".")[0]) == (["cats 0", "cats 1"], "There is no dataset «dogs»")
    assert isinstance(step, Ready)
    assert step.given == {"dataset": "cats 3"}


def a_call_of(call: Call, key: str) -> Call:
    """The same person with another message."""
    return Call(actor=call.actor, place=call.place, services=call.services, key=key)


async def test_a_message_that_comes_again_answers_once(asking: Asking, call: Call) -> None:
    asked = await begun(asking, call, "dataset new")
    trigger = question(await asking.typed(call, asked.draft, "zorp"))

    again = question(await asking.typed(call, trigger.draft, "zorp"))

    assert (again.name, again.draft.given) == ("trigger", {"name": "zorp"})


async def test_choices_are_answered_by_number_and_taken_back(asking: Asking, call: Call) -> None:
    asked = await begun(asking, call, "dataset add")

    files = question(await asking.chosen(call, asked.draft, 1))
    back = question(await asking.back(call, files.draft))
    out_of_range = question(await asking.chosen(call, back.draft, 99))

    assert (files.name, files.files, files.back) == ("files", True, True)
    assert (back.name, back.back, labels(back)) == ("dataset", False, ["cats 0", "cats 1"])
    assert out_of_range.draft.given == {}


async def test_what_is_optional_can_be_skipped_and_nothing_else(asking: Asking, call: Call) -> None:
    asked = await begun(asking, call, "quote", {"dataset": "cats 1", "offering": "tiny"})
    step = await asking.skipped(call, asked.draft)
    needed = await begun(asking, call, "dataset view")
    still = question(await asking.skipped(call, needed.draft))

    assert (asked.name, asked.optional) == ("preset", True)
    assert isinstance(step, Ready)
    assert step.given == {"dataset": "cats 1", "offering": "tiny"}
    assert still.name == "dataset"


async def test_what_was_given_and_does_not_fit_is_asked_for_again(asking: Asking, call: Call) -> None:
    asked = await begun(asking, call, "dataset view", {"dataset": "dogs"})

    assert (asked.name, asked.draft.given) == ("dataset", {})
    assert asked.words.startswith("There is no dataset «dogs»")


async def test_files_wait_for_done(house: House, asking: Asking, call: Call) -> None:
    asked = await begun(asking, call, "dataset add", {"dataset": "cats 1"})
    empty = question(await asking.done(call, asked.draft))
    text = question(await asking.typed(call, asked.draft, "here they are"))
    source = Stored(artifact=await stored(house, "a.png"), blobs=house.blobs)

    draft = await asking.received(call, text.draft, source, origin="1")
    step = await asking.done(call, draft)

    assert empty.words == "Nothing has come yet."
    assert isinstance(step, Ready)
    files = step.given["files"]
    assert not isinstance(files, str)
    assert [file.name for file in files] == ["a.png"]


async def test_who_may_not_use_a_command_is_asked_nothing(house: House, asking: Asking, call: Call) -> None:
    with pytest.raises(NotAllowed):
        await begun(asking, call, "admin grant")
    banned = a_call(house, call.actor.but(banned="spam"))
    with pytest.raises(Banned):
        await begun(asking, banned, "dataset view")
