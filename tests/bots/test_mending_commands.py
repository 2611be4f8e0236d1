"""What the doctor says in a chat, and the buttons under it."""

from core.domain.account import Actor
from core.domain.conversation import PartFacts
from core.domain.dataset import Dataset
from core.domain.doctor import LARGE, conversations_examined
from core.domain.finding import LineError, TokenCount
from core.domain.job import Job
from core.domain.rating import Rating
from core.kinds import intake, validation
from loraguild.composition import House
from tests.builders.chats import labels, press, say
from tests.builders.scenes import a_picture, finished, somebody, stored, uploaded


async def looked(house: House, dataset: Dataset, result: validation.Result | None = None) -> Job:
    """Let the doctor look."""
    (look,) = [job for job in await house.store.jobs.about(dataset.id) if job.kind == "validation"]
    return await finished(house, look, result)


async def with_copies(house: House, ann: Actor) -> Dataset:
    """Bundle a picture, its copy, a look-alike of it and one that is too large; two of them say no trigger."""
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    job = await uploaded(house, ann, dataset, "raw.zip")
    first = await a_picture(house, "first.png")
    other = await a_picture(house, "other.png", 1)
    pictures = (
        first,
        first.but(artifact=first.artifact.but(name="copy.png")),
        (await a_picture(house, "alike.png")).but(width=500, caption="a robot"),
        other.but(width=LARGE + 1, caption=None),
    )
    await finished(house, job, intake.Result(pictures=pictures))
    return dataset


async def test_the_doctor_says_what_he_found_and_offers_what_mends_it(house: House) -> None:
    ann = await somebody(house)
    dataset = await with_copies(house, ann)
    look = await looked(house, dataset)

    card = await say(house, ann, "train view", job=look.id)

    assert card.title == "zorp · the doctor looks · done"
    assert card.lines == (
        f"4 pictures, 500×512 to {LARGE + 1}×512 px, 3 captioned: ready.",
        "1 KB. Shorter sides: 1 from 256 to 511 px, 3 from 512 to 767 px. Shapes: 3 of 1:1, 1 of 16:9.",
        "2 of 3 captions say «zorp»; they have about 3 to 4 tokens.",
        "! The same picture more than once: copy.png.",
        "! Look much alike: first.png ~ alike.png. Variety teaches more.",
        f"! Larger than {LARGE} px, which no training needs: other.png.",
        "! 1 of 4 without a caption; they would be trained as «zorp».",
        "! The trigger «zorp» is missing in the captions of alike.png.",
    )
    assert labels(card) == [
        "Drop the copies",
        "Drop look-alikes",
        "Keep look-alikes",
        "Scale them down",
        "Say trigger and traits",
        "Caption them",
        "Check again",
    ]


async def test_dropping_is_asked_once_more_and_the_rest_is_one_tap(house: House) -> None:
    ann = await somebody(house)
    dataset = await with_copies(house, ann)
    card = await say(house, ann, "train view", job=(await looked(house, dataset)).id)

    composed, _ = await press(house, ann, card, "Say trigger and traits")
    kept, _ = await press(house, ann, card, "Keep look-alikes")
    asked, _ = await press(house, ann, card, "Drop the copies")
    untouched = (await house.store.datasets.get(dataset.id)).count
    dropped, _ = await press(house, ann, asked, "Drop them")
    await looked(house, dataset)
    again, _ = await press(house, ann, card, "Drop the copies")
    scaled, _ = await press(house, ann, card, "Scale them down")

    assert (composed.title, kept.title) == ("«zorp» is mended", "«zorp» is mended")
    assert "Say trigger and traits" not in labels(composed)
    assert "Keep look-alikes" not in labels(kept)
    assert (asked.title, asked.lines[0], untouched) == ("Drop 1 picture from «zorp»?", "2 · copy.png", 4)
    assert dropped.title == "zorp · the doctor looks · waiting"
    assert (again.code, (await house.store.datasets.get(dataset.id)).count) == ("nothing_to_do", 3)
    assert scaled.title == "zorp · large pictures are scaled down · waiting"


async def test_pairs_and_sheets_are_shown_with_the_rating_of_the_dataset(house: House) -> None:
    ann = await somebody(house)
    dataset = await with_copies(house, ann)
    adult = (await house.store.datasets.get(dataset.id)).but(rating=Rating.NSFW)
    await house.store.datasets.save(adult)
    sheet, pairs = await stored(house, "sheet.png"), await stored(house, "pairs.png")
    result = validation.Result(revision=adult.revision, sheets=(sheet,), pairs=pairs)

    card = await say(house, ann, "train view", job=(await looked(house, dataset, result)).id)
    asked = await say(house, ann, "dataset mend", dataset="zorp", fix="drop_near")

    assert (card.pictures, card.rating) == ((sheet, pairs), Rating.NSFW)
    assert (asked.pictures, asked.rating, asked.lines[0]) == ((pairs,), Rating.NSFW, "3 · alike.png")


async def test_conversations_are_told_in_their_own_words(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="talk", trigger="talk-x1")
    job = await uploaded(house, ann, dataset, "talk.jsonl")
    portion = intake.Portion(artifact=await stored(house, "part"), count=2, facts=PartFacts(faults=1))
    error = LineError(file="talk.jsonl", line=3, words="This is no JSON.")
    await finished(house, job, intake.Result(portions=(portion,), errors=(error,), error_count=1))
    current = await house.store.datasets.get(dataset.id)
    facts = PartFacts(turns=8, pairs=4, validation_pairs=1, faults=1)
    tokens = TokenCount(total=36, texts=8, estimated=True)
    findings, statistics = conversations_examined(current, facts, tokens=tokens, duplicates=0)
    fault = LineError(file="talk.jsonl", line=2, turn=3, words="Nothing is said in this turn.")
    result = validation.Result(
        revision=current.revision,
        findings=findings,
        statistics=statistics,
        faults=(fault,),
        samples=("user: Hello\nassistant: Good day",),
    )

    card = await say(house, ann, "train view", job=(await looked(house, dataset, result)).id)
    mended, _ = await press(house, ann, card, "Go on without them")
    ordered, _ = await press(house, ann, card, "Put roles in order")

    assert card.lines == (
        "2 conversations, 1 KB: error.",
        "8 turns, 4.0 each; 3 pairs to train on, 1 to test; about 36 tokens, 4.5 a turn.",
        "✗ 1 line of your files that could not be read: send them again mended, or go on without them.",
        "✗ 1 turn in which the roles are not in order or nothing is said.",
        "talk.jsonl:3 This is no JSON.",
        "talk.jsonl:2:3 Nothing is said in this turn.",
        "—",
        "user: Hello",
        "assistant: Good day",
    )
    assert labels(card) == ["Go on without them", "Put roles in order", "Check again"]
    assert labels(mended) == ["Put roles in order", "Check again"]
    assert ordered.title == "talk · roles are put in order · waiting"


async def test_others_can_mend_nothing(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await with_copies(house, ann)

    for path in ("dataset mend", "dataset mend-now"):
        assert (await say(house, bob, path, dataset=dataset.id, fix="drop_exact")).code == "not_found"
