"""Signing in: invitations that are good once, sessions that last while they are used, and what ends them."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Actor, Place, Platform, Role
from core.domain.errors import Banned, CodeGone, NotFound, NotSignedIn, SignInGone, TooOften
from core.domain.link import VALID_FOR
from core.domain.session import ATTEMPTS, DEBOUNCED, LASTS, PROOFS_KEPT, SESSIONS, secret_hash
from core.ports.clock import HandClock
from core.services.sessions import Invitation, Opened
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import everything_in, somebody

HERE, THERE = "203.0.113.7", "198.51.100.1"
WRONG = "2222-2222"
DISCORD = Place(platform=Platform.DISCORD, chat="42")


def secret_of(invitation: Invitation) -> str:
    return invitation.link.rpartition("/")[2]


async def signed_in(house: House, actor: Actor, *, device: str = "Firefox on Linux") -> Opened:
    return await house.services.sessions.open(actor, device=device)


async def signed_out(house: House, secret: str) -> bool:
    try:
        await house.services.sessions.seen(secret)
    except NotSignedIn:
        return True
    return False


@pytest.mark.parametrize("way", ["code", "link"])
async def test_an_invitation_opens_one_session_once(house: House, way: str) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    invitation = await sessions.invite(ann)
    secrets = {"code": invitation.code, "link": secret_of(invitation)}
    opened = await sessions.redeem(secrets[way], device="Firefox on Linux", remote=HERE)

    assert await sessions.seen(opened.secret) == (opened.session, ann, Place(platform=Platform.CONSOLE, chat="ann"))
    assert (opened.actor, opened.session.device) == (ann, "Firefox on Linux")
    for secret in secrets.values():
        with pytest.raises(SignInGone, match="Say `login` to the bot"):
            await sessions.redeem(secret, device="Firefox", remote=HERE)
    assert list(await sessions.list(ann)) == [opened.session]


async def test_of_many_who_use_an_invitation_at_once_one_does(house: House) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    invitation = await sessions.invite(ann)
    tries = [
        sessions.redeem(secret, device=str(number), remote=HERE)
        for number in range(3)
        for secret in (invitation.code, secret_of(invitation))
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)

    assert sorted(type(one).__name__ for one in done) == ["Opened", *["SignInGone"] * 5]
    assert len(await sessions.list(ann)) == 1


async def test_looking_at_a_link_uses_nothing_up_and_a_code_cannot_be_looked_at(house: House) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    invitation = await sessions.invite(ann)

    assert [await sessions.peek(secret_of(invitation)) for _ in range(2)] == ["ann", "ann"]
    for nothing in (invitation.code, "", "x" * 26):
        with pytest.raises(SignInGone):
            await sessions.peek(nothing)
    assert (await sessions.redeem(secret_of(invitation), device="", remote=HERE)).actor == ann


async def test_an_invitation_is_over_after_ten_minutes_and_with_the_next_one(house: House, clock: HandClock) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    first, second = await sessions.invite(ann), await sessions.invite(ann)
    with pytest.raises(SignInGone):
        await sessions.redeem(first.code, device="", remote=HERE)
    clock.advance(VALID_FOR)

    with pytest.raises(SignInGone):
        await sessions.peek(secret_of(second))
    with pytest.raises(SignInGone):
        await sessions.redeem(second.code, device="", remote=HERE)


async def test_a_code_to_sign_in_links_no_accounts_and_the_other_way_round(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    invitation = await house.services.sessions.invite(ann)
    code = await house.services.links.issue(ann, DISCORD)

    with pytest.raises(CodeGone):
        await house.services.links.redeem(bob, invitation.code, DISCORD)
    with pytest.raises(SignInGone):
        await house.services.sessions.redeem(code, device="", remote=HERE)


async def test_no_secret_lies_in_the_database(house: House, database: Database) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    invitation, opened = await sessions.invite(ann), await signed_in(house, ann)
    everything = str(await everything_in(database))
    bare = invitation.code.replace("-", "").lower()

    assert opened.session.id in everything
    assert not any(one in everything for one in (bare, invitation.code, secret_of(invitation), opened.secret))
    assert not any(one in repr((invitation, opened)) for one in (bare, secret_of(invitation), opened.secret))


async def test_who_guesses_is_stopped_and_nobody_else_is(house: House, clock: HandClock) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    invitation = await sessions.invite(ann)
    guesses = [sessions.redeem(WRONG, device="", remote=HERE) for _ in range(ATTEMPTS.times + 3)]
    refused = await asyncio.gather(*guesses, return_exceptions=True)

    assert sorted(type(one).__name__ for one in refused) == ["SignInGone"] * ATTEMPTS.times + ["TooOften"] * 3
    with pytest.raises(TooOften):
        await sessions.redeem(invitation.code, device="", remote=HERE)
    assert (await sessions.redeem(invitation.code, device="", remote=THERE)).actor == ann
    again = await sessions.invite(ann)
    assert (await sessions.redeem(secret_of(again), device="", remote=HERE)).actor == ann, "a link always opens"
    last = await sessions.invite(ann)
    clock.advance(ATTEMPTS.per)
    with pytest.raises(SignInGone):
        await sessions.redeem(last.code, device="", remote=HERE)


async def test_codes_that_are_right_are_no_attempts(house: House) -> None:
    ann, sessions = await somebody(house), house.services.sessions

    for _ in range(ATTEMPTS.times + 1):
        await sessions.redeem((await sessions.invite(ann)).code, device="", remote=HERE)


async def test_a_session_lasts_while_it_is_used_and_is_written_once_a_minute(house: House, clock: HandClock) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    opened = await signed_in(house, ann)
    clock.advance(DEBOUNCED - timedelta(seconds=1))
    await sessions.seen(opened.secret)
    untouched = await house.store.sessions.get(opened.session.id)
    clock.advance(LASTS - DEBOUNCED)
    used = await asyncio.gather(*(sessions.seen(opened.secret) for _ in range(4)))
    clock.advance(LASTS - timedelta(seconds=1))
    still, _, _ = await sessions.seen(opened.secret)
    clock.advance(LASTS)

    assert untouched == opened.session
    assert len({session.seen_at for session, _, _ in used}) == 1
    assert still == opened.session.but(seen_at=still.seen_at, expires_at=still.seen_at + LASTS)
    assert await signed_out(house, opened.secret)
    assert list(await sessions.list(ann)) == []


async def test_people_see_where_they_are_signed_in_and_end_it(house: House, clock: HandClock) -> None:
    ann, bob, sessions = await somebody(house), await somebody(house, "bob"), house.services.sessions
    opened = []
    for device in ("phone", "laptop", "library"):
        opened.append(await signed_in(house, ann, device=device))
        clock.advance(timedelta(minutes=2))
    phone, laptop, library = opened
    await sessions.seen(phone.secret)
    devices = [one.device for one in await sessions.list(ann)]
    with pytest.raises(NotFound):
        await sessions.end(bob, library.session.handle)
    await sessions.end(ann, library.session.handle)
    with pytest.raises(NotFound):
        await sessions.end(ann, library.session.handle)

    assert devices == ["phone", "library", "laptop"]
    assert [await signed_out(house, one.secret) for one in opened] == [False, False, True]
    assert await sessions.end_all(ann, but=laptop.session) == 1
    assert [await signed_out(house, one.secret) for one in opened] == [True, False, True]
    assert await sessions.end_all(ann) == 1
    assert await signed_out(house, laptop.secret)


async def test_closing_ends_one_session_and_closing_nothing_is_nothing(house: House) -> None:
    opened = await signed_in(house, await somebody(house))
    for secret in ("", "nothing", opened.secret, opened.secret):
        await house.services.sessions.close(secret)

    assert await signed_out(house, opened.secret)


async def test_nobody_has_sessions_without_end(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    opened = []
    for _ in range(SESSIONS + 2):
        opened.append(await signed_in(house, ann))
        clock.advance(timedelta(seconds=1))

    assert [await signed_out(house, one.secret) for one in opened] == [True, True, *[False] * SESSIONS]


async def test_a_proof_that_could_be_shown_again_is_good_once(house: House, clock: HandClock) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    tries = [sessions.open(ann, device="", proof="telegram:abc") for _ in range(4)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    clock.advance(PROOFS_KEPT - timedelta(seconds=1))
    with pytest.raises(SignInGone):
        await sessions.open(ann, device="", proof="telegram:abc")

    assert sorted(type(one).__name__ for one in done) == ["Opened", *["SignInGone"] * 3]


async def test_a_ban_is_seen_at_once_and_lets_nobody_in(house: House) -> None:
    root, ann, sessions = await somebody(house, "root"), await somebody(house), house.services.sessions
    invitation, opened = await sessions.invite(ann), await signed_in(house, ann)
    await house.services.accounts.ban(root, await house.store.accounts.get(ann.account), why="spam")
    _, actor, _ = await sessions.seen(opened.secret)

    with pytest.raises(Banned, match="spam"):
        actor.require_welcome()
    with pytest.raises(Banned):
        await sessions.redeem(invitation.code, device="", remote=HERE)
    with pytest.raises(Banned):
        await sessions.open(actor, device="")


async def test_a_role_counts_from_the_next_request_on(house: House) -> None:
    root, ann = await somebody(house, "root"), await somebody(house)
    opened, chief = await signed_in(house, ann), await signed_in(house, root)
    await house.services.accounts.role(root, await house.store.accounts.get(ann.account), Role.MODERATOR)

    assert (await house.services.sessions.seen(opened.secret))[1].role is Role.MODERATOR
    assert (await house.services.sessions.seen(chief.secret))[1].role is Role.ADMIN


async def test_who_is_forgotten_is_signed_out_everywhere(house: House, database: Database) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    invitation, opened = await sessions.invite(ann), await signed_in(house, ann)
    await house.services.forgettings.forget(ann, giving_up=0)
    rows = await everything_in(database)

    assert await signed_out(house, opened.secret)
    with pytest.raises(SignInGone):
        await sessions.redeem(invitation.code, device="", remote=HERE)
    assert [rows.get(name, []) for name in ("sessions", "signins", "tokens")] == [[], [], []]


async def test_an_account_that_was_taken_over_takes_no_session_along(house: House) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="hilda")
    invitation, there, here = await sessions.invite(hilda), await signed_in(house, hilda), await signed_in(house, ann)
    code = await house.services.links.issue(ann, DISCORD)
    request = await house.services.links.redeem(hilda, code, DISCORD)
    await house.services.links.confirm(ann, request.id)
    late = await signed_in(house, hilda)

    assert [await signed_out(house, one.secret) for one in (there, here, late)] == [True, False, True]
    with pytest.raises(SignInGone):
        await sessions.redeem(invitation.code, device="", remote=HERE)


async def test_what_is_over_is_swept_and_nothing_else(house: House, clock: HandClock, database: Database) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    await signed_in(house, ann)
    await sessions.invite(ann)
    clock.advance(LASTS + timedelta(seconds=1))
    kept = await signed_in(house, ann)
    await sessions.invite(await somebody(house, "bob"))

    assert (await sessions.sweep(), await sessions.sweep()) == (3, 0)
    rows = await everything_in(database)
    assert [row["_id"] for row in rows["sessions"]] == [secret_hash(kept.secret)]
    assert len(rows["signins"]) == 2
