"""Steering a training from a chat: what is asked, what is shown, and what comes back."""

from bots.cards.notices import told
from core.domain.account import Actor
from core.domain.job import Failure, Job, JobState, Progress
from core.domain.notice import Topic
from core.domain.run import Epoch, Glimpse
from core.domain.steering import Steer
from loraguild.composition import House
from tests.builders.chats import a_call, labels, press, say
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, an_order, claimed, prove_the_ledger, somebody, stored, well_done


async def under_way(house: House, ann: Actor) -> tuple[Job, str]:
    """Let a training of 200 steps and 20 points be at step 150, in its second epoch."""
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    found, token = await claimed(house, job)
    epoch = Epoch(number=1, step=100, loss=0.5, artifact=await stored(house, "epoch 1"))
    await house.services.runs.passed(job.id, token, epoch, run=job.id)
    await house.services.jobs.report(job.id, token, progress=Progress(step=150, total=200, doing="training"))
    return found, token


async def test_the_card_of_a_running_training_offers_what_can_be_wished(house: House) -> None:
    ann = await somebody(house)
    job, _ = await under_way(house, ann)
    card = await say(house, ann, "train view", job=job.id)
    assert labels(card) == ["Sample now", "Save now", "100 steps more", "Stop early", "Cancel"]
    told, _ = await press(house, ann, card, "Sample now")
    assert told.lines == ("Samples are on their way.",)
    assert [wish.what for wish in (await house.store.jobs.get(job.id)).wishes] == [Steer.SAMPLE]


async def test_what_was_wished_for_comes_as_news(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    await say(house, ann, "train sample", job=job.title)
    await say(house, ann, "train save", job=job.title)
    picture, copy = (await stored(house, "now.png")).but(media_type="image/png"), await stored(house, "copy")
    await house.services.steerings.sampled(job.id, token, Glimpse(step=151, samples=(picture,)))
    await house.services.steerings.saved(job.id, token, copy, step=152, loss=0.25)

    news = [one for one in await house.services.deliveries.pending(HOME.platform) if one.topic is Topic.STEERED]
    replies = [await told(a_call(house, ann), one) for one in sorted(news, key=lambda one: one.details["step"])]
    kept = "The copy is kept with its epochs: when the training is done, it can be chosen."
    assert [(one.title, one.pictures, one.files, one.lines) for one in replies] == [
        (f"{job.title} · step 151", (picture,), (), ()),
        (f"{job.title} · step 152", (), (), (kept,)),  # who got the file now could cancel, and pay nothing
    ]
    assert (await say(house, ann, "train view", job=job.id)).pictures == (picture,)


async def test_stopping_early_is_asked_once_more_and_may_keep_an_epoch(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    asked = await say(house, ann, "train stop", job=job.id)
    assert asked.title == f"Stop «{job.title}» and keep the model as it is now?"
    assert asked.lines == ("It costs about 18 of the 20 set aside; the rest goes back.",)
    assert labels(asked) == ["Stop now", "Keep epoch 1"]
    other, _ = await press(house, ann, asked, "Keep epoch 1")
    assert (other.title, labels(other)) == (f"Stop «{job.title}» and keep epoch 1?", ["Stop now"])
    card, _ = await press(house, ann, other, "Stop now")
    assert card.lines == ("It is about to stop.",)
    assert (await house.services.steerings.kept(job.id)) == (await house.store.runs.get(job.id)).epochs[0]
    done = await house.services.jobs.finish(job.id, token, (await well_done(house, job)).but(step=150))
    assert (done.state, done.due) == (JobState.SUCCEEDED, 18)
    assert (await say(house, ann, "train stop", job=job.id)).code == "job_ended"
    assert (await say(house, ann, "train stop", job=job.id, epoch="7")).code == "not_found"


async def test_more_steps_show_their_price_first(house: House) -> None:
    ann = await somebody(house)
    job, _ = await under_way(house, ann)
    asked, _ = await press(house, ann, await say(house, ann, "train view", job=job.id), "100 steps more")
    assert (asked.title, asked.lines) == ("5 points: 100 steps more", (f"«{job.title}» goes on to step 300.",))
    assert asked.fields == (("balance after", "75"),)
    for _ in range(2):
        await press(house, ann, asked, "Confirm")
    assert ((await house.store.jobs.get(job.id)).price, (await house.services.wallets.view(ann)).total) == (25, 75)
    assert (await say(house, ann, "train extend", job=job.id, steps="5000")).code == "out_of_bounds"
    await prove_the_ledger(house.store)


async def test_what_waits_cannot_be_steered(house: House) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    for path in ("train sample", "train save", "train stop"):
        refused = await say(house, ann, path, job=job.title)
        assert (refused.code, "is waiting, so there is nothing yet" in refused.lines[0]) == ("not_steerable", True)


async def test_what_the_house_has_failed_is_one_tap_away_and_free(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    await house.services.jobs.finish(job.id, token, Failure(code="disk_full", words="The disks are full."))
    card, _ = await press(house, ann, await say(house, ann, "train view", job=job.id), "Try again for free")
    assert card.title == f"{job.title} · waiting"
    assert (await house.services.wallets.view(ann)).total == 100


async def test_what_its_owner_has_failed_is_quoted_anew(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    words = "The loss is no longer a number at step 150. Order it again with a lower learning rate."
    await house.services.jobs.finish(job.id, token, Failure(code="nan_loss", words=words, ours=False))
    asked, _ = await press(house, ann, await say(house, ann, "train view", job=job.id), "Order again")
    assert (asked.title, asked.lines[0]) == (f"Order «{job.title}» once more?", words)
    quoted, _ = await press(house, ann, asked, "See the price")
    assert quoted.title == "20 points: Tiny, fast"
