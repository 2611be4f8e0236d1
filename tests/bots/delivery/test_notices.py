"""Last words and news: told once, in the right place, or given up with a reason."""

from datetime import timedelta

import pytest

from bots.cards import parting
from bots.cards.notices import told
from bots.delivery.messenger import HandMessenger, TryLater
from core.domain.account import Actor, Place, Platform, Telling
from core.domain.action import Style, Then
from core.domain.notice import DELIVERY, FIRST, STALE, TRIES, Notice, NoticeState, Topic
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, labels
from tests.builders.deliveries import CHANNEL, DM, a_deliverer, a_job_at, a_member, round_later
from tests.builders.entities import a_notice
from tests.builders.scenes import BROKEN, finished

SECOND = timedelta(seconds=1)


async def some_news(house: House, who: Actor, **facts: object) -> Notice:
    notice = a_notice(account=who.account, place=DM, topic=Topic.BROADCAST, details={"text": "Hear ye."}, **facts)
    await house.store.notices.add(notice)
    return notice


async def state_of(house: House, notice: Notice) -> NoticeState:
    return (await house.store.notices.get(notice.id)).state


async def test_the_last_word_is_a_new_message_and_ends_the_card(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, CHANNEL)
    await round_later(deliverer, clock)
    ended = await finished(house, job)

    await round_later(deliverer, clock, by=SECOND)
    await round_later(deliverer, clock)

    card, last = chat.seen(CHANNEL)
    assert (card.reply, card.edits) == (parting(ended), 1)
    assert (last.reply.title, last.mention, len(last.reply.pictures)) == (f"{job.title} · done", "ann", 1)
    assert all(button.token for button in last.reply.buttons)
    assert await house.services.deliveries.cards(CHANNEL) == []


async def test_a_group_whose_admins_changed_their_mind_is_told_as_they_want_it_now(
    house: House, clock: HandClock
) -> None:
    group = Place(platform=Platform.TELEGRAM, chat="-7", private=False, community="-7")
    ann, chat = await a_member(house), HandMessenger(Platform.TELEGRAM)
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, group.but(adult=True))
    await round_later(deliverer, clock)
    await finished(house, job)
    await round_later(deliverer, clock)

    assert [said.place for said in chat.messages.values()] == [group, group]


async def test_a_failure_is_a_last_word_too(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    await finished(house, await a_job_at(house, ann, DM), BROKEN)

    await round_later(a_deliverer(house, chat), clock)

    assert [said.reply.lines for said in chat.seen(DM)] == [(BROKEN.words,)]


async def test_the_last_word_is_said_wherever_the_owner_looks(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    job = await a_job_at(house, ann, CHANNEL)
    for _ in range(2):
        assert await house.services.deliveries.mirror(ann, job.id, DM)
    await finished(house, job)

    await round_later(a_deliverer(house, chat), clock)

    assert [said.reply.title for said in chat.seen(CHANNEL)] == [f"{job.title} · done"]
    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · done"]


async def test_a_card_that_the_end_did_not_know_of_gets_its_last_word(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, CHANNEL)
    await house.services.deliveries.mirror(ann, job.id, DM)
    late = await house.services.deliveries.card(job.id, DM)
    assert late
    await house.store.cards.remove(late.id)
    await finished(house, job)
    await house.store.cards.add(late)

    await round_later(deliverer, clock)
    await round_later(deliverer, clock)

    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · done"]


@pytest.mark.parametrize("forgetful", [False, True])
async def test_what_dies_between_post_and_mark_posts_again_only_where_keys_are_forgotten(
    house: House, clock: HandClock, *, forgetful: bool
) -> None:
    ann, chat = await a_member(house), HandMessenger(forgetful=forgetful)
    notice = await some_news(house, ann)
    chat.lost = [TryLater(0)]

    await a_deliverer(house, chat).once()
    await round_later(a_deliverer(house, chat), clock, by=DELIVERY)
    await round_later(a_deliverer(house, chat), clock, by=DELIVERY)

    assert len(chat.seen(DM)) == (2 if forgetful else 1)
    assert await state_of(house, notice) is NoticeState.DELIVERED


async def test_who_took_a_notice_and_died_is_followed_after_a_minute(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    await house.services.deliveries.take(await some_news(house, ann))

    await round_later(a_deliverer(house, chat), clock, by=DELIVERY - SECOND)
    before = chat.seen(DM)
    await round_later(a_deliverer(house, chat), clock, by=SECOND)

    assert (before, len(chat.seen(DM))) == ([], 1)


async def test_a_blocked_chat_is_given_up_at_once(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    job = await finished(house, await a_job_at(house, ann, DM))
    chat.blocked = {DM.chat}

    await round_later(a_deliverer(house, chat), clock)
    chat.blocked.clear()
    await round_later(a_deliverer(house, chat), clock, by=timedelta(days=1))

    word = await house.store.notices.get(f"succeeded:{job.id}:discord:ann:")
    assert (word.state, word.tries, chat.messages) == (NoticeState.UNDELIVERABLE, 0, {})
    assert await house.services.deliveries.cards(DM) == []


async def test_a_channel_that_takes_nothing_leaves_bare_words_in_private(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    job = await finished(house, await a_job_at(house, ann, CHANNEL))
    chat.blocked = {CHANNEL.chat}

    await round_later(a_deliverer(house, chat), clock)

    (last,) = chat.seen(DM)
    assert (last.reply.title, last.reply.pictures, last.reply.files) == (f"{job.title} · done", (), ())
    assert last.reply.lines[-1] == f"Pictures and files are left out here: `train view {job.id}`."


async def test_what_fails_is_tried_for_about_an_hour_and_then_given_up(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    notice = await some_news(house, ann)
    chat.failures = [ZeroDivisionError()] * (TRIES + 1)
    deliverer, started = a_deliverer(house, chat), clock.now()

    while (waiting := await house.store.notices.get(notice.id)).state is NoticeState.PENDING:
        await round_later(deliverer, clock, by=(waiting.not_before or started) - clock.now())

    assert waiting.state is NoticeState.UNDELIVERABLE
    assert (waiting.tries, len(chat.failures)) == (TRIES, 1)
    assert timedelta(minutes=50) < clock.now() - started < timedelta(minutes=70)


async def test_the_pause_that_a_platform_wants_is_kept(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    await some_news(house, ann)
    chat.failures = [TryLater(100)]
    deliverer = a_deliverer(house, chat)

    await deliverer.once()
    await round_later(deliverer, clock, by=SECOND * 99)
    before = chat.seen(DM)
    await round_later(deliverer, clock, by=SECOND)

    assert (before, len(chat.seen(DM))) == ([], 1)


async def test_pauses_are_no_failures_until_they_have_lasted_a_day(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    heard = await some_news(house, ann)
    chat.failures = [TryLater(1) for _ in range(3 * TRIES)]
    deliverer = a_deliverer(house, chat)

    while chat.failures:
        await round_later(deliverer, clock, by=SECOND)
    await round_later(deliverer, clock, by=SECOND)
    stale = await some_news(house, ann, id="stale", created_at=clock.now())
    chat.failures = [TryLater(STALE.total_seconds()), TryLater(1)]
    await deliverer.once()
    await round_later(deliverer, clock, by=STALE)

    assert len(chat.seen(DM)) == 1
    assert [await state_of(house, one) for one in (heard, stale)] == [
        NoticeState.DELIVERED,
        NoticeState.UNDELIVERABLE,
    ]


async def test_news_wait_for_their_moment(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    await some_news(house, ann, not_before=clock.now() + FIRST)

    await round_later(a_deliverer(house, chat), clock, by=SECOND)
    before = chat.seen(DM)
    await round_later(a_deliverer(house, chat), clock, by=SECOND)

    assert (before, [said.reply.lines for said in chat.seen(DM)]) == ([], [("Hear ye.",)])


async def test_what_a_notice_is_about_may_be_gone(house: House) -> None:
    chat = HandMessenger()
    notice = await some_news(house, await a_member(house), job="gone")
    await house.store.notices.save(notice.but(topic=Topic.JOB_FAILED))

    await a_deliverer(house, chat).once()

    assert (await state_of(house, notice), chat.messages) == (NoticeState.UNDELIVERABLE, {})


@pytest.mark.parametrize(
    ("telling", "titles"),
    [(Telling.FINAL, ["zorp · the doctor looks · done", "News for everyone"]), (Telling.QUIET, ["News for everyone"])],
)
async def test_how_much_is_told_is_chosen_but_for_news(
    house: House, clock: HandClock, telling: Telling, titles: list[str]
) -> None:
    ann, chat = await a_member(house, telling=telling), HandMessenger()
    deliverer = a_deliverer(house, chat)
    job = await a_job_at(house, ann, DM)
    await round_later(deliverer, clock)
    await finished(house, job)
    await round_later(deliverer, clock)
    notice = await some_news(house, ann)
    await round_later(deliverer, clock)

    assert [said.reply.title for said in chat.seen(DM)] == titles
    assert await house.services.deliveries.pending(DM.platform) == []
    assert await house.services.deliveries.cards(DM) == []
    assert await state_of(house, notice) is NoticeState.DELIVERED


@pytest.mark.parametrize(
    ("topic", "details", "title", "lines"),
    [
        (Topic.GRANTED, {"by": "root", "amount": "7", "why": "thanks"}, "root gave you 7 qoints", ("thanks",)),
        (
            Topic.REFUNDED,
            {"by": "root", "amount": "7", "why": "it was us", "what": "zorp · Demo"},
            "root gave you 7 back for zorp · Demo",
            ("it was us",),
        ),
        (
            Topic.LINKED,
            {"name": "ann", "platform": "telegram"},
            "ann on Telegram is you from now on",
            ("One wallet, the same datasets, models and jobs wherever you are.",),
        ),
        (
            Topic.REVIEWED,
            {"what": "zorp", "review": "rejected", "why": "blurred"},
            "A moderator has rejected «zorp»",
            ("blurred",),
        ),
        (Topic.REVIEWED, {"what": "zorp", "review": "approved", "why": ""}, "A moderator has approved «zorp»", ()),
        (Topic.BROADCAST, {"text": "one\ntwo"}, "News for everyone", ("one", "two")),
    ],
)
async def test_notices_in_words(
    house: House, topic: Topic, details: dict[str, str], title: str, lines: tuple[str, ...]
) -> None:
    call = a_call(house, await a_member(house))

    reply = await told(call, a_notice(topic=topic, details=details))

    assert (reply.title, reply.lines, reply.buttons) == (title, lines, ())


async def test_who_asks_to_be_one_with_somebody_is_confirmed_or_refused(house: House) -> None:
    call = a_call(house, await a_member(house))
    details = {"request": "r1", "name": "ann", "platform": "telegram"}

    reply = await told(call, a_notice(topic=Topic.LINK_ASKED, details=details))

    confirm, refuse = reply.buttons
    assert (reply.title, labels(reply)) == ("Are you ann on Telegram?", ["Confirm", "Refuse"])
    assert (confirm.command, confirm.style, refuse.command) == ("link confirm", Style.GO, "link refuse")
    assert {(tuple(one.arguments.items()), one.then) for one in reply.buttons} == {((("request", "r1"),), Then.REPLACE)}
