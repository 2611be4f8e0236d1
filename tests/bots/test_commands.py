"""Every command on the real house: what it answers, and that its buttons lead on."""

from dataclasses import dataclass

import pytest

from bots.commands import discovered
from core.domain.account import Actor, Role
from core.domain.dataset import Dataset
from core.domain.model import Model
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.scenes import (
    BROKEN,
    Upload,
    a_ready_dataset,
    a_trained_model,
    an_order,
    claimed,
    finished,
    somebody,
    taken_in,
)


@dataclass(frozen=True, kw_only=True)
class Life:
    """Somebody who has a dataset and a model made of it."""

    house: House
    ann: Actor
    dataset: Dataset
    model: Model


@pytest.fixture
async def life(house: House) -> Life:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    return Life(house=house, ann=ann, dataset=(await house.services.datasets.list(ann))[0], model=model)


async def test_a_newcomer_is_told_what_to_do_by_every_command(house: House) -> None:
    ann = await somebody(house)
    titles = {
        path: (await say(house, ann, path)).title
        for path in ("start", "me", "offerings", "wallet", "receipts", "dataset list", "train list", "model list")
    }

    assert titles == {
        "start": "Welcome to LoraGuild, ann",
        "me": "ann",
        "offerings": "Offerings",
        "wallet": "100 to spend",
        "receipts": "No receipts yet",
        "dataset list": "No datasets yet",
        "train list": "No trainings yet",
        "model list": "No models yet",
    }


async def test_help_lists_what_one_may_do_and_explains_one_command(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    listed = await say(house, ann, "help")
    for_admins = await say(house, root, "help")
    one, detailed = [await say(house, ann, "help", name=name) for name in ("train order", "imagine")]
    assert (await say(house, ann, "help", name="zzz")).code == "not_found"

    assert listed.table
    assert for_admins.table
    for table, role in ((listed.table, Role.USER), (for_admins.table, Role.ADMIN)):
        menu = [known.usage for known in discovered().values() if known.menu and role.covers(known.role)]
        assert [usage for usage, _ in table.rows] == sorted(menu, key=lambda usage: usage)
    assert one.title == "train order DATASET OFFERING [PRESET] [name=value…]"
    assert one.fields[0] == ("dataset", "What to train on")
    assert [line.split()[-1] for line in detailed.lines] == ["models.", "picture."]  # a line for each paragraph


async def test_a_dataset_from_its_name_to_its_deletion(house: House) -> None:
    ann = await somebody(house)
    opened = await say(house, ann, "dataset new", name="My Zorp", trigger="zorp")
    received = await say(house, ann, "dataset add", dataset="my", files=(Upload(name="a.png", content=b"a"),))
    assert received.job
    await taken_in(house, await house.store.jobs.get(received.job))
    card = await say(house, ann, "train view", job=received.job)
    checking = await say(house, ann, "dataset check", dataset="my zorp")
    assert checking.job
    await finished(house, await house.store.jobs.get(checking.job))
    checked = await say(house, ann, "train view", job=checking.job)
    view = await say(house, ann, "dataset view", dataset="my zorp")
    asked = await say(house, ann, "dataset delete", dataset="my zorp")
    gone, _ = await press(house, ann, asked, "Delete")

    assert opened.title == "Dataset «My Zorp» is open"
    assert opened.lines[1] == 'Now add files: `dataset add "My Zorp" FILES…`.'
    assert card.lines == ("1 picture taken into «My Zorp».", "The doctor looks at them now.")
    assert checked.lines[0] == "1 picture, 512×512 px, 1 captioned: ready."
    assert checked.pictures
    assert view.title == "My Zorp · ready"
    assert view.table
    assert view.table.rows == (("1", "a.png", "zorp number 0"),)
    assert (asked.title, gone.title) == ("Delete «My Zorp» with its 1 picture?", "«My Zorp» is deleted")
    assert (await say(house, ann, "dataset view", dataset="my zorp")).code == "not_found"


async def test_captions_by_hand_and_automatically(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    edited = await say(house, ann, "caption edit", dataset="zorp", picture="2", text="zorp, a hat")
    bare = await say(house, ann, "caption edit", dataset="zorp", picture="zorp 0.png", text="a hat")
    auto = await say(house, ann, "caption auto", dataset="zorp", mode="overwrite")
    assert auto.job
    await finished(house, await house.store.jobs.get(auto.job))
    card = await say(house, ann, "train view", job=auto.job)

    assert (edited.lines, edited.fields) == (("zorp, a hat",), (("version", "2"),))
    assert bare.lines[1] == "The trigger word «zorp» is not in it."
    assert card.table
    assert card.table.rows[0] == ("zorp 0.png", "zorp, a scene of zorp 0.png")
    assert (await say(house, ann, "caption auto", dataset="zorp")).code == "nothing_to_do"
    assert (await say(house, ann, "caption edit", dataset="zorp", picture="9", text="x")).code == "not_found"


async def test_an_order_shows_the_price_and_waits_for_confirm(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    quoted = await say(house, ann, "train order", dataset="zorp", offering="tiny", settings="steps=400")
    before = await house.services.jobs.list(ann)
    card, then = await press(house, ann, quoted, "Confirm")
    again, _ = await press(house, ann, quoted, "Confirm")
    declined, _ = await press(house, ann, quoted, "Cancel")

    assert (quoted.title, dict(quoted.fields)["balance after"]) == ("30 points: Tiny, fast", "70")
    assert dict(quoted.fields)["made of"] == "base 10, 400 steps 20"
    assert labels(quoted) == ["Confirm", "Change", "Cancel"]
    assert (card.title, card.lines) == (again.title, again.lines)
    assert card.title == "zorp · Tiny · waiting"
    assert (then, card.job, again.job) == ("replace", again.job, card.job)
    assert len(await house.services.jobs.list(ann)) == len(before) + 1
    assert declined.title == "Nothing ordered"


async def test_a_price_beyond_the_wallet_says_what_is_missing(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    quoted = await say(house, ann, "quote", dataset="zorp", offering="tiny", preset="slow", settings="steps=2000")
    refused, _ = await press(house, ann, quoted, "Confirm")

    assert dict(quoted.fields)["balance after"] == "10 missing"
    assert refused.code == "not_enough_points"
    assert "110 and you have 100: 10 missing" in refused.lines[0]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"dataset": "blip", "offering": "tiny"}, "not_found"),
        ({"dataset": "zorp", "offering": "nope"}, "not_found"),
        ({"dataset": "zorp", "offering": "tiny", "preset": "nope"}, "not_found"),
        ({"dataset": "zorp", "offering": "tiny", "settings": "steps=5"}, "out_of_bounds"),
        ({"dataset": "zorp", "offering": "tiny", "settings": "colour=red"}, "unknown_parameter"),
        ({"dataset": "empty", "offering": "tiny"}, "dataset_empty"),
        ({"dataset": "zorp"}, "bad_value"),
    ],
)
async def test_an_order_that_cannot_be_is_refused(house: House, raw: dict[str, str], code: str) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    await say(house, ann, "dataset new", name="empty", trigger="empty")

    assert (await say(house, ann, "train order", **raw)).code == code


async def test_a_training_on_the_way_and_at_its_end(house: House) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    waiting = await say(house, ann, "train view", job=job.id)
    why = await say(house, ann, "train why", job=job.id)
    await house.store.jobs.save(job.but(labels=("gpu",)))
    needing = await say(house, ann, "train why", job=job.id)
    await house.store.jobs.save(job)
    found, token = await claimed(house, job)
    running = await say(house, ann, "train view", job=job.id)
    not_waiting = await say(house, ann, "train why", job=job.id)
    await house.services.jobs.release(found.id, token)
    await finished(house, job)
    done = await say(house, ann, "train view", job=job.id)
    receipt, _ = await press(house, ann, done, "Receipt")

    assert (waiting.title, waiting.lines) == ("zorp · Tiny · waiting", ("Position 1 in the queue.",))
    assert why.lines == (
        "Ahead of it: 0 jobs.",
        "No live worker takes training jobs. Start one: `loraguild worker`.",
    )
    assert needing.lines[1] == "No live worker with gpu takes training jobs. Start one: `loraguild worker`."
    assert running.title == "zorp · Tiny · running"
    assert labels(running) == ["Sample now", "Save now", "100 steps more", "Stop early", "Cancel"]
    assert not_waiting.title == "zorp · Tiny is not waiting: running"
    assert (done.title, labels(done)) == ("zorp · Tiny · done", ["Publish", "Try it", "Receipt"])
    assert dict(done.fields)["evaluation loss"] == "0.5000 → 0.2500"
    assert (len(done.pictures), len(done.files)) == (1, 1)
    assert receipt.table
    assert sorted(row[1:] for row in receipt.table.rows) == [("20", "captured: succeeded"), ("20", "held: zorp · Tiny")]


async def test_only_jobs_that_have_not_ended_are_offered_to_be_cancelled(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    await finished(house, await an_order(house, ann, dataset))
    waiting = await an_order(house, ann, dataset)
    dispatcher = a_dispatcher()

    offered = await dispatcher.choices(dispatcher.definition("train cancel"), "job", a_call(house, ann), "", {})

    assert [choice.value for choice in offered.choices] == [waiting.id]


async def test_a_failed_and_a_cancelled_job_say_that_the_money_is_back(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    broken = await an_order(house, ann, dataset)
    await finished(house, broken, BROKEN)
    failed = await say(house, ann, "train view", job=broken.id)
    job = await an_order(house, ann, dataset)
    cancelled, then = await press(house, ann, await say(house, ann, "train view", job=job.id), "Cancel")

    assert (failed.code, failed.lines) == ("broken", ("It broke.", "The 20 set aside went back to your wallet."))
    assert (cancelled.title, then) == ("zorp · Tiny · cancelled", "replace")
    assert cancelled.lines == ("The 20 set aside went back to your wallet.",)
    assert (await say(house, ann, "train cancel", job=job.id)).code == "job_ended"
    assert (await say(house, ann, "wallet")).title == "100 to spend"


async def test_a_model_is_viewed_published_downloaded_and_used(life: Life) -> None:
    house, ann, bob = life.house, life.ann, await somebody(life.house, "bob")
    view = await say(house, ann, "model view", model="zorp")
    hidden = await say(house, bob, "model view", model=life.model.id)
    published, _ = await press(house, ann, view, "Publish")
    again = await say(house, ann, "model publish", model="zorp")
    listed = await say(house, bob, "model list")
    file = await say(house, bob, "model download", model="ann/zorp")
    drawing = await say(house, bob, "imagine", prompt="a zorp", count="2", seed="5")
    assert drawing.job
    await finished(house, await house.store.jobs.get(drawing.job))
    done = await say(house, bob, "train view", job=drawing.job)

    assert (view.title, labels(view)) == (
        "ann/zorp · private",
        ["Publish", "Download", "Stats", "Edit", "Samples", "Epochs", "Delete"],
    )
    assert hidden.code == "not_found"
    assert (published.title, again.code) == ("ann/zorp is public", "model_state")
    assert listed.table
    assert listed.table.rows == (("ann/zorp", "zorp", "public"),)
    assert (file.files[0], file.files[1].name) == (life.model.file, "README.md")
    assert (len(done.pictures), done.fields[0], labels(done)) == (
        2,
        ("seed", "5 to 6"),
        ["Again", "Vary", "Info", "Rate", "Delete"],
    )
    assert (await say(house, bob, "imagine", prompt="nothing of that")).code == "no_trigger"


async def test_wallet_and_receipts_show_what_was_moved(life: Life) -> None:
    wallet = await say(life.house, life.ann, "wallet")
    receipts = await say(life.house, life.ann, "receipts")

    assert (wallet.title, wallet.fields) == ("80 to spend", (("points", "80 (refill daily to 100)"), ("qoints", "0")))
    assert wallet.table
    assert sorted(row[1:] for row in wallet.table.rows) == [
        ("+100 points", "refilled: daily points of 2026-03-01"),
        ("−20 points", "held: zorp · Tiny"),
    ]
    assert receipts.table
    assert [row[:2] for row in receipts.table.rows] == [(life.model.run, "zorp · Tiny")]


async def test_every_button_leads_to_a_command_that_takes_its_arguments(life: Life) -> None:
    house, ann = life.house, life.ann
    replies = [
        await say(house, ann, "start"),
        await say(house, ann, "dataset view", dataset="zorp"),
        await say(house, ann, "dataset delete", dataset="zorp"),
        await say(house, ann, "quote", dataset="zorp", offering="tiny"),
        await say(house, ann, "model view", model="zorp"),
        await say(house, ann, "train view", job=life.model.run),
        await say(house, ann, "dataset new", name="new", trigger="new1"),
    ]

    for one in (one for reply in replies for one in reply.buttons):
        definition = discovered()[one.command]
        assert set(one.arguments) <= set(definition.parameters)
        required = set(definition.parameters) - definition.optional - set(one.arguments)
        assert required <= {definition.files, "offering"}  # these are asked for
        assert one.token
    assert button(replies[3], "Confirm").arguments
