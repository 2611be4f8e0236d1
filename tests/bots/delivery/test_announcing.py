"""Brief answers: where a card follows, a chat says only that."""

from dataclasses import replace

import pytest

from bots.chat.definition import Definition
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from bots.delivery.announcing import announced
from core.domain.account import Actor, Place, Telling
from core.domain.job import Job
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher
from tests.builders.deliveries import CHANNEL, DM, a_job_at, a_member
from tests.builders.scenes import finished

VIEW: Definition = a_dispatcher().definition("train view")


def at(house: House, actor: Actor, place: Place) -> Call:
    return replace(a_call(house, actor), place=place, private=DM)


def about(job: Job) -> Reply:
    buttons = (Button(label="Cancel", command="train cancel"),)
    return Reply(title="zorp", lines=("Running.",), fields=(("loss", "1"),), buttons=buttons, job=job.id)


@pytest.mark.parametrize(
    ("place", "follows"), [(DM, "Its card follows here."), (CHANNEL, "Its card follows in our private chat.")]
)
async def test_a_job_that_goes_on_is_answered_briefly_and_its_card_follows(
    house: House, place: Place, follows: str
) -> None:
    ann = await a_member(house)
    job = await a_job_at(house, ann, CHANNEL)

    for _ in range(2):
        brief = await announced(VIEW, at(house, ann, place), about(job))
        assert brief == Reply(title="zorp", lines=("Running.", follows), job=job.id)

    assert [card.account for card in await house.services.deliveries.cards(DM)] == [ann.account]


async def test_other_answers_stay_as_they_are(house: House) -> None:
    ann, bob = await a_member(house), await a_member(house, "bob")
    quiet = await a_member(house, "cid", telling=Telling.QUIET)
    going = await a_job_at(house, ann, CHANNEL)
    ended = await finished(house, await a_job_at(house, ann, CHANNEL, name="quill"))
    theirs = await a_job_at(house, quiet, CHANNEL)
    whole = [
        (ann, Reply(title="Wallet")),
        (ann, about(ended)),
        (ann, about(going).but(code="not_found")),
        (ann, about(going).but(job="gone")),
        (bob, about(going)),
        (quiet, about(theirs)),
    ]

    assert [await announced(VIEW, at(house, who, DM), reply) for who, reply in whole] == [reply for _, reply in whole]
    assert await house.services.deliveries.cards(DM) == []
