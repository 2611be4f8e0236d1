"""The moving card: when it is posted, edited, left alone, posted anew, and ended."""

import asyncio
from datetime import timedelta

from bots.cards import continued, parting
from bots.delivery.courier import Courier
from bots.delivery.messenger import HandMessenger, TryLater
from bots.delivery.updating import updated
from core.domain.account import Role, Telling
from core.domain.notice import FIRST, FRESH, PACE
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.chats import a_dispatcher, labels, press
from tests.builders.deliveries import CHANNEL, DM, a_deliverer, a_job_at, a_member, reported, round_later
from tests.builders.scenes import claimed, finished

SECOND = timedelta(seconds=1)


async def test_a_card_is_posted_after_two_seconds_with_buttons_that_work(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)

    await deliverer.once()
    assert chat.seen(DM) == []
    await round_later(deliverer, clock, by=FIRST)

    (card,) = chat.seen(DM)
    assert (card.reply.title, labels(card.reply), card.mention) == (f"{job.title} · waiting", ["Cancel"], None)
    cancelled, _ = await press(house, ann, card.reply, "Cancel")
    assert cancelled.title == f"{job.title} · cancelled"


async def test_what_has_ended_by_then_gets_its_last_word_only(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    job = await finished(house, await a_job_at(house, ann, DM))

    await round_later(a_deliverer(house, chat), clock, by=FIRST)

    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · done"]
    assert await house.services.deliveries.cards(DM) == []


async def test_a_card_does_not_end_before_the_last_word_is_there(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)
    await finished(house, job)
    clock.advance(PACE)
    courier = Courier(messenger=chat, services=house.services, dispatcher=a_dispatcher())
    [due] = await house.services.deliveries.cards(DM)

    await updated(courier, due)  # as one does who had looked for news just before the job ended

    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · waiting"]
    await deliverer.once()
    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · done"] * 2


async def test_many_reports_make_one_edit_in_twelve_seconds_and_the_newest_wins(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job, _ = await claimed(house, await a_job_at(house, ann, DM))
    await round_later(deliverer, clock, by=FIRST)
    for step in range(1, 12):
        await reported(house, job, step)
        await round_later(deliverer, clock, by=SECOND)
    (before,) = chat.seen(DM)
    await round_later(deliverer, clock, by=SECOND)

    (after,) = chat.seen(DM)
    assert (before.edits, after.edits) == (0, 1)
    assert after.reply.progress
    assert after.reply.progress.step == 11


async def test_what_looks_the_same_is_not_edited_and_makes_no_buttons(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)
    (before,) = chat.seen(DM)

    for _ in range(3):
        await round_later(deliverer, clock)

    assert chat.seen(DM) == [before]


async def test_a_restart_goes_on_with_the_message_that_stands(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    job = await a_job_at(house, ann, DM)
    await round_later(a_deliverer(house, chat), clock)
    await claimed(house, job)

    await round_later(a_deliverer(house, chat), clock)

    assert [(said.reply.title, said.edits) for said in chat.seen(DM)] == [(f"{job.title} · running", 1)]


async def test_two_who_deliver_post_one_card_and_one_last_word(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger(forgetful=True)
    two = [a_deliverer(house, chat) for _ in range(2)]
    job = await a_job_at(house, ann, DM)

    clock.advance(FIRST)
    await asyncio.gather(*(deliverer.once() for deliverer in two))
    await finished(house, job)
    for _ in range(2):  # the card may have been in the other's hands when the last word came
        clock.advance(PACE)
        await asyncio.gather(*(deliverer.once() for deliverer in two))

    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · done"] * 2
    assert [bool(said.reply.pictures) for said in chat.seen(DM)] == [False, True]


async def test_an_old_message_is_followed_by_a_fresh_one(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)
    clock.advance(FRESH)
    await claimed(house, job)

    await round_later(deliverer, clock)
    await reported(house, job, 7)
    await round_later(deliverer, clock)

    old, fresh = chat.seen(DM)
    assert old.reply == continued(job)
    assert (fresh.reply.title, fresh.edits, labels(fresh.reply)) == (f"{job.title} · running", 1, ["Cancel"])


async def test_a_deleted_message_is_posted_anew(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)
    chat.messages.clear()
    await round_later(deliverer, clock)
    assert chat.seen(DM) == []  # there is nothing new to say
    await claimed(house, job)

    await round_later(deliverer, clock)

    assert [(said.reply.title, said.edits) for said in chat.seen(DM)] == [(f"{job.title} · running", 0)]


async def test_the_pause_that_a_platform_wants_is_kept(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    await a_job_at(house, ann, DM)
    chat.failures = [TryLater(40)]

    await round_later(deliverer, clock)
    await round_later(deliverer, clock, by=timedelta(seconds=39))
    before = chat.seen(DM)
    await round_later(deliverer, clock, by=SECOND)

    assert (before, len(chat.seen(DM))) == ([], 1)


async def test_what_breaks_is_tried_again_after_a_while(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    await a_job_at(house, ann, DM)
    chat.failures = [ZeroDivisionError()]

    await round_later(deliverer, clock)
    await round_later(deliverer, clock)
    before = chat.seen(DM)
    await round_later(deliverer, clock, by=timedelta(minutes=1))

    assert (before, len(chat.seen(DM))) == ([], 1)


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    await a_job_at(house, ann, DM)
    chat.lost = [TryLater(1)]

    await round_later(a_deliverer(house, chat), clock)
    await round_later(a_deliverer(house, chat), clock)

    assert len(chat.seen(DM)) == 1
    assert len(await house.services.deliveries.cards(DM)) == 1


async def test_the_card_of_a_blocked_chat_ends(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    await a_job_at(house, ann, DM)
    chat.blocked = {DM.chat}

    await round_later(a_deliverer(house, chat), clock)

    assert await house.services.deliveries.cards(DM) == []


async def test_a_card_that_no_channel_takes_goes_on_in_private(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, CHANNEL)
    chat.blocked = {CHANNEL.chat}

    await round_later(deliverer, clock)
    await round_later(deliverer, clock)
    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · waiting"]
    await finished(house, job)
    await round_later(deliverer, clock)

    assert [said.reply for said in chat.seen(DM)][:1] == [parting(await house.store.jobs.get(job.id))]
    assert [bool(said.reply.pictures) for said in chat.seen(DM)] == [False, True]


async def test_a_slow_chat_holds_up_no_other_and_is_served_one_at_a_time(house: House, clock: HandClock) -> None:
    ann, bob, chat = await a_member(house), await a_member(house, "bob"), HandMessenger()
    deliverer, theirs = a_deliverer(house, chat), DM.but(chat="bob")
    chat.held = {DM.chat: asyncio.Event()}
    await a_job_at(house, ann, DM)
    await a_job_at(house, ann, DM, name="quill")
    clock.advance(FIRST)
    await deliverer.begin()
    await a_job_at(house, bob, theirs)
    clock.advance(FIRST)

    await deliverer.begin()

    async def served() -> bool:
        return bool(chat.seen(theirs))

    await awaited(served)
    waiting, most = len(chat.seen(DM)), chat.most[DM.chat]
    chat.held[DM.chat].set()
    await deliverer.once()

    assert (waiting, most, len(chat.seen(DM)), chat.most[DM.chat]) == (0, 1, 2, 1)


async def test_who_wants_only_the_end_or_nothing_gets_no_moving_card(house: House, clock: HandClock) -> None:
    chat = HandMessenger()
    for telling in (Telling.FINAL, Telling.QUIET):
        who = await a_member(house, telling.value, telling=telling)
        await a_job_at(house, who, DM.but(chat=telling.value))

    await round_later(a_deliverer(house, chat), clock)

    assert chat.messages == {}


async def test_a_card_parts_from_who_wants_no_more_of_it(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)
    await a_member(house, telling=Telling.FINAL)

    await round_later(deliverer, clock)

    assert [said.reply for said in chat.seen(DM)] == [parting(job)]


async def test_an_admin_who_looks_has_a_card_and_buttons_of_their_own(house: House, clock: HandClock) -> None:
    ann, bob, chat = await a_member(house), (await a_member(house, "bob")).but(role=Role.ADMIN), HandMessenger()
    account = await house.store.accounts.get(bob.account)
    await house.store.accounts.save(account.but(role=bob.role))
    deliverer, theirs = a_deliverer(house, chat), DM.but(chat="bob")
    job = await a_job_at(house, ann, DM)

    assert await house.services.deliveries.mirror(bob, job.id, theirs)
    await round_later(deliverer, clock)
    seen = [chat.seen(place)[0].reply for place in (DM, theirs)]
    cancelled, _ = await press(house, bob, seen[1], "Cancel")
    await round_later(deliverer, clock)

    assert [reply.title for reply in seen] == [f"{job.title} · waiting"] * 2
    assert cancelled.title == f"{job.title} · cancelled"
    assert [chat.seen(place)[1].reply.title for place in (DM, theirs)] == [f"{job.title} · cancelled"] * 2


async def test_who_looks_again_sees_the_card_below(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)

    assert await house.services.deliveries.mirror(ann, job.id, DM)
    await round_later(deliverer, clock)
    await round_later(deliverer, clock)

    assert [said.reply.title for said in chat.seen(DM)] == [job.title, f"{job.title} · waiting"]
