"""Tokens of programs: issued, shown once, used, taken back."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Actor, Place, Platform
from core.domain.errors import BadValue, Banned, NotAllowed, NotFound, NotSignedIn, TooManyTokens
from core.domain.session import DEBOUNCED
from core.domain.token import KEPT, LENGTH, PREFIX, SIGN, TOKENS, Scope
from core.ports.clock import HandClock
from core.services.tokens import Issued
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import everything_in, moderating, somebody

CHAT = Place(platform=Platform.DISCORD, chat="42")


async def issued(house: House, actor: Actor, *, name: str = "script", days: int = 30) -> Issued:
    return await house.services.tokens.issue(actor, name=name, scopes={Scope.WRITE, Scope.READ}, days=days)


async def is_good(house: House, secret: str) -> bool:
    try:
        await house.services.tokens.seen(secret)
    except NotSignedIn:
        return False
    return True


async def test_a_token_is_shown_once_and_says_who_and_what_for(house: House, database: Database) -> None:
    ann = await somebody(house)
    one = await issued(house, ann)
    token, actor, place = await house.services.tokens.seen(one.secret)

    assert (one.secret[:PREFIX], len(one.secret)) == (one.token.prefix, len(SIGN) + LENGTH)
    assert one.secret.removeprefix(SIGN).isalnum()
    assert (actor, place) == (ann, Place(platform=Platform.CONSOLE, chat="ann"))
    assert token == one.token.but(used_at=house.services.tokens.clock.now())
    assert token.scopes == (Scope.READ, Scope.WRITE)
    assert one.secret not in repr(one)
    assert one.secret not in str(await everything_in(database))


@pytest.mark.parametrize("secret", ["", "lg_", "lg_" + "2" * 40, "session"])
async def test_nothing_else_opens_anything(house: House, secret: str) -> None:
    await issued(house, await somebody(house))

    assert not await is_good(house, secret)


async def test_a_session_is_no_token_and_a_token_no_session(house: House) -> None:
    ann = await somebody(house)
    one, opened = await issued(house, ann), await house.services.sessions.open(ann, device="")

    assert not await is_good(house, opened.secret)
    with pytest.raises(NotSignedIn):
        await house.services.sessions.seen(one.secret)


async def test_a_token_ends_after_its_days_and_is_forgotten_a_month_later(house: House, clock: HandClock) -> None:
    ann, tokens = await somebody(house), house.services.tokens
    short, long = await issued(house, ann, days=1), await issued(house, ann, days=100)
    clock.advance(timedelta(days=1))

    assert [await is_good(house, one.secret) for one in (short, long)] == [False, True]
    clock.advance(KEPT)
    assert await tokens.sweep() == 0
    clock.advance(timedelta(seconds=1))
    assert await tokens.sweep() == 1
    assert [one.id for one in await tokens.list(ann)] == [long.token.id]


async def test_a_token_is_taken_back_at_once_by_whose_it_is(house: House, clock: HandClock) -> None:
    ann, bob, tokens = await somebody(house), await somebody(house, "bob"), house.services.tokens
    one = await issued(house, ann)
    with pytest.raises(NotFound):
        await tokens.revoke(bob, one.token.handle)
    first = await tokens.revoke(ann, one.token.handle)
    clock.advance(timedelta(days=1))

    assert await tokens.revoke(ann, one.token.handle) == first
    assert not await is_good(house, one.secret)
    assert list(await tokens.list(ann)) == [first]
    assert list(await tokens.list(bob)) == []


async def test_when_it_was_used_is_written_once_a_minute(house: House, clock: HandClock) -> None:
    ann, tokens = await somebody(house), house.services.tokens
    one = await issued(house, ann)
    start = clock.now()
    await asyncio.gather(*(tokens.seen(one.secret) for _ in range(4)))
    clock.advance(DEBOUNCED - timedelta(seconds=1))
    await tokens.seen(one.secret)
    first = (await tokens.list(ann))[0].used_at
    clock.advance(timedelta(seconds=1))
    await tokens.seen(one.secret)

    assert (first, (await tokens.list(ann))[0].used_at) == (start, start + DEBOUNCED)


async def test_nobody_has_tokens_without_end_and_one_that_is_over_counts_no_more(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    known = [await issued(house, ann, name=str(number)) for number in range(TOKENS)]
    with pytest.raises(TooManyTokens, match="20 tokens"):
        await issued(house, ann)
    await issued(house, bob)
    await house.services.tokens.revoke(ann, known[0].token.handle)

    await issued(house, ann, name="one more")
    assert len(await house.services.tokens.list(ann)) == TOKENS + 1


async def test_only_who_decides_something_issues_a_token_for_that(house: House) -> None:
    ann, root, tokens = await somebody(house), await somebody(house, "root"), house.services.tokens
    with pytest.raises(NotAllowed):
        await tokens.issue(ann, name="x", scopes=[Scope.ADMIN], days=1)
    await tokens.issue(moderating(ann), name="x", scopes=[Scope.ADMIN], days=1)

    one = await tokens.issue(root, name="x", scopes=[Scope.ADMIN], days=1)
    assert (await tokens.seen(one.secret))[1] == root


@pytest.mark.parametrize(
    ("name", "scopes", "days"), [("", [Scope.READ], 1), ("x", [], 1), ("x", [Scope.READ], 0), ("x", [Scope.READ], 366)]
)
async def test_what_does_not_fit_is_not_issued(house: House, name: str, scopes: list[Scope], days: int) -> None:
    ann = await somebody(house)

    with pytest.raises(BadValue):
        await house.services.tokens.issue(ann, name=name, scopes=scopes, days=days)
    assert list(await house.services.tokens.list(ann)) == []


async def test_a_ban_is_seen_at_once(house: House) -> None:
    root, ann = await somebody(house, "root"), await somebody(house)
    one = await issued(house, ann)
    await house.services.accounts.ban(root, await house.store.accounts.get(ann.account), why="spam")
    _, actor, _ = await house.services.tokens.seen(one.secret)

    with pytest.raises(Banned, match="spam"):
        actor.require_welcome()


async def test_nobodys_token_outlives_them(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="hilda")
    tokens = [await issued(house, actor) for actor in (ann, bob, hilda)]
    code = await house.services.links.issue(ann, CHAT)
    request = await house.services.links.redeem(hilda, code, CHAT)
    await house.services.links.confirm(ann, request.id)
    await house.services.forgettings.forget(bob, giving_up=0)

    assert [await is_good(house, one.secret) for one in tokens] == [True, False, False]
