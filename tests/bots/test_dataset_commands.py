"""Datasets as people meet them: lists and their pages, one dataset, edits, sharing, and what goes for good."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bots.chat.parameter import Raw
from bots.chat.reply import Reply
from core.domain.account import Actor
from core.domain.caption import CaptionReview
from core.domain.consent import ADULT
from core.domain.conversation import Conversation, Turn
from core.domain.dataset import Dataset, Kind
from core.domain.finding import LineError
from core.domain.rating import Rating
from core.kinds import intake
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, an_order, finished, moderating, some_datasets, somebody, stored

ADULTS = HOME.but(adult=True)


def rows(reply: Reply) -> Sequence[tuple[str, ...]]:
    return reply.table.rows if reply.table else ()


def facts(reply: Reply) -> dict[str, str]:
    return dict(reply.fields)


async def say_to_adults(house: House, actor: Actor, path: str, **raw: Raw) -> Reply:
    dispatcher = a_dispatcher()
    return await dispatcher.run(dispatcher.definition(path), replace(a_call(house, actor), place=ADULTS), raw)


async def verified(house: House, name: str = "ann") -> Actor:
    return (await somebody(house, name)).but(adult=True)


async def test_lists_are_paged_filtered_and_searched(house: House) -> None:
    ann = await somebody(house)
    await some_datasets(house, ann, *(f"Cats {number:02}" for number in range(27)))
    await a_ready_dataset(house, ann, name="gogs")
    await say(house, ann, "dataset edit", dataset="gogs", tags="toy")
    first = await say(house, ann, "dataset list")
    second, then = await press(house, ann, first, "More…")

    assert (len(rows(first)), labels(first), then) == (25, ["More…"], "replace")
    assert rows(second) == (
        ("Cats 25", "empty", "draft"),
        ("Cats 26", "empty", "draft"),
        ("gogs", "3 pictures", "ready"),
    )
    assert labels(second) == []
    assert first.lines == (f"1 of 5120 MB and 3 of {house.settings.quota_items} items are stored.",)
    for narrowed in ({"status": "ready"}, {"text": "GOG"}, {"tag": "toy"}, {"page": "2", "text": "s"}):
        reply = await say(house, ann, "dataset list", **narrowed)
        assert rows(reply)[-1] == ("gogs", "3 pictures", "ready")
    for nothing in ({"text": "birds"}, {"page": "3"}, {"scope": "public"}, {"status": "error"}):
        assert (await say(house, ann, "dataset list", **nothing)).title == "No such dataset"


async def test_what_others_share_is_listed_by_its_id(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    shared = await say(house, ann, "dataset share", dataset="zorp", whom="bob")
    seen = await say(house, bob, "dataset list", scope="shared")
    viewed = await say(house, bob, "dataset view", dataset=dataset.id)
    back = await say(house, ann, "dataset unshare", dataset="zorp", user="bob")

    assert shared.title == "«zorp» is shared with bob"
    assert (rows(seen), seen.lines) == ((("zorp", "3 pictures", dataset.id),), ())
    assert (viewed.title, labels(viewed), viewed.link) == ("zorp · ready", ["Train"], None)
    assert back.title == "«zorp» is not shared with bob any more"
    assert (await say(house, bob, "dataset view", dataset=dataset.id)).code == "not_found"
    for whom, title in (("public", "«zorp» is public"), ("Unlisted", "«zorp» is unlisted")):
        assert (await say(house, ann, "dataset share", dataset="zorp", whom=whom)).title == title
        found = await say(house, bob, "dataset list", scope="public")
        assert bool(rows(found)) == (whom == "public")
    assert (await say(house, bob, "dataset share", dataset=dataset.id, whom="private")).code == "not_found"
    assert (await say(house, ann, "dataset share", dataset="zorp", whom="nobody")).code == "not_found"


async def test_what_is_for_adults_is_shown_to_others_among_adults_only(house: House) -> None:
    ann, bob = await verified(house), await somebody(house, "bob")
    opened = await say_to_adults(house, ann, "dataset new", name="late", trigger="latex1", rating="nsfw")
    dataset = facts(opened)["id"]
    await say(house, ann, "dataset share", dataset=dataset, whom="public")

    assert rows(await say(house, bob, "dataset list", scope="public")) == ()
    assert (await say(house, bob, "dataset view", dataset=dataset)).code == "not_here"
    assert rows(await say_to_adults(house, bob, "dataset list", scope="public")) == (("late", "empty", dataset),)
    assert (await say_to_adults(house, bob, "dataset view", dataset=dataset)).code == "not_adult"
    assert (await say_to_adults(house, bob.but(adult=True), "dataset view", dataset=dataset)).title == "late · draft"


async def test_a_dataset_tells_what_became_of_it(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await an_order(house, ann, dataset)
    (item, *_) = await house.store.items.of(dataset.id)
    await house.services.reviews.review(ann, item, CaptionReview.APPROVED)
    run = await house.store.runs.get(job.id)
    trained = f"{clock.now():%d %b %Y %H:%M} · run {run.id} · snapshot {run.snapshot[:12]} · tiny"

    lines = (await say(house, ann, "dataset view", dataset="zorp")).lines
    (snapshot,) = await house.store.snapshots.of(dataset.id)
    await house.store.snapshots.save(snapshot.erased(now=clock.now()))
    later = (await say(house, ann, "dataset view", dataset="zorp")).lines

    assert lines[-3:] == ("Captions: 2 pending, 1 approved.", "Trained 1 time:", trained)
    assert later[-1] == f"{trained} · unrepeatable: its files are gone"


async def test_a_dataset_of_conversations_shows_its_parts_samples_and_errors(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="chats", trigger="chatx1")
    said = Conversation(conversation_id="1", turns=(Turn(role="user", content="hi"),)).model_dump_json()
    job = await house.services.intakes.add(ann, dataset, (), links=("https://a.example/x.jsonl",), place=HOME, key="k")
    portion = intake.Portion(artifact=await stored(house, "part-1.jsonl", said.encode()), count=12)
    await finished(house, job, intake.Result(portions=(portion,), source_format="openai"))
    known = await house.store.datasets.get(dataset.id)
    wrong = LineError(file="x.jsonl", line=3, turn=2, words="Nobody says this.")
    await house.store.datasets.save(known.but(errors=(wrong,), error_count=1, samples=("user: hi\nassistant: ho",)))

    view = await say(house, ann, "dataset view", dataset="chats")

    assert rows(view) == (("1", "part-1.jsonl", "12 conversations"),)
    assert facts(view)["holds"] == "12 conversations"
    assert facts(view)["came as"] == "openai · https://a.example/x.jsonl"
    assert view.lines[-3:] == ("—", "user: hi", "assistant: ho")
    assert known.kind is Kind.CONVERSATIONS


async def test_the_pictures_of_a_dataset_are_paged(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann, pictures=27)
    first = await say(house, ann, "dataset view", dataset="zorp")
    second, _ = await press(house, ann, first, "More…")

    assert len(rows(first)) == 25
    assert rows(second)[-1] == ("27", "zorp 26.png", "zorp number 26")


async def test_an_upload_that_was_begun_is_gone_on_with(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    opened = await house.services.uploads.open(ann, dataset, place=HOME)
    idle = await say(house, ann, "dataset view", dataset="zorp")
    await house.services.uploads.begin(opened.rpartition("/")[2], "a.zip", size=2**21)

    begun = await say(house, ann, "dataset view", dataset="zorp")

    assert (idle.link, begun.link) == (None, opened)
    assert begun.lines[-1] == "An upload is not finished, 0.0 of 2.0 MB are here. Go on by this link:"


async def test_an_edit_changes_what_is_named_and_no_more(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    await a_ready_dataset(house, ann, name="blip")
    asked = await say(house, ann, "dataset edit", dataset="zorp")
    edited = await say(
        house, ann, "dataset edit", dataset="zorp", tags="robot, toy", constraints="on white, studio  light"
    )
    after = await say(house, ann, "dataset edit", dataset="zorp", name="The  Zorp", tags="none", description="A robot.")
    known = await house.store.datasets.get(dataset.id)

    assert asked.title == "What to change of «zorp»?"
    assert facts(edited)["constraints"] == "on white, studio light"
    assert facts(after) == {
        "name": "The Zorp",
        "rating": "sfw",
        "tags": "none",
        "constraints": "on white, studio light",
        "description": "A robot.",
    }
    assert (known.status, known.folded) == ("ready", "the zorp")
    assert "traitless" in {finding.code for finding in known.findings}
    for wrong, code in (
        ({"name": "BLIP"}, "name_taken"),
        ({"constraints": "x" * 101}, "bad_value"),
        ({"tags": "ö"}, "bad_value"),
        ({"description": "nude child"}, "minors_guarded"),
        ({"rating": "nsfw"}, "not_here"),
    ):
        assert (await say(house, ann, "dataset edit", dataset="The Zorp", **wrong)).code == code
    assert await house.store.datasets.get(dataset.id) == known


async def test_only_what_may_be_for_adults_becomes_so_and_stays_so(house: House) -> None:
    ann = await verified(house)
    mia = (await house.services.characters.create(ann, name="Mia", trigger="miax1")).character
    dataset = await a_ready_dataset(house, ann, name="miax1")
    await house.services.datasets.edit(ann, dataset.id, tags=["teen"])

    async def rated(actor: Actor, rating: Rating) -> str | None:
        return (await say_to_adults(house, actor, "dataset edit", dataset=dataset.id, rating=rating)).code

    assert dataset.character == mia.id
    assert await rated(ann.but(adult=False), Rating.NSFW) == "minors_guarded"
    await house.services.datasets.edit(ann, dataset.id, tags=[])
    assert await rated(ann.but(adult=False), Rating.NSFW) == "not_adult"
    assert await rated(ann, Rating.NSFW) == "character_not_adult"
    await house.services.characters.attest(ann, mia.id, words=ADULT)
    (item, *_) = await house.store.items.of(dataset.id)
    await house.services.captions.edit(ann, item, text="miax1, a schoolgirl")
    assert await rated(ann, Rating.NSFW) == "minors_guarded"
    await house.services.captions.edit(ann, item, text="miax1")
    assert await rated(ann, Rating.NSFW) is None
    assert await rated(ann, Rating.SFW) == "rating_kept"
    assert (await house.store.datasets.get(dataset.id)).review == "pending"


async def test_new_datasets_are_offered_the_triggers_of_ones_characters(house: House) -> None:
    ann = await somebody(house)
    for name in ("Mia", "Leo"):
        await house.services.characters.create(ann, name=name, trigger=f"{name}x1")
    (leo, _) = await house.services.characters.known(ann)
    await house.services.characters.edit(ann, leo.id, active=False)
    dispatcher = a_dispatcher()
    page = await dispatcher.choices(dispatcher.definition("dataset new"), "trigger", a_call(house, ann), "", {})
    opened = await say(house, ann, "dataset new", name="beach", trigger="MIAX1")

    assert [(one.value, one.label) for one in page.choices] == [("miax1", "Mia (miax1)")]
    assert facts(await say(house, ann, "dataset view", dataset=facts(opened)["id"]))["character"] == "Mia"
    assert (await say(house, ann, "dataset new", name="pool", trigger="leox1")).code == "character_inactive"
    assert (await say(house, ann, "dataset new", name="pool", trigger="cat")).code == "bad_trigger"


async def test_links_are_fetched_by_a_job(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    reply = await say(house, ann, "dataset fetch", dataset="zorp", links="https://a.example/1.png http://b.example/2")
    assert reply.job
    job = await house.store.jobs.get(reply.job)

    assert reply.title == "2 links received for «zorp»"
    assert intake.Payload.model_validate(job.payload) == intake.Payload(
        dataset=dataset.id, files=(), links=("https://a.example/1.png", "http://b.example/2")
    )


@pytest.mark.parametrize(
    "links", ["", "ftp://a/b", "https://", "a.png", "https://[", " ".join(["https://a/b"] * 2 + ["x"])]
)
async def test_what_is_no_link_is_refused(house: House, links: str) -> None:
    ann = await somebody(house)
    await house.services.datasets.create(ann, name="zorp", trigger="zorp")

    assert (await say(house, ann, "dataset fetch", dataset="zorp", links=links)).code == "bad_value"


async def test_pictures_are_removed_after_a_question(house: House) -> None:
    ann, bob = await somebody(house), moderating(await somebody(house, "bob"))
    dataset = await a_ready_dataset(house, ann, pictures=4)
    asked = await say(house, ann, "dataset remove", dataset="zorp", pictures='1, "zorp 3.png" 1'.replace('"', ""))
    by_name = await say(house, ann, "dataset remove", dataset="zorp", pictures="ZORP 3.png")
    several = await say(house, ann, "dataset remove", dataset="zorp", pictures="1, 3")
    done, then = await press(house, ann, several, "Remove")
    again, _ = await press(house, ann, several, "Remove")

    assert (asked.code, by_name.title) == ("not_found", "Remove 1 picture from «zorp»?")
    assert several.lines[0] == "zorp 0.png, zorp 2.png"
    assert (done.title, done.title, then) == (again.title, "«zorp»: 2 pictures left", "replace")
    assert [item.artifact.name for item in await house.store.items.of(dataset.id)] == ["zorp 1.png", "zorp 3.png"]
    assert (await say(house, bob, "dataset remove", dataset=dataset.id, pictures="1")).code == "not_found"


async def test_deleted_datasets_come_back_or_go_for_good(house: House) -> None:
    ann = await somebody(house)
    for name in ("zorp", "blip", "gorp"):
        await a_ready_dataset(house, ann, name=name)
    one, _ = await press(house, ann, await say(house, ann, "dataset delete", dataset="zorp"), "Delete")
    narrowed = await say(house, ann, "dataset list", status="ready")
    many, _ = await press(house, ann, narrowed, "Delete all…")
    await house.services.datasets.create(ann, name="late", trigger="latex1")
    deleted, _ = await press(house, ann, many, "Delete them")
    back, _ = await press(house, ann, one, "Restore")
    purged, _ = await press(house, ann, await say(house, ann, "dataset purge", dataset="blip"), "Purge")
    listed = await say(house, ann, "dataset list", scope="deleted")

    assert many.title == "Delete 2 datasets?"
    assert many.lines[0] == "«blip» (3 pictures), «gorp» (3 pictures)"
    assert (deleted.title, back.title) == ("2 datasets deleted", "«zorp» is back")
    assert purged.title == "«blip» is gone for good"
    assert purged.lines == (f"1 of 5120 MB and 6 of {house.settings.quota_items} items are stored.",)
    assert [row[:2] for row in rows(listed)] == [("gorp", "3 pictures")]
    assert (await say(house, ann, "dataset restore", dataset="blip")).code == "not_found"
    last, _ = await press(house, ann, await say(house, ann, "dataset purge", dataset="all"), "Purge")
    assert last.title == "«gorp» is gone for good"
    assert (await say(house, ann, "dataset purge", dataset="all")).code == "not_found"
    assert (await say(house, ann, "dataset delete-all", text="nothing")).code == "nothing_to_do"


async def test_what_changed_since_it_was_seen_is_not_deleted(house: House) -> None:
    ann = await somebody(house)
    for name in ("zorp", "blip"):
        await house.services.datasets.create(ann, name=name, trigger=name)
    seen = await say(house, ann, "dataset delete-all")
    await house.services.datasets.create(ann, name="late", trigger="latex1")
    refused, _ = await press(house, ann, seen, "Delete them")
    assert refused.code == "outdated"
    await press(house, ann, await say(house, ann, "dataset delete-all"), "Delete them")
    bin_ = await say(house, ann, "dataset purge", dataset="all")
    await press(house, ann, await say(house, ann, "dataset purge", dataset="late"), "Purge")
    outdated, _ = await press(house, ann, bin_, "Purge them")

    assert outdated.code == "outdated"
    assert button(bin_, "Purge them").style == "danger"
    assert len(rows(await say(house, ann, "dataset list", scope="deleted"))) == 2


async def test_nobody_is_asked_about_the_dataset_of_another(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset: Dataset = await a_ready_dataset(house, ann)
    await say(house, ann, "dataset share", dataset="zorp", whom="public")

    for path, said in (("dataset delete", {}), ("dataset edit", {}), ("dataset remove", {"pictures": "1"})):
        assert (await say(house, bob, path, dataset=dataset.id, **said)).code == "not_found"
