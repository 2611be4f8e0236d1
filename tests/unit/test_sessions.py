"""Invitations, sessions and tokens, without a database."""

import ipaddress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Account, Identity, Platform, Role, acting
from core.domain.errors import BadValue, NotSignedIn
from core.domain.link import CODE_LENGTH, code_hash, shown
from core.domain.session import (
    DEBOUNCED,
    DEVICE_LENGTH,
    LASTS,
    invitation_hash,
    is_typed,
    neighbourhood,
    opened,
    require_present,
    secret_hash,
)
from core.domain.token import LONGEST, NAME_LENGTH, Scope, Token, checked_days, checked_name, checked_scopes
from core.ports.clock import ALPHABET
from tests.builders.entities import HOME, NOON

codes = st.text(ALPHABET, min_size=CODE_LENGTH, max_size=CODE_LENGTH)
moments = st.timedeltas(timedelta(0), 2 * LASTS)


def an_account(**facts: object) -> Account:
    return Account(id="ann", name="Ann", role=Role.USER, home=HOME, created_at=NOON).but(**facts)


def a_token(**facts: object) -> Token:
    token = Token(
        id=secret_hash("x"),
        account="ann",
        name="script",
        prefix="lg_abcde",
        scopes=(Scope.READ,),
        created_at=NOON,
        expires_at=NOON + LASTS,
    )
    return token.but(**facts)


@given(codes)
def test_a_code_is_known_however_it_is_typed_and_is_no_code_to_link_accounts(code: str) -> None:
    typed = (shown(code), shown(code).lower(), f" {code[:3]} {code[3:]}\n", code.upper())

    assert {invitation_hash(one) for one in typed} == {invitation_hash(code)}
    assert all(is_typed(one) for one in typed)
    assert code_hash(code) != invitation_hash(code)


@given(st.text(ALPHABET, min_size=26, max_size=26))
def test_the_secret_of_a_link_is_no_code(secret: str) -> None:
    assert not is_typed(secret)
    assert not is_typed(shown(secret))


@given(moments)
def test_a_session_lasts_as_long_after_each_use_and_is_written_once_a_minute(later: timedelta) -> None:
    session = opened("secret", account="ann", device="x" * 500, now=NOON)
    seen = session.seen(NOON + later)

    assert session.is_fresh(NOON + later) is (later < DEBOUNCED)
    assert seen == session.but(seen_at=NOON + later, expires_at=NOON + later + LASTS)
    assert (session.id, len(session.device)) == (secret_hash("secret"), DEVICE_LENGTH)
    assert session.id.startswith(session.handle)
    assert len(session.handle) < len(session.id) / 2


@given(moments, st.none() | moments)
def test_a_token_is_good_until_its_end_or_until_it_is_revoked(later: timedelta, revoked: timedelta | None) -> None:
    token = a_token(revoked_at=None if revoked is None else NOON + revoked)

    assert token.is_good(NOON + later) is (revoked is None and later < LASTS)
    assert not token.revoked(NOON).is_good(NOON + later)
    assert token.revoked(NOON).revoked_at == (NOON if revoked is None else NOON + revoked)


def test_a_token_that_was_never_used_is_not_fresh() -> None:
    assert not a_token().is_fresh(NOON)
    assert a_token(used_at=NOON).is_fresh(NOON)
    assert not a_token(used_at=NOON).is_fresh(NOON + DEBOUNCED)


@given(st.sets(st.sampled_from(Scope), min_size=1))
def test_scopes_keep_their_order(chosen: set[Scope]) -> None:
    assert checked_scopes([*chosen, *chosen]) == tuple(scope for scope in Scope if scope in chosen)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * (NAME_LENGTH + 1)])
def test_a_token_needs_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(BadValue, match="what the token is for"):
        checked_name(name)

    assert checked_name(" my script ") == "my script"


@given(st.integers())
def test_a_token_is_good_for_a_year_at_most(days: int) -> None:
    if 1 <= days <= LONGEST:
        assert checked_days(days) == timedelta(days=days)
    else:
        with pytest.raises(BadValue, match="it takes 1 to 365"):
            checked_days(days)


def test_a_token_needs_a_scope() -> None:
    with pytest.raises(BadValue, match="at least one of read, write, spend, admin"):
        checked_scopes(())


@pytest.mark.parametrize("gone", [{"merged_into": "bob"}, {"forgotten_at": NOON}])
def test_nobody_is_signed_in_as_an_account_that_is_gone(gone: dict[str, object]) -> None:
    assert require_present(an_account()) == an_account()
    for account in (None, an_account(**gone)):
        with pytest.raises(NotSignedIn):
            require_present(account)


def test_an_admin_by_setting_is_one_wherever_they_sign_in() -> None:
    login = Identity(id=f"{Platform.CONSOLE}:root", account="ann", name="Ann", created_at=NOON)
    banned = an_account(banned="spam")

    assert acting(an_account(), appointed=[login.but(account="bob")]).role is Role.USER
    assert acting(an_account(), appointed=[login]).role is Role.ADMIN
    assert acting(banned, appointed=()).banned == "spam"


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_who_has_many_addresses_of_one_network_is_one(address: ipaddress.IPv6Address, other: int) -> None:
    beside = ipaddress.IPv6Address(int(address) >> 64 << 64 | other)

    if address.ipv4_mapped is None and beside.ipv4_mapped is None:
        assert neighbourhood(str(address)) == neighbourhood(str(beside))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_however_it_is_written(address: ipaddress.IPv4Address) -> None:
    assert neighbourhood(str(address)) == neighbourhood(f"::ffff:{address}") == str(address)


@given(st.text())
def test_anything_else_stands_for_itself(text: str) -> None:
    assert isinstance(neighbourhood(text), str)
