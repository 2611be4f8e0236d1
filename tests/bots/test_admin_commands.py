"""What admins and moderators say, and what they are told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bots.chat.reply import Reply
from bots.commands import discovered
from core.domain.account import Actor, Role
from core.domain.community import Community
from core.domain.dataset import Dataset
from core.domain.rating import Rating
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.entities import HOME
from tests.builders.scenes import (
    Upload,
    a_ready_dataset,
    a_trained_model,
    a_worker,
    adult,
    an_order,
    claimed,
    finished,
    moderating,
    somebody,
    taken_in,
)

ADULT = HOME.but(adult=True)
FOR_ADMINS = [path for path, one in discovered().items() if path.startswith("admin ") and one.role is Role.ADMIN]


def rows(reply: Reply) -> Sequence[tuple[str, ...]]:
    return reply.table.rows if reply.table else ()


async def say_among_adults(house: House, actor: Actor, path: str, **raw: str) -> Reply:
    dispatcher = a_dispatcher()
    return await dispatcher.run(dispatcher.definition(path), replace(a_call(house, actor), place=ADULT), raw)


async def test_admin_commands_are_for_admins(house: House) -> None:
    mod = moderating(await somebody(house))

    assert {path: (await say(house, mod, path)).code for path in FOR_ADMINS} == dict.fromkeys(FOR_ADMINS, "not_allowed")


async def test_admins_grant_and_see_who_works(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    nobody = await say(house, root, "admin workers")
    await a_worker(house, "w1", kinds=("intake",))
    working = await say(house, root, "admin workers")
    granted = await say(house, root, "admin grant", user="ann", amount="50", why="well done")

    assert nobody.title == "No live worker"
    assert working.table
    assert working.table.rows == (("w1:1 (cpu)", "intake", "idle"),)
    assert (granted.title, granted.lines) == ("50 qoints granted to ann", ("well done",))
    assert (await say(house, ann, "wallet")).title == "150 to spend"
    assert (await say(house, root, "admin grant", user="nobody", amount="5")).code == "not_found"
    assert (await say(house, root, "admin grant", user="ann", amount="-5")).code == "bad_value"
    assert (await say(house, ann, "admin grant", user="ann", amount="5")).code == "not_allowed"
    assert (await say(house, ann, "admin workers")).code == "not_allowed"


async def test_a_refund_of_a_part_and_of_the_rest(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    model = await a_trained_model(house, ann)
    part = await say(house, root, "admin refund", job=model.run, amount="5", why="blurred")
    rest = await say(house, root, "admin refund", job=model.run)
    more = await say(house, root, "admin refund", job=model.run)
    wallet = await say(house, ann, "wallet")
    receipt = await say(house, ann, "receipts", job=model.run)

    assert (part.title, part.lines) == ("5 paid back for zorp · Tiny", ("blurred",))
    assert (rest.title, more.code) == ("15 paid back for zorp · Tiny", "bad_value")
    assert wallet.title == "100 to spend"
    assert {row[1:] for row in rows(wallet)} >= {
        ("+5 points", "paid back: blurred"),
        ("+15 points", "paid back: a refund"),
    }
    assert ("5", "paid back: blurred") in {row[1:] for row in rows(receipt)}


async def test_a_paused_queue_is_said_wherever_somebody_waits(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    paused = await say(house, root, "admin pause")
    queue = await say(house, root, "admin queue")
    card = await say(house, ann, "train view", job=job.id)
    why = await say(house, ann, "train why", job=job.id)
    resumed = await say(house, root, "admin resume")
    after = await say(house, ann, "train view", job=job.id)

    words = "The queue is paused. The job keeps its place."
    assert (paused.title, queue.title, resumed.title) == (
        "The queue is paused",
        "The queue is paused",
        "The queue goes on",
    )
    assert (card.lines, why.lines[0]) == (("Position 1 in the queue.", words), words)
    assert after.lines == ("Position 1 in the queue.",)


async def test_the_queue_says_whose_jobs_run_where_and_which_wait(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    empty = await say(house, root, "admin queue")
    dataset = await a_ready_dataset(house, ann)
    jobs = [await an_order(house, ann, dataset) for _ in range(3)]
    await claimed(house, jobs[0])
    queue = await say(house, root, "admin queue")
    requeued = await say(house, root, "admin requeue", job="ann: zorp")
    again = await say(house, root, "admin requeue", job=jobs[0].id)

    title = "zorp · Tiny"
    assert empty.title == "The queue is empty"
    assert rows(queue)[0] == (f"{jobs[0].id} {title}", "ann", "running on w1")
    assert sorted(row[1:] for row in rows(queue)[1:]) == [
        ("ann", "waiting for others of the same owner"),
        ("ann", "waiting, number 1"),
    ]
    assert (requeued.title, again.code) == (f"{title} is in the queue again", "nothing_to_do")


async def test_some_jobs_are_paused_by_kind_and_offering(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    paused = await say(house, root, "admin pause", what="training")
    await say(house, root, "admin pause", what="tiny")
    queue = await say(house, root, "admin queue")
    why = await say(house, ann, "train why", job=job.id)
    resumed = await say(house, root, "admin resume", what="tiny")
    unknown = await say(house, root, "admin pause", what="everything")

    words = "All of training is paused"
    assert (paused.title, paused.lines) == (words, ("What runs goes on. Undo it: `admin resume training`.",))
    assert (queue.title, queue.lines) == ("The queue", ("All of tiny is paused.", f"{words}."))
    assert f"{words}. The job keeps its place." in why.lines
    assert (resumed.title, unknown.code) == ("tiny goes on", "not_found")


async def test_a_waiting_job_is_given_another_priority(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    queue = await say(house, root, "admin queue")
    given = await say(house, root, "admin priority", job=job.id, priority="high")
    again = await say(house, root, "admin queue")
    await claimed(house, job)
    late = await say(house, root, "admin priority", job=job.id, priority="low")

    assert labels(queue) == ["Priority", "Costs"]
    assert given.title == f"{job.title} has high priority"
    assert rows(again)[0][2] == "waiting, number 1, high priority"
    assert late.code == "nothing_to_do"


async def test_who_waits_is_told_when_and_what_would_help(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    first = await an_order(house, bob, await a_ready_dataset(house, bob))
    await claimed(house, first, worker="able")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    why = await say(house, ann, "train why", job=job.id)
    await house.store.jobs.save(job.but(memory=8000))
    larger = await say(house, ann, "train why", job=job.id)

    starts, helped = why.lines[-2:]
    assert why.lines[:2] == ("Ahead of it: 0 jobs.", "1 worker can take it: able.")
    assert starts.startswith("It starts in about ")
    assert helped == "With one more such worker: in about 0 s."
    assert larger.lines[-1] == ("No live worker can take it: the one that comes closest lacks 8000 MB of GPU memory.")


async def test_a_worker_is_drained_by_name_and_let_in_again(house: House) -> None:
    root = await somebody(house, "root")
    await a_worker(house, "w1", kinds=("intake",))
    drained = await say(house, root, "admin drain", worker="w1")
    shown = await say(house, root, "admin workers")
    undrained = await say(house, root, "admin undrain", worker="w1:1")
    unknown = await say(house, root, "admin drain", worker="w2")

    assert (drained.title, undrained.title) == ("w1:1: no more jobs", "w1:1: takes jobs again")
    assert rows(shown) == (("w1:1 (cpu)", "nothing more: draining", "idle"),)
    assert rows(await say(house, root, "admin workers")) == (("w1:1 (cpu)", "intake", "idle"),)
    assert unknown.code == "not_found"


async def test_all_workers_are_drained_at_once(house: House) -> None:
    root = await somebody(house, "root")
    none = await say(house, root, "admin drain", worker="all")
    for name in ("w1", "w2"):
        await a_worker(house, name, kinds=("intake",))
    drained = await say(house, root, "admin drain", worker="all")

    assert (none.code, drained.title) == ("not_found", "w1:1, w2:1: no more jobs")
    assert {row[1] for row in rows(await say(house, root, "admin workers"))} == {"nothing more: draining"}


async def test_the_fleet_is_shown_with_what_it_has_lacks_and_does(house: House, clock: HandClock) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    await a_worker(house, "silent", kinds=("intake",))
    clock.advance(timedelta(minutes=5))
    running, _ = await claimed(house, job, worker="w1")
    facts = {"kinds": ("training",), "device": "NVIDIA H200", "gpu": "h200", "memory": 143_000, "version": "1.0"}
    facts |= {"jobs": (job.id,), "labels": ("gpu", "h200"), "base": "sd15", "speed": 12.345}
    await a_worker(house, "w1", **facts, missing={"sdxl": "there is no folder /b"})

    shown = await say(house, root, "admin workers")

    assert (shown.title, shown.lines) == ("1 live worker", ("w1 cannot work on sdxl: there is no folder /b.",))
    assert rows(shown) == (
        (
            "w1:1 (NVIDIA H200, 140 GB, 1.0)",
            "training; has gpu, h200",
            f"{running.title} ({job.id}, attempt 1); sd15 is warm; 12.3 steps/s",
        ),
        ("silent:1 (cpu)", "", "not heard of for 5 min"),
    )


async def test_an_offering_is_taken_off_and_put_on_again(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    await a_ready_dataset(house, ann)
    off = await say(house, root, "admin offering", offering="tiny", state="off")
    listed = await say(house, ann, "offerings")
    refused = await say(house, ann, "quote", dataset="zorp", offering="tiny")
    on = await say(house, root, "admin offering", offering="tiny", state="on")

    assert (off.title, on.title) == ("Tiny is off", "Tiny is on")
    assert ("tiny", "Tiny (off for now)") in {row[:2] for row in rows(listed)}
    assert refused.code == "offering_closed"
    assert (await say(house, ann, "quote", dataset="zorp", offering="tiny")).code is None


async def test_news_are_shown_before_they_are_told(house: House) -> None:
    root = await somebody(house, "root")
    await somebody(house)
    asked = await say(house, root, "admin broadcast", text="We are back.")
    told, _ = await press(house, root, asked, "Confirm")
    twice, _ = await press(house, root, asked, "Confirm")
    audit = await say(house, root, "admin audit", user="root")

    assert (asked.title, asked.lines) == ("Say this to 2 people?", ("We are back.",))
    assert told.title == twice.title == "2 people are being told"
    assert [row[1:] for row in rows(audit)] == [("root", "admin.broadcast everyone text=We are back. people=2")]
    assert (await say(house, root, "admin audit", user="ann")).table is None
    assert (await say(house, root, "admin broadcast", text="x" * 1001)).code == "bad_value"


async def a_dataset_for_adults(house: House, actor: Actor, *, name: str = "zorp") -> Dataset:
    await say_among_adults(house, actor, "dataset new", name=name, trigger=name, rating="nsfw")
    files = tuple(Upload(name=f"{number}.png", content=f"{number}".encode()) for number in range(3))
    received = await say(house, actor, "dataset add", dataset=name, files=files)
    assert received.job
    await taken_in(house, await house.store.jobs.get(received.job))
    return (await house.services.datasets.list(actor))[0]


async def test_a_moderator_sees_the_pictures_of_others_and_nothing_to_press(house: House) -> None:
    ann, mod = adult(await somebody(house)), moderating(await somebody(house, "mod"))
    dataset = await a_dataset_for_adults(house, ann)
    mine, theirs = [await say_among_adults(house, who, "dataset view", dataset=dataset.id) for who in (ann, mod)]
    checked = await say(house, ann, "dataset check", dataset=dataset.id)
    watched = await say(house, mod, "train view", job=str(checked.job))

    assert (theirs.title, theirs.table, theirs.rating) == (mine.title, mine.table, Rating.NSFW)
    assert (labels(mine), labels(checked), labels(watched)) == (["Check again"], ["Cancel"], [])


async def test_a_moderator_approves_one_and_rejects_the_next(house: House) -> None:
    ann, bob, mod = (
        adult(await somebody(house)),
        adult(await somebody(house, "bob")),
        moderating(await somebody(house, "mod")),
    )
    nothing = await say(house, mod, "admin moderate")
    await a_dataset_for_adults(house, ann)
    await a_dataset_for_adults(house, bob, name="blip")
    first = await say(house, mod, "admin moderate")
    approved, _ = await press(house, mod, first, "Approve")
    second, _ = await press(house, mod, approved, "Next")
    arguments = button(second, "Reject").arguments
    rejected = await say(house, mod, "admin moderate-reject", **arguments, why="too much")
    views = [await say(house, one, "dataset view", dataset=name) for one, name in ((ann, "zorp"), (bob, "blip"))]

    assert nothing.title == "Nothing waits for a moderator"
    assert (first.title, rows(first)) == (
        "«zorp» of ann: 3 pictures",
        (("zorp", "ann", "3 pictures"), ("blip", "bob", "3 pictures")),
    )
    assert (approved.title, second.title) == ("«zorp» is approved", "«blip» of bob: 3 pictures")
    assert rejected.title == "«blip» is rejected"
    assert [view.lines[-1] for view in views] == [
        "For adults: a moderator has approved it.",
        "For adults: a moderator has rejected it: too much",
    ]
    assert (await say(house, mod, "admin moderate")).title == "Nothing waits for a moderator"
    assert (await say(house, ann, "admin moderate")).code == "not_allowed"


async def test_a_dataset_for_adults_is_opened_only_where_they_are(house: House) -> None:
    ann = adult(await somebody(house))
    refused = await say(house, ann, "dataset new", name="zorp", trigger="zorp", rating="nsfw")
    opened = await say_among_adults(house, ann, "dataset new", name="zorp", trigger="zorp", rating="nsfw")

    call, named = a_call(house, ann), {"name": "blip", "trigger": "blip"}
    asked = [
        await a_dispatcher().question(discovered()["dataset new"], one, named)
        for one in (call, replace(call, place=ADULT))
    ]

    assert asked == [None, "rating"]
    assert refused.code == "not_here"
    assert opened.lines[-1] == "It is for adults: a moderator looks at it before a training."


async def test_a_new_dataset_is_rated_as_its_community_has_chosen(house: House) -> None:
    ann = adult(await somebody(house))
    await house.store.communities.add(Community(id="console:club", rating=Rating.NSFW))
    dispatcher = a_dispatcher()

    async def opened(name: str, *, adult: bool, **raw: str) -> str:
        club = HOME.but(community="club", private=False, adult=adult)
        call = replace(a_call(house, ann), place=club)
        reply = await dispatcher.run(
            dispatcher.definition("dataset new"), call, {"name": name, "trigger": "zorp", **raw}
        )
        return reply.code or (await house.services.datasets.list(ann, text=name))[0].rating

    assert await opened("one", adult=True) == "nsfw"
    assert await opened("two", adult=False) == "not_here"
    assert await opened("three", adult=False, rating="sfw") == "sfw"


async def test_everything_made_of_a_dataset_for_adults_says_so(house: House) -> None:
    ann, mod = adult(await somebody(house)), moderating(await somebody(house, "mod"))
    await a_dataset_for_adults(house, ann)
    await press(house, mod, await say(house, mod, "admin moderate"), "Approve")
    training = await an_order(house, ann, (await house.services.datasets.list(ann))[0])
    _, token = await claimed(house, training)
    running = await say(house, ann, "train view", job=training.id)
    await house.services.jobs.release(training.id, token)
    await finished(house, training)
    refused = await say(house, ann, "imagine", prompt="zorp")
    drawing = await say_among_adults(house, ann, "imagine", prompt="zorp")
    assert drawing.job
    await finished(house, await house.store.jobs.get(drawing.job))

    replies = [
        running,
        await say(house, ann, "dataset view", dataset="zorp"),
        await say(house, ann, "train view", job=training.id),
        await say(house, ann, "model view", model="zorp"),
        await say(house, ann, "model download", model="zorp"),
        await say(house, ann, "train view", job=drawing.job),
    ]
    assert [reply.rating for reply in replies] == [Rating.NSFW] * len(replies)
    assert refused.code == "not_here"


async def test_files_too_large_for_the_chat_come_in_by_a_link_and_none_is_read(house: House) -> None:
    ann = adult(await somebody(house))
    opened = await say(house, ann, "dataset new", name="zorp", trigger="zorp")
    files = (Upload(name="a.png", content=b"small"), Upload(name="b.zip", content=b"large one", most=5))
    reply = await say(house, ann, "dataset add", dataset="zorp", files=files)
    fitting = await say(house, ann, "dataset add", dataset="zorp", files=files[:1])
    asked = await say(house, ann, "dataset upload", dataset="zorp")
    pressed, _ = await press(house, ann, opened, "Upload in the browser")

    assert (reply.title, reply.job) == ("1 of 2 files are too large for this chat, and none was taken", None)
    assert reply.lines[0].startswith("b.zip: ")
    assert (asked.title, pressed.title) == ("Upload into «zorp»", "Upload into «zorp»")
    assert all(one.link and one.link.startswith("http") for one in (reply, asked, pressed))
    assert fitting.job
