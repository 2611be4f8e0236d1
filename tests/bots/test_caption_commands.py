"""Captions as people meet them: one at a time, many after a look, sets, reviews; wrong words; nothing for strangers."""

from collections.abc import Sequence

import pytest

from bots.chat.definition import Definition
from bots.chat.reply import Reply
from bots.commands import captions, reviews, sets
from core.domain.account import Actor
from core.domain.action import Then
from core.domain.caption import CaptionReview
from core.domain.dataset import Access, Dataset
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.scenes import a_ready_dataset, everything_in, moderating, somebody

OF_CAPTIONS = {
    "caption edit": {"picture": "1", "text": "mine"},
    "caption delete": {"picture": "1"},
    "caption history": {"picture": "1"},
    "caption diff": {"picture": "1"},
    "caption undo": {"picture": "1"},
    "caption replace": {"find": "zorp", "words": "gorp"},
    "caption prepend": {"words": "at night"},
    "caption append": {"words": "at night"},
    "caption clear": {},
    "caption apply": {"verb": "clear", "digest": "0"},
    "caption set": {"name": "long"},
    "caption drop": {"set": "main"},
    "caption review": {"picture": "1", "verdict": "approve"},
}


def rows(reply: Reply) -> Sequence[tuple[str, ...]]:
    return reply.table.rows if reply.table else ()


async def texts(house: House, dataset: Dataset) -> list[str]:
    current = await house.store.datasets.get(dataset.id)
    captions = [current.caption_of(item) for item in await house.store.items.of(dataset.id)]
    return [caption.text if caption else "" for caption in captions]


async def ready(house: House, pictures: int = 3) -> tuple[Actor, Dataset]:
    ann = await somebody(house)
    return ann, await a_ready_dataset(house, ann, pictures=pictures)


async def test_every_command_about_captions_is_tried_by_a_stranger() -> None:
    known = [one for module in (captions, reviews, sets) for one in vars(module).values()]

    assert {one.path for one in known if isinstance(one, Definition)} == set(OF_CAPTIONS)


async def test_a_stranger_cannot_tell_that_there_is_a_dataset(house: House, database: Database) -> None:
    _, dataset = await ready(house, pictures=1)
    bob = await somebody(house, "bob")
    before = await everything_in(database)

    for path, words in OF_CAPTIONS.items():
        hidden = await say(house, bob, path, dataset=dataset.id, **words)
        nowhere = await say(house, bob, path, dataset="nowhere", **words)
        assert (path, hidden.code, nowhere.code) == (path, "not_found", "not_found")
        assert [line.replace(dataset.id, "nowhere") for line in hidden.lines] == list(nowhere.lines)
    assert await everything_in(database) == before


async def test_a_caption_is_written_undone_and_told(house: House) -> None:
    ann, dataset = await ready(house)
    written = await say(house, ann, "caption edit", dataset="zorp", picture="1", text="a red hat")
    assert written.title == "Caption of zorp 0.png in «zorp»"
    assert written.lines == ("a red hat", "The trigger word «zorp» is not in it.")

    undone, _ = await press(house, ann, written, "Undo")
    assert (undone.lines, undone.fields) == (("zorp number 0",), (("version", "3"),))
    told, _ = await press(house, ann, undone, "History")
    assert [row[0] for row in rows(told)] == ["3", "2", "1"]
    assert rows(told)[0][1].startswith("ann · undo of 1 · ")
    assert rows(told)[1][2] == "a red hat"
    diff = await say(house, ann, "caption diff", dataset="zorp", picture="1", old="1", new="2")
    assert diff.title == "zorp 0.png: version 1 → 2"
    assert diff.lines[0] == "[-zorp number 0-] {+a red hat+}"
    gone = await say(house, ann, "caption delete", dataset="zorp", picture="1")
    assert gone.title == "The caption of zorp 0.png is deleted"
    assert (await texts(house, dataset))[0] == ""


async def test_a_long_history_has_pages(house: House) -> None:
    ann, _ = await ready(house, pictures=1)
    for number in range(26):
        await say(house, ann, "caption edit", dataset="zorp", picture="1", text=f"zorp {number}")

    first = await say(house, ann, "caption history", dataset="zorp", picture="1")
    second, then = await press(house, ann, first, "More")

    assert [row[0] for row in rows(first)] == [str(number) for number in range(27, 2, -1)]
    assert ([row[0] for row in rows(second)], then) == (["2", "1"], Then.REPLACE)
    assert labels(second) == []


async def test_many_captions_change_after_a_look(house: House) -> None:
    ann, dataset = await ready(house, pictures=7)
    look = await say(house, ann, "caption replace", dataset="zorp", find="Number", words="picture no")
    assert look.title == "7 captions of «zorp» would change"
    assert rows(look)[0] == ("zorp 0.png", "zorp [-number-] {+picture no+} 0")
    assert len(rows(look)) == 5
    assert (await texts(house, dataset))[0] == "zorp number 0"

    done, then = await press(house, ann, look, "Change them")
    assert (done.title, then) == ("7 captions of «zorp» changed", Then.REPLACE)
    assert (await texts(house, dataset))[6] == "zorp picture no 6"
    again, _ = await press(house, ann, look, "Change them")
    assert again.code == "outdated"


@pytest.mark.parametrize(
    ("path", "words", "after"),
    [
        ("caption prepend", {"words": "at night"}, "zorp number 0"),
        ("caption append", {"words": "at night"}, "zorp number 0, at night"),
        ("caption replace", {"find": "number", "words": "none"}, "zorp 0"),
        ("caption clear", {}, ""),
    ],
)
async def test_what_can_be_done_to_many(house: House, path: str, words: dict[str, str], after: str) -> None:
    ann, dataset = await ready(house, pictures=1)

    await press(house, ann, await say(house, ann, path, dataset="zorp", **words), "Change them")

    assert (await texts(house, dataset))[0] == ("at night, " if "prepend" in path else "") + after


async def test_a_change_that_changes_nothing_says_so(house: House) -> None:
    ann, _ = await ready(house, pictures=1)

    nothing = await say(house, ann, "caption replace", dataset="zorp", find="umbrella", words="hat")
    empty = await say(house, ann, "caption replace", dataset="zorp", find=" ", words="hat")

    assert (nothing.code, nothing.lines) == ("nothing_to_do", ("No caption of «zorp» would change.",))
    assert empty.code == "bad_value"


async def test_caption_sets_come_are_used_and_go(house: House) -> None:
    ann, dataset = await ready(house, pictures=2)
    opened = await say(house, ann, "caption set", dataset="zorp", name="Long", copy="main")
    assert opened.title == "Caption set «long» of «zorp» is open"
    used, _ = await press(house, ann, opened, "Use «long»")
    assert used.title == "«zorp» uses the caption set «long» now"
    assert used.lines == ("2 of 2 pictures have a caption in it.",)

    listed, _ = await press(house, ann, used, "All sets")
    assert rows(listed) == (("main", "2 captions", "–"), ("long", "2 captions", "in use"))
    assert labels(listed) == ["Use «main»", "Delete «main»"]
    dropped, _ = await press(house, ann, listed, "Delete «main»")
    assert dropped.title == "Caption set «main» of «zorp» is deleted"
    again, _ = await press(house, ann, dropped, "Open it again")
    assert again.title == "Caption set «main» of «zorp» is open"
    refused = await say(house, ann, "caption drop", dataset="zorp", set="long")
    assert refused.code == "nothing_to_do"
    assert (await house.store.datasets.get(dataset.id)).default_set == "long"


async def test_nobody_is_asked_for_what_hardly_anybody_wants(house: House) -> None:
    ann, dataset = await ready(house)
    await say(house, ann, "caption set", dataset="zorp", name="long")
    dispatcher, call = a_dispatcher(), a_call(house, ann)
    paths = ("caption set", "caption review", "caption history", "caption clear")

    given = {"dataset": dataset.id, "picture": "1"}
    for path in paths:
        assert await dispatcher.question(dispatcher.definition(path), call, given) is None
    assert await dispatcher.question(dispatcher.definition("caption diff"), call, {"dataset": "zorp"}) == "picture"


async def test_captions_are_reviewed_with_buttons(house: House) -> None:
    ann, dataset = await ready(house)
    first = await say(house, ann, "caption review", dataset="zorp")
    assert (first.title, first.lines) == ("zorp 0.png in «zorp»", ("zorp number 0", "0 of 3 reviewed."))
    assert [picture.name for picture in first.pictures] == ["zorp 0.png"]
    assert labels(first) == ["Approve", "Reject", "Needs edit", "Next"]

    second, then = await press(house, ann, first, "Next")
    assert (second.title, then) == ("zorp 1.png in «zorp»", Then.REPLACE)
    third, _ = await press(house, ann, second, "Reject")
    assert (third.title, third.lines[-1]) == ("zorp 2.png in «zorp»", "1 of 3 reviewed: 1 rejected.")
    last, _ = await press(house, ann, third, "Approve")
    assert (last.title, last.lines[-1]) == ("zorp 0.png in «zorp»", "2 of 3 reviewed: 1 approved, 1 rejected.")
    assert labels(last) == ["Approve", "Reject", "Needs edit"]
    done, _ = await press(house, ann, last, "Needs edit")
    assert done.title == "No caption of «zorp» is pending"
    assert done.lines == ("3 of 3 reviewed: 1 approved, 1 rejected, 1 needs edit.",)
    reviews = [item.captions["main"].review for item in await house.store.items.of(dataset.id)]
    assert reviews == [CaptionReview.NEEDS_EDIT, CaptionReview.REJECTED, CaptionReview.APPROVED]


async def test_a_review_with_a_note_is_told_and_a_stale_one_refused(house: House) -> None:
    ann, _ = await ready(house, pictures=2)
    shown = await say(house, ann, "caption review", dataset="zorp")
    await say(house, ann, "caption review", dataset="zorp", picture="2", verdict="needs-edit", note="no hat")
    seen = await say(house, ann, "caption review", dataset="zorp", picture="2")
    told = await say(house, ann, "caption history", dataset="zorp", picture="2")
    await say(house, ann, "caption edit", dataset="zorp", picture="1", text="zorp, other")
    stale, _ = await press(house, ann, shown, "Approve")
    nowhere = await say(house, ann, "caption review", dataset="zorp", verdict="approve")

    assert seen.lines[1] == "needs edit: no hat"
    assert rows(told)[0][1].endswith("needs edit by ann: no hat")
    assert stale.code == "outdated"
    assert nowhere.code == "bad_value"


async def test_those_it_is_shared_with_find_a_dataset_by_name(house: House) -> None:
    _, dataset = await ready(house, pictures=1)
    bob, mod = await somebody(house, "bob"), moderating(await somebody(house, "mod"))
    missing = await say(house, bob, "caption review", dataset="zorp")
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(shared=(bob.account,)))

    assert missing.code == "not_found"
    shown = await say(house, bob, "caption review", dataset="zorp")
    assert shown.title == "zorp 0.png in «zorp»"
    assert (await press(house, bob, shown, "Approve"))[0].title == "No caption of «zorp» is pending"
    assert (await say(house, bob, "caption history", dataset="zorp", picture="zorp 0.png")).code is None
    assert (await say(house, bob, "caption edit", dataset=dataset.id, picture="1", text="mine")).code == "not_found"
    assert (await say(house, mod, "caption review", dataset=dataset.id, picture="1", verdict="reject")).code is None
    assert button(shown, "Approve").arguments["version"] == "1"


async def test_of_one_name_a_dataset_of_ones_own_is_meant(house: House) -> None:
    _, hers = await ready(house, pictures=1)
    bob = await somebody(house, "bob")
    await house.store.datasets.save((await house.store.datasets.get(hers.id)).but(shared=(bob.account,)))
    his = await a_ready_dataset(house, bob, pictures=1)
    dispatcher = a_dispatcher()

    page = await dispatcher.choices(dispatcher.definition("caption review"), "dataset", a_call(house, bob), "", {})

    assert [choice.value for choice in page.choices] == [his.id]


async def test_who_may_use_it_sees_but_does_not_review(house: House) -> None:
    _, dataset = await ready(house, pictures=1)
    bob = await somebody(house, "bob")
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(access=Access.PUBLIC))

    assert (await say(house, bob, "caption history", dataset=dataset.id, picture="1")).code is None
    refused = await say(house, bob, "caption review", dataset=dataset.id)
    assert (refused.code, "reviewed by its owner" in refused.lines[0]) == ("not_found", True)


async def test_a_button_means_the_same_picture_after_others_went(house: House) -> None:
    ann, dataset = await ready(house)
    second = await say(house, ann, "caption edit", dataset="zorp", picture="2", text="zorp, other")
    items = await house.store.items.of(dataset.id)
    await house.store.items.save_all([items[1].but(position=2), items[2].but(position=1)])

    undone, _ = await press(house, ann, second, "Undo")

    assert undone.title == "Caption of zorp 1.png in «zorp»"
