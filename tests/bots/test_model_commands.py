"""Models as people meet them: the gallery, one model, its owner's choices; and what nobody gets to know."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bots.chat.parameter import Raw
from bots.chat.references import ModelRef
from bots.chat.reply import Reply
from bots.commands import discovered
from core.domain.account import Actor, Place, Platform
from core.domain.model import Model, Visibility
from core.domain.rating import Rating
from core.domain.run import Epoch
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, labels, press, say
from tests.builders.entities import HOME, NOON, a_model
from tests.builders.scenes import a_trained_model, finished, imagined, moderating, somebody, stored

SERVER = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")
SAID: Mapping[str, Mapping[str, str]] = {  # what each command about a model is told besides
    "model view": {},
    "model card": {},
    "model download": {},
    "model stats": {},
    "model publish": {},
    "model unpublish": {},
    "model share": {"user": "cid"},
    "model unshare": {"user": "cid"},
    "model rename": {"name": "hero"},
    "model edit": {"description": "A tin robot."},
    "model samples": {"numbers": "1"},
    "model epoch": {},
    "model delete": {},
    "model delete-now": {},
    "model pin": {},
}


def rows(reply: Reply) -> Sequence[tuple[str, ...]]:
    return reply.table.rows if reply.table else ()


async def say_at(house: House, actor: Actor, place: Place, path: str, **raw: Raw) -> Reply:
    dispatcher = a_dispatcher()
    return await dispatcher.run(dispatcher.definition(path), replace(a_call(house, actor), place=place), raw)


async def asked_about(house: House, actor: Actor, name: str) -> list[Reply]:
    """Say everything that can be said about a model."""
    replies = [await say(house, actor, path, model=name, **said) for path, said in SAID.items()]
    prompts = [name, f"<lora:{name}>", f"<lora:{name}:0.5>", f"a {name}:0.5 on a hill"]
    return replies + [await say(house, actor, "imagine", prompt=prompt) for prompt in prompts]


async def offered(house: House, actor: Actor, typed: str = "") -> list[object]:
    """Complete what was typed, for every parameter that is a model."""
    dispatcher = a_dispatcher()
    return [
        await dispatcher.choices(one, name, a_call(house, actor), typed, {})
        for one in discovered().values()
        for name, kind in one.parameters.items()
        if isinstance(kind, ModelRef)
    ]


async def test_every_command_about_a_model_is_asked() -> None:
    about = {path for path, one in discovered().items() if isinstance(one.parameters.get("model"), ModelRef)}

    assert set(SAID) == about


@pytest.mark.parametrize("name", ["ann/zorp", "zorp", "zor", "ann/hero"])
async def test_nobody_can_tell_by_its_name_that_somebody_has_a_model(house: House, name: str) -> None:
    ann, bob, _ = [await somebody(house, who) for who in ("ann", "bob", "cid")]
    without = await asked_about(house, bob, name), await offered(house, bob, name), await offered(house, bob)
    model = await house.services.models.rename(ann, (await a_trained_model(house, ann)).id, "hero")
    hidden = await asked_about(house, bob, name), await offered(house, bob, name), await offered(house, bob)

    assert hidden == without
    await house.services.models.publish(ann, model.id)
    await house.services.models.delete(ann, model.id)
    assert (await asked_about(house, bob, name), await offered(house, bob, name)) == without[:2]


async def test_nobody_can_tell_by_its_id_that_somebody_has_a_model(house: House) -> None:
    ann, bob, _ = [await somebody(house, who) for who in ("ann", "bob", "cid")]
    name = "abcdefghjkmn"
    without = await asked_about(house, bob, name)
    await house.store.models.add((await a_trained_model(house, ann)).but(id=name, slug="hero", names=("hero",)))

    assert await asked_about(house, bob, name) == without


async def test_what_is_hidden_takes_no_name_and_no_word_from_others(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_trained_model(house, ann)
    his = await a_trained_model(house, bob, name="gorp")
    opened = await say(house, bob, "dataset new", name="zorp", trigger="zorp")
    renamed = await say(house, bob, "model rename", model=his.id, name="zorp")

    assert opened.title == "Dataset «zorp» is open"
    assert (renamed.title, renamed.lines) == ("bob/gorp is bob/zorp now", ("`bob/gorp` still leads to it.",))


async def test_who_publishes_a_word_that_another_keeps_is_told_and_of_hidden_ones_nothing(
    house: House, clock: HandClock
) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_trained_model(house, ann)
    await a_trained_model(house, bob)
    alone = await say(house, bob, "model publish", model="zorp")
    await say(house, bob, "model unpublish", model="zorp")
    clock.advance(timedelta(minutes=1))
    await say(house, bob, "model publish", model="zorp")
    later = await say(house, ann, "model publish", model="zorp")

    assert (alone.title, alone.lines) == ("bob/zorp is public", ("Everyone can use it now: `imagine zorp …`",))
    words = "«zorp» calls bob/zorp; this one is called by its name: `imagine ann/zorp …`"
    assert (later.title, later.lines) == ("ann/zorp is public", (f"For everyone else {words}",))
    assert (await say(house, bob, "model view", model="ann/zorp")).lines == (words,)


async def test_a_model_is_unlisted_and_private_again(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_trained_model(house, ann)
    unlisted = await say(house, ann, "model publish", model="zorp", visibility="unlisted")
    seen = [await say(house, bob, "model view", model=name) for name in ("ann/zorp", "zorp")]
    private = await say(house, ann, "model unpublish", model="zorp")
    again = await say(house, ann, "model unpublish", model="zorp")
    wrong = await say(house, ann, "model publish", model="zorp", visibility="private")

    assert (unlisted.title, [one.code for one in seen]) == ("ann/zorp is unlisted", [None, "not_found"])
    assert seen[0].lines == ("Use it: `imagine ann/zorp …`",)
    assert (private.title, again.code, wrong.code) == ("ann/zorp is private", "model_state", "not_found")


async def test_a_model_shows_its_facts_and_what_can_be_done_now(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_trained_model(house, ann)
    await say(house, ann, "model edit", model="zorp", description="A robot.", tags="toy, tin", licence="cc0-1.0")
    mine = await say(house, ann, "model view", model="zorp")
    published, _ = await press(house, ann, mine, "Publish")
    his = await say(house, bob, "model view", model="zorp")
    shown = dict(his.fields)

    assert mine.title == "ann/zorp · private"
    assert labels(mine) == ["Publish", "Download", "Stats", "Edit", "Samples", "Epochs", "Delete"]
    assert "snapshot" in dict(mine.fields)
    assert published.title == "ann/zorp is public"
    assert (his.title, his.lines, labels(his)) == (
        "ann/zorp · public", ("A robot.", "Use it: `imagine zorp …`"), ["Download", "Stats"],
    )  # fmt: skip
    assert list(shown) == [
        "trigger", "base", "licence", "who may use it", "epoch", "evaluation loss", "used by others", "downloads",
        "file", "tags",
    ]  # fmt: skip
    assert [shown[name] for name in ("trigger", "licence", "used by others", "downloads", "tags")] == [
        "zorp", "cc0-1.0", "0 times", "0", "toy tin",
    ]  # fmt: skip
    assert labels(await say(house, ann, "model view", model="zorp"))[0] == "Unpublish"


async def test_a_file_comes_with_its_card_and_is_counted(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await say(house, ann, "model publish", model="zorp")
    download = await say(house, bob, "model download", model="ann/zorp")
    card = await say(house, bob, "model card", model="ann/zorp")
    stats = await say(house, bob, "model stats", model="ann/zorp")
    mine = await say(house, ann, "model stats", model="zorp")

    assert download.files == (model.file, *card.files)
    assert [file.name for file in download.files] == ["zorp.safetensors", "README.md"]
    assert download.lines == ("Base model: tiny-sd. Trigger word: zorp. Licence: creativeml-openrail-m.",)
    counted = (
        ("used by others", "0 times"),
        ("downloads", "1"),
    )
    assert (stats.fields, mine.fields) == (counted, (*counted, ("earned", "0.00 qoints")))


async def test_what_one_training_has_brought_forth_is_counted_together(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await published(house, ann, "later", run=model.run, trigger="later", artifact=model.artifact)
    await finished(house, await imagined(house, bob, "later"))
    stats = [await say(house, ann, "model stats", model=name) for name in ("zorp", "later")]

    assert [stated.fields[:2] for stated in stats] == [
        (("used by others", "0 times"), ("all of its training", "1 time")),
        (("used by others", "1 time by 1 person"), ("downloads", "0")),
    ]


async def test_a_model_is_shared_with_somebody_who_is_not_offered(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "Bob")
    await a_trained_model(house, ann)
    shared = await say(house, ann, "model share", model="zorp", user="bob")
    listed = await say(house, bob, "model list")
    mine = await say(house, ann, "model list")
    back = await say(house, ann, "model unshare", model="zorp", user="bob")
    dispatcher = a_dispatcher()
    share, unshare = dispatcher.definition("model share"), dispatcher.definition("model unshare")
    people = await dispatcher.choices(share, "user", a_call(house, ann), "b", {"model": "zorp"})
    await say(house, ann, "model share", model="zorp", user="console:Bob")
    readers = await dispatcher.choices(unshare, "user", a_call(house, ann), "", {"model": "zorp"})

    assert shared.title == "ann/zorp is shared with Bob"
    assert rows(listed) == (("ann/zorp", "zorp", "shared with you"),)
    assert rows(mine) == (("ann/zorp", "zorp", "private, shared with 1"),)
    assert back.title == "ann/zorp is not shared with Bob any more"
    assert people.choices == ()
    assert [choice.label for choice in readers.choices] == ["Bob"]
    assert (await say(house, ann, "model share", model="zorp", user="bo")).code == "not_found"
    assert (await say(house, ann, "model share", model="zorp", user="ann")).code == "not_them"
    assert (await say(house, ann, "model unshare", model="zorp", user="ann")).code == "not_found"


async def test_a_name_that_means_several_names_them(house: House) -> None:
    ann, bob, cid = [await somebody(house, name) for name in ("ann", "bob", "cid")]
    for owner in (bob, cid):
        await a_trained_model(house, owner)
        await say(house, owner, "model share", model="zorp", user="ann")
    unclear = await say(house, ann, "model view", model="zorp")

    assert unclear.code == "ambiguous"
    assert "bob/zorp (" in unclear.lines[0]
    assert (await say(house, ann, "model view", model="cid/zorp")).title == "cid/zorp · private"


async def test_an_old_name_and_the_beginning_of_a_name_lead_on(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    renamed = await say(house, ann, "model rename", model="zorp", name="Tin Hero")

    assert renamed.title == "ann/zorp is ann/tin-hero now"
    for name in ("ann/zorp", "zorp", "tin", "ANN/Tin-Hero"):
        assert (await say(house, ann, "model view", model=name)).title == "ann/tin-hero · private"
    assert (await say(house, ann, "model rename", model="zorp", name="tin hero")).title == (
        "ann/tin-hero is called so already"
    )
    assert (await say(house, ann, "model rename", model="zorp", name="!")).code == "bad_value"
    await a_trained_model(house, ann, name="gorp")
    assert (await say(house, ann, "model rename", model="gorp", name="zorp")).code == "name_taken"


async def test_what_is_said_of_a_model_is_edited_or_shown(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    shown = await say(house, ann, "model edit", model="zorp")
    edited = await say(house, ann, "model edit", model="zorp", tags="toy", description="A robot.")
    cleared = await say(house, ann, "model edit", model="zorp", tags="none", description="none")

    assert (shown.title, shown.lines[0][:29]) == ("What to change of ann/zorp?", "Say it so: `model edit zorp l")
    assert edited.title == "ann/zorp is edited"
    assert edited.fields == (
        ("licence", "creativeml-openrail-m"), ("tags", "toy"), ("description", "A robot."),
    )  # fmt: skip
    assert cleared.fields == shown.fields
    assert (await say(house, ann, "model edit", model="zorp", tags="1 2 3 4 5 6 7 8 9 10 11")).code == "bad_value"


async def test_samples_are_seen_and_chosen_by_number(house: House) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    run = await house.store.runs.get(model.run)
    for number in range(1, 12):
        samples = (await stored(house, f"{number}.png"),)
        run = run.with_epoch(Epoch(number=number, step=number, loss=0.5, artifact=model.artifact, samples=samples))
    await house.store.runs.save(run)
    seen = await say(house, ann, "model samples", model="zorp")
    rest, _ = await press(house, ann, seen, "More")
    chosen = await say(house, ann, "model samples", model="zorp", numbers="2, 12")

    assert (seen.title, rest.title) == ("Samples 1 to 10 of 12", "Samples 11 to 12 of 12")
    assert [picture.name for picture in (*seen.pictures[1:3], *rest.pictures)] == ["11.png", "10.png", "2.png", "1.png"]
    assert (labels(seen), labels(rest)) == (["More"], [])
    assert (chosen.title, [picture.name for picture in chosen.pictures]) == (
        "ann/zorp shows 2 samples", ["11.png", "1.png"],
    )  # fmt: skip
    assert (await say(house, ann, "model view", model="zorp")).pictures == chosen.pictures
    codes = [(await say(house, ann, "model samples", model="zorp", numbers=said)).code for said in ("x", "13")]
    assert codes == ["bad_value", "bad_value"]
    nothing = await say(house, ann, "model samples", model="zorp", numbers="none")
    assert nothing.title == "ann/zorp shows those of its last epoch"


async def test_epochs_are_looked_at_and_one_is_chosen(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    nothing = await say(house, ann, "model epoch", model="zorp")
    run = await house.store.runs.get(model.run)
    for number, step, wished in ((1, 10, False), (2, 15, True), (2, 20, False)):
        stores = [await stored(house, f"{step}.{kind}") for kind in ("safetensors", "png")]
        epoch = Epoch(number=number, step=step, loss=0.5, wished=wished, artifact=stores[0], samples=(stores[1],))
        run = run.with_epoch(epoch.but(evaluation=0.25) if wished else epoch)
    await house.store.runs.save(run)
    seen = await say(house, ann, "model epoch", model="zorp")
    pressed, _ = await press(house, ann, seen, "Choose step-15")
    chosen = await say(house, ann, "model epoch", model="zorp", epoch="1")
    named = [epoch.artifact.sha256[:16] for epoch in run.epochs]

    assert nothing.title == "Nothing is known of the epochs of ann/zorp"
    assert rows(seen) == (
        ("1", "10", "0.5000", "–", "1 KB", named[0], "kept"),
        ("step-15", "15", "0.5000", "0.2500", "1 KB", named[1], "saved"),
        ("2", "20", "0.5000", "–", "1 KB", named[2], "the model"),
    )
    assert [picture.name for picture in seen.pictures] == ["10.png", "15.png", "20.png"]
    assert labels(seen) == ["Choose 1", "Choose step-15"]
    assert (pressed.title, chosen.title) == ("ann/zorp is epoch step-15", "ann/zorp is epoch 1")
    assert dict((await say(house, ann, "model view", model="zorp")).fields)["epoch"] == "1 of 3"
    clock.advance(timedelta(days=31))
    await house.services.publications.sweep()
    swept = await say(house, ann, "model epoch", model="zorp")
    assert ([row[-1] for row in rows(swept)], labels(swept)) == (["the model", "gone", "gone"], [])
    await say(house, ann, "model share", model="zorp", user="bob")
    wrong = [("ann", "2"), ("ann", "9"), ("bob", "1")]
    codes = [await say(house, {"ann": ann, "bob": bob}[who], "model epoch", model="zorp", epoch=e) for who, e in wrong]
    assert [reply.code for reply in codes] == ["epoch_gone", "not_found", "not_found"]
    assert (await say(house, bob, "model epoch", model="zorp")).code == "not_found"


async def test_what_publication_made_is_fetched_and_its_job_shows_it(house: House) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    (job,) = await house.store.jobs.about(model.id)
    await finished(house, job)
    shown = await say(house, ann, "train view", job=job.id)
    fetched = await say(house, ann, "model download", model="zorp")
    seen = dict((await say(house, ann, "model view", model="zorp")).fields)
    fresh = await house.store.models.get(model.id)

    assert shown.title == "ann/zorp · publication · done"
    assert shown.files == (fresh.file, fresh.card)
    assert [file.name for file in fetched.files][0::2] == ["zorp.safetensors", "thumbnail.jpg"]
    assert seen["weights"] == f"sha256 {'c' * 16}…"


async def test_the_card_of_a_training_offers_what_is_left_to_do(house: House) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    private = await say(house, ann, "train view", job=model.run)
    await press(house, ann, private, "Publish")
    public = await say(house, ann, "train view", job=model.run)
    await say(house, ann, "model delete-now", model="zorp")
    gone = await say(house, ann, "train view", job=model.run)

    assert (labels(private), labels(public)) == (["Publish", "Try it", "Receipt"], ["Try it", "Receipt"])
    assert gone.lines == ("What it was about has been deleted meanwhile.",)


async def test_a_model_is_deleted_after_a_second_word(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    bob = await somebody(house, "bob")
    await say(house, ann, "model publish", model="zorp")
    others = await say(house, bob, "model delete", model="ann/zorp")
    asked = await say(house, ann, "model delete", model="zorp")
    still = await say(house, ann, "model view", model="zorp")
    gone, then = await press(house, ann, asked, "Delete")

    words = "There is no model of yours «ann/zorp». Only its owner can change a model."
    assert (others.lines, others.buttons) == ((words,), ())
    assert (asked.title, still.code) == ("Delete ann/zorp?", None)
    assert (gone.title, then) == ("ann/zorp is deleted", "replace")
    assert (await say(house, ann, "model view", model="zorp")).code == "not_found"
    assert (await say(house, ann, "model list")).title == "No models yet"


async def test_a_moderator_pins_where_people_are_together(house: House, clock: HandClock) -> None:
    ann, bob, mod = [await somebody(house, name) for name in ("ann", "bob", "mod")]
    for owner in (ann, bob):
        await a_trained_model(house, owner)
        await say(house, owner, "model publish", model="zorp")
        clock.advance(timedelta(minutes=1))
    pinned = await say_at(house, moderating(mod), SERVER, "model pin", model="bob/zorp")
    drawn = await say_at(house, mod, SERVER, "imagine", prompt="zorp")
    elsewhere = await say_at(house, mod, HOME, "imagine", prompt="zorp")
    off = await say_at(house, moderating(mod), SERVER, "model pin", model="bob/zorp", state="off")

    assert pinned.title == "«zorp» calls bob/zorp here now"
    made = [await house.store.generations.get(str(reply.job)) for reply in (drawn, elsewhere)]
    assert [one.adapters[0].name for one in made] == ["bob/zorp", "ann/zorp"]
    assert off.title == "«zorp» is not pinned to bob/zorp here"
    assert (await say(house, moderating(mod), "model pin", model="bob/zorp")).code == "not_here"
    assert (await say_at(house, mod, SERVER, "model pin", model="bob/zorp")).code == "not_allowed"


async def test_models_for_adults_are_listed_where_they_may_be_shown(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await published(house, ann, "lewd", rating=Rating.NSFW)
    dispatcher, call = a_dispatcher(), a_call(house, bob)
    view = dispatcher.definition("model view")
    offers = [
        await dispatcher.choices(view, "model", replace(call, place=place), "", {})
        for place in (HOME, HOME.but(adult=True))
    ]

    assert rows(await say(house, bob, "model list")) == ()
    assert rows(await say(house, ann, "model list")) == (("ann/lewd", "zorp", "public"),)
    assert rows(await say_at(house, bob, HOME.but(adult=True), "model list")) == (("ann/lewd", "zorp", "public"),)
    assert [[choice.label for choice in page.choices] for page in offers] == [[], ["ann/lewd"]]


async def test_the_gallery_is_searched_and_turned_over(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    for number in range(30):
        clock.advance(timedelta(minutes=1))
        await published(house, ann, f"model-{number:02}", published_at=clock.now(), tags=("even",) * (1 - number % 2))
    first = await say(house, bob, "model list", scope="public")
    second, then = await press(house, bob, first, "More")
    tagged = await say(house, bob, "model list", tag="Even", text="MODEL-0")
    nothing = await say(house, bob, "model list", scope="mine")

    shown = [row[0] for row in (*rows(first), *rows(second))]
    assert shown == [f"ann/model-{number:02}" for number in reversed(range(30))]
    assert (len(rows(first)), labels(second), then) == (25, [], "replace")
    assert [row[0] for row in rows(tagged)] == [f"ann/model-0{number}" for number in (8, 6, 4, 2, 0)]
    assert (nothing.title, (await say(house, bob, "model list", page="9")).title) == ("No such model", "No more models")
    for wrong in ({"page": "0"}, {"page": "41"}, {"tag": "a b"}):
        assert (await say(house, bob, "model list", **wrong)).code == "bad_value"
    assert (await say(house, bob, "model list", base="nothing")).code == "not_found"


async def test_nobody_is_asked_for_what_can_be_left_out(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    await a_trained_model(house, ann, name="gorp")
    dispatcher, call = a_dispatcher(), a_call(house, ann)
    asked = await asyncio.gather(
        *(
            dispatcher.question(
                dispatcher.definition(path), call, {"model": "zorp", **said} if "list" not in path else {}
            )
            for path, said in {"model list": {}, **SAID}.items()
        )
    )

    assert set(asked) == {None}


async def published(house: House, owner: Actor, slug: str, **facts: object) -> Model:
    """Keep a public model."""
    fields = {"id": slug, "slug": slug, "owner": owner.account, "owner_name": owner.name, "published_at": NOON}
    model = a_model(**(fields | {"visibility": Visibility.PUBLIC} | facts))
    await house.store.models.add(model)
    return model
