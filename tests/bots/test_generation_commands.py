"""Pictures in a chat: ordering them in every way, and what can be done with those that are there."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bots.chat.asking import Asking, Question, Ready
from bots.chat.parameter import Number, Parameter, Size
from bots.chat.reply import Reply
from bots.commands.generations import WHY
from core.domain.account import Actor
from core.domain.errors import BadValue
from core.domain.generation import Generation
from core.domain.job import Job
from core.domain.prompt import Precedence
from core.domain.rating import Rating
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, labels, press, say
from tests.builders.entities import HOME
from tests.builders.scenes import a_trained_model, adult, claimed, finished, imagined, moderating, somebody

SECOND = timedelta(seconds=1)


@pytest.fixture
async def ann(house: House) -> Actor:
    """Somebody with a model."""
    actor = await somebody(house)
    await a_trained_model(house, actor)
    return actor


async def drawn(house: House, actor: Actor, text: str = "zorp", **wished: Any) -> Job:
    return await finished(house, await imagined(house, actor, text, **wished))


async def viewed(house: House, actor: Actor, job: Job | str) -> Reply:
    return await say(house, actor, "train view", job=job if isinstance(job, str) else job.id)


async def ordered(house: House, reply: Reply) -> Generation:
    """What a card is of."""
    assert reply.job
    return await house.store.generations.get(reply.job)


async def test_everything_that_can_be_wished_is_ordered(house: House, ann: Actor) -> None:
    wished = {"count": "2", "seed": "5", "size": "96x64", "steps": "8", "guidance": "2.5", "negative": "a hat"}
    made = await ordered(house, await say(house, ann, "imagine", prompt="a zorp", **wished))
    bare = await ordered(house, await say(house, ann, "imagine", prompt="a wolf", base="tiny"))
    wrong = await say(house, ann, "imagine", prompt="zorp", size="big", guidance="much")

    facts = (made.count, made.seed, made.width, made.height, made.steps, made.guidance, made.negative)
    assert facts == (2, 5, 96, 64, 8, 2.5, "a hat")
    assert (bare.adapters, bare.width, bare.guidance) == ((), 64, 3.0)
    assert [line.split(":")[0] for line in wrong.lines] == ["«big» is not a valid size", "«much» is not a valid number"]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Size(""), "512x768", (512, 768)),
        (Size(""), " 64 × 128 ", (64, 128)),
        (Size(""), "64*64", (64, 64)),
        (Size(""), "64", None),
        (Size(""), "-64x64", None),
        (Size(""), "٦٤x٦٤", None),
        (Number(""), "7", 7.0),
        (Number(""), " 7.5 ", 7.5),
        (Number(""), "7,5", None),
    ],
)
async def test_sizes_and_numbers_are_read_as_people_write_them(
    house: House, kind: Parameter[object], raw: str, value: object
) -> None:
    call = a_call(house, await somebody(house))
    if value is None:
        with pytest.raises(BadValue):
            await kind.parse(call, raw, {})
    else:
        assert await kind.parse(call, raw, {}) == value


async def test_of_imagine_only_the_prompt_is_asked_and_a_base_is_offered_to_who_types_one(
    house: House, ann: Actor
) -> None:
    dispatcher, call = a_dispatcher(), a_call(house, ann)
    asking, imagine = Asking(dispatcher=dispatcher, blobs=house.blobs, size=8), dispatcher.definition("imagine")

    first = await asking.begin(imagine, call, {})
    then = await asking.begin(imagine, call, {"prompt": "zorp"})
    offered = await dispatcher.choices(imagine, "base", call, "", {})

    assert isinstance(first, Question)
    assert (first.name, isinstance(then, Ready)) == ("prompt", True)
    drawing = [name for name, one in house.services.generations.offerings.items() if one.generation]
    assert [one.value for one in offered.choices] == drawing


async def test_a_card_shows_the_pictures_and_what_they_are_of(house: House, ann: Actor) -> None:
    job = await imagined(house, ann, "a zorp:0.5", count=2, seed=5)
    _, token = await claimed(house, job)
    await house.services.jobs.report(job.id, token)
    running = await viewed(house, ann, job)
    await house.services.jobs.release(job.id, token)
    await finished(house, job)
    done = await viewed(house, ann, job)
    looking = await viewed(house, moderating(await somebody(house, "mod")), job)

    assert (running.title, labels(running)) == ("a zorp · running", ["Cancel"])
    assert done.fields == (("seed", "5 to 6"), ("models", "ann/zorp at 50 %"))
    assert (len(done.pictures), labels(done)) == (2, ["Again", "Vary", "Info", "Rate", "Delete"])
    assert labels(looking) == ["Info"]


async def test_again_and_its_button_order_once_each(house: House, ann: Actor) -> None:
    done = await viewed(house, ann, await drawn(house, ann, "a zorp", seed=5))
    typed = await ordered(house, await say(house, ann, "generation again", job="a zo"))
    pressed = [await ordered(house, (await press(house, ann, done, "Again"))[0]) for _ in range(2)]

    assert pressed[0] == pressed[1]
    assert pressed[0].id != typed.id
    assert {pressed[0].text, typed.text} == {"a zorp"}
    assert 5 not in {pressed[0].seed, typed.seed}


async def test_vary_asks_which_picture_where_there_are_several(house: House, ann: Actor) -> None:
    one, two = await drawn(house, ann), await drawn(house, ann, count=2)
    straight = await ordered(house, (await press(house, ann, await viewed(house, ann, one), "Vary"))[0])
    which, _ = await press(house, ann, await viewed(house, ann, two), "Vary")
    varied, then = await press(house, ann, which, "2")
    typed = await ordered(house, await say(house, ann, "generation vary", job=two.id, picture="1", strength="80"))
    wrong = await say(house, ann, "generation vary", job=two.id, picture="3")

    pictures = (await house.store.generations.get(two.id)).pictures
    asked = await ordered(house, varied)
    assert (straight.strength, labels(which), then) == (60, ["1", "2"], "replace")
    assert (asked.source, asked.strength) == (pictures[1], 60)
    assert (typed.source, typed.strength) == (pictures[0], 80)
    assert (wrong.code, wrong.lines) == ("not_found", ("There is no picture «3». Pictures are counted from 1.",))


async def test_in_a_chat_that_asks_the_pictures_and_the_stars_are_offered(house: House, ann: Actor) -> None:
    job = await drawn(house, ann, count=2)
    dispatcher, call = a_dispatcher(), a_call(house, ann)
    asking = Asking(dispatcher=dispatcher, blobs=house.blobs, size=8)
    asked = []
    for path in ("generation vary", "generation rate"):
        step = await asking.begin(dispatcher.definition(path), call, {"job": job.id})
        assert isinstance(step, Question)
        asked.append((step.name, [(one.value, one.label) for one in step.page.choices]))

    assert asked[0] == ("picture", [("1", "picture 1"), ("2", "picture 2")])
    assert asked[1] == ("stars", [(str(count), "★" * count + "☆" * (5 - count)) for count in (5, 4, 3, 2, 1)])


async def test_info_says_how_pictures_were_made_and_why_each_word_means_its_model(
    house: House, ann: Actor, clock: HandClock
) -> None:
    await a_trained_model(house, ann, name="blip")
    job = await imagined(house, ann, "zorp:0.5 no blip:0 zorp", negative="a hat", count=2, seed=5)
    _, token = await claimed(house, job)
    await house.services.jobs.release(job.id, token)
    clock.advance(2 * SECOND)
    done = await finished(house, job)
    variation = await ordered(house, await say(house, ann, "generation vary", job=job.id, picture="2"))
    await say(house, ann, "generation rate", job=job.id, stars="4", words="nice")
    info, then = await press(house, ann, await viewed(house, ann, job), "Info")
    later = await say(house, ann, "generation info", job=variation.id)

    assert info.lines == (
        "Typed: zorp:0.5 no blip:0 zorp",
        "Drawn: zorp no blip zorp",
        "Not drawn: a hat",
        "«zorp» is ann/zorp, at 50 %: one's own newest model comes first.",
        "«blip» is ann/blip, off: one's own newest model comes first.",
    )
    assert (info.title, then, info.pictures) == (
        done.title,
        "new",
        (await house.store.generations.get(job.id)).pictures,
    )
    assert dict(info.fields) == {
        "models": "ann/zorp at 50 %",
        "offering": "tiny",
        "seeds": "5 to 6",
        "size": "64×64",
        "steps": "4",
        "guidance": "3",
        "price": "2",
        "took": "2.0 s",
        "rated": "★★★★☆ nice",
        "job": job.id,
    }
    fields = dict(later.fields)
    assert fields["starts from"] == f"{job.id} 1.png, of which 60 % change"
    assert not {"took", "rated"} & fields.keys()


async def test_for_every_reason_there_are_words() -> None:
    assert set(WHY) == set(Precedence)


async def test_stars_are_given_by_a_button_or_in_words(house: House, ann: Actor) -> None:
    job = await drawn(house, ann, "a zorp")
    several = await say(house, ann, "generation rate", job=(await drawn(house, ann, "two zorp", count=2)).id)
    asked, _ = await press(house, ann, await viewed(house, ann, job), "Rate")
    given, then = await press(house, ann, asked, "★★☆☆☆")
    typed = await say(house, ann, "generation rate", job="a zorp", stars="5", words="better now")
    wrong = await say(house, ann, "generation rate", job="a zorp", stars="6")
    listed = await say(house, ann, "generation list")

    assert (asked.title, several.title) == ("How good is it?", "How good are they?")
    assert labels(asked) == ["★☆☆☆☆", "★★☆☆☆", "★★★☆☆", "★★★★☆", "★★★★★"]
    assert (given.title, then) == ("★★☆☆☆ for «a zorp»", "replace")
    assert typed == Reply(title="★★★★★ for «a zorp»")
    assert wrong.lines == ("There is no rating «6». It takes 1 to 5 stars.",)
    assert listed.table
    assert (job.id, "a zorp", "01 Mar 12:00 ★★★★★") in listed.table.rows


async def test_pictures_are_deleted_after_a_second_look(house: House, ann: Actor) -> None:
    job = await drawn(house, ann, "a zorp")
    done = await viewed(house, ann, job)
    asked, _ = await press(house, ann, done, "Delete")
    before = await viewed(house, ann, job)
    gone, then = await press(house, ann, asked, "Confirm")
    after = await viewed(house, ann, job)

    assert asked.title == "Delete the pictures of «a zorp»?"
    assert (len(before.pictures), gone.title, then) == (1, "The pictures of «a zorp» are deleted", "replace")
    assert (after.lines, after.pictures, after.buttons) == (
        ("What it was about has been deleted meanwhile.",),
        (),
        (),
    )
    for label in ("Again", "Vary", "Info", "Rate", "Delete"):
        assert (await press(house, ann, done, label))[0].code == "not_found"
    assert (await say(house, ann, "generation list")).title == "No pictures yet"
    assert (await say(house, ann, "wallet")).title == "79 to spend"


async def test_what_is_not_finished_says_what_to_do_before(house: House, ann: Actor) -> None:
    job = await imagined(house, ann, "a zorp")
    asked = await say(house, ann, "generation delete", job=job.id)
    refused, _ = await press(house, ann, asked, "Confirm")

    assert refused.lines == (f"It is still being drawn. Cancel it first: `train cancel {job.id}`.",)


async def test_an_unclear_word_is_asked_about_and_every_other_wish_is_kept(house: House, clock: HandClock) -> None:
    cid, models = await somebody(house, "cid"), []
    for name in ("ann", "bob"):
        models.append(await a_trained_model(house, await somebody(house, name)))
        clock.advance(SECOND)
        await house.store.models.save(models[-1].but(shared=(cid.account,)))
    wished = {"count": "2", "seed": "5", "size": "96x64", "steps": "8", "guidance": "2.5", "negative": "a hat"}
    unclear = await say(house, cid, "imagine", prompt="a zorp:0.5, the zorp", base="tiny", **wished)
    reply, then = await press(house, cid, unclear, "bob/zorp, shared by bob, 01 Mar 2026")
    again, _ = await press(house, cid, unclear, "bob/zorp, shared by bob, 01 Mar 2026")

    made = await ordered(house, reply)
    assert (unclear.title, unclear.job, len(unclear.buttons)) == ("Which «zorp» do you mean?", None, 2)
    assert [(one.model, one.percent) for one in made.adapters] == [(models[1].id, 50)]
    assert (then, again.job, made.prompt) == ("replace", made.id, "a zorp, the zorp")
    facts = (made.count, made.seed, made.width, made.height, made.steps, made.guidance, made.negative, made.offering)
    assert facts == (2, 5, 96, 64, 8, 2.5, "a hat", "tiny")


async def test_try_it_calls_the_very_model(house: House, ann: Actor, clock: HandClock) -> None:
    (first,) = await house.store.models.owned(ann.account)
    clock.advance(SECOND)
    later = await a_trained_model(house, ann, name="later")
    await house.store.models.save(later.but(trigger="zorp"))
    reply, _ = await press(house, ann, await viewed(house, ann, first.run), "Try it")

    made = await ordered(house, reply)
    assert ([one.model for one in made.adapters], made.prompt) == ([first.id], "zorp on a white background")


async def test_pictures_for_adults_say_so_wherever_they_are_shown(house: House, ann: Actor) -> None:
    ann = adult(ann)
    (model,) = await house.store.models.owned(ann.account)
    await house.store.models.save(model.but(rating=Rating.NSFW))
    job = await drawn(house, ann, place=HOME.but(adult=True))
    dispatcher, among = a_dispatcher(), replace(a_call(house, ann), place=HOME.but(adult=True))

    shown = [await viewed(house, ann, job), await say(house, ann, "generation info", job=job.id)]
    refused = [await say(house, ann, path, job=job.id) for path in ("generation again", "generation vary")]
    allowed = await dispatcher.run(dispatcher.definition("generation again"), among, {"job": job.id})

    assert [reply.rating for reply in shown] == [Rating.NSFW, Rating.NSFW]
    assert [reply.code for reply in refused] == ["not_here", "not_here"]
    assert allowed.job


async def test_generations_are_named_by_prompt_and_nobody_elses_are_offered(
    house: House, ann: Actor, clock: HandClock
) -> None:
    bob = await somebody(house, "bob")
    for text in ("a zorp", "a zorp", "the zorp"):
        job = await drawn(house, ann, text)
        clock.advance(SECOND)
    dispatcher, again = a_dispatcher(), a_dispatcher().definition("generation again")
    offered = await dispatcher.choices(again, "job", a_call(house, ann), "", {})
    theirs = await dispatcher.choices(again, "job", a_call(house, bob), "", {})

    assert [one.label for one in offered.choices] == [
        "the zorp · 01 Mar 12:00:02",
        "a zorp · 01 Mar 12:00:01",
        "a zorp · 01 Mar 12:00:00",
    ]
    assert theirs.choices == ()
    assert (await say(house, ann, "generation again", job="a zorp")).code == "ambiguous"
    for path in ("again", "vary", "info", "rate", "delete"):
        assert (await say(house, bob, f"generation {path}", job=job.id)).code == "not_found"
