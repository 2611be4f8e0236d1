"""Accounts: who you are here; for moderators and admins, who others are and what they may do."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.domain.account import Account, Platform, Role
from core.domain.errors import BadValue, NotFound, NotThem
from core.domain.token import Scope
from core.services import Services
from web.api.notices import NotifyOut, notify_out
from web.api.route import Body, Listed, Out, Query, route
from web.api.wallet import EntryOut, entry_out
from web.visiting import Asked

WHY = 200  # characters


class LoginOut(Out):
    """A login that leads to an account: `discord:1234`, and the name there."""

    id: str
    name: str


class StoredOut(Out):
    """How much somebody stores, what is on its way included, and how much they may."""

    bytes: int
    items: int
    most_bytes: int
    most_items: int


class MeOut(Out):
    """Who you are here."""

    id: str
    name: str
    role: Role
    adult: bool
    logins: tuple[LoginOut, ...]
    notify: NotifyOut
    stored: StoredOut


class AccountOut(Out):
    """Somebody: `banned` says why they may do nothing here, `related` are those who count as the same household."""

    id: str
    name: str
    role: Role
    platform: Platform
    banned: str | None
    adult: bool
    related: tuple[str, ...]
    created_at: datetime


class PersonOut(AccountOut):
    """Somebody with all their logins; the role is what they are in fact, which the settings may raise."""

    logins: tuple[LoginOut, ...]


class Named(Query):
    """Whose name begins so."""

    name: Annotated[str, Field(max_length=100)] = ""


class BanIn(Body):
    """Why: they are told this."""

    why: Annotated[str, Field(min_length=1, max_length=WHY)]


class RoleIn(Body):
    """What they may do."""

    role: Role


class GrantIn(Body):
    """How many qoints, and what for."""

    amount: int
    why: str = "a grant"


@route("GET", "/me")
async def me(asked: Asked) -> MeOut:
    """Show who you are, how you can sign in, and how much you store."""
    services, actor = asked.services, asked.actor
    used, quota = await services.datasets.usage(actor), services.datasets.quota
    logins = await services.accounts.logins(actor)
    return MeOut(
        id=actor.account,
        name=actor.name,
        role=actor.role,
        adult=actor.adult,
        logins=tuple(LoginOut(id=one.id, name=one.name) for one in logins),
        notify=notify_out(actor.notify),
        stored=StoredOut(bytes=used.bytes, items=used.items, most_bytes=quota.bytes, most_items=quota.items),
    )


@route("GET", "/admin/accounts", role=Role.MODERATOR, scope=Scope.ADMIN)
async def search(asked: Asked, query: Named) -> Listed[AccountOut]:
    """List the accounts whose name begins so, the first 25 by name."""
    found = await asked.services.accounts.named(query.name)
    return Listed[AccountOut](items=tuple(account_out(one) for one in found))


@route("GET", "/admin/accounts/{account}", role=Role.MODERATOR, scope=Scope.ADMIN)
async def view(asked: Asked, account: str) -> PersonOut:
    """Show somebody, by id or by a login such as discord:1234."""
    return await person_out(asked.services, await account_of(asked.services, account))


@route("PUT", "/admin/accounts/{account}/ban", role=Role.ADMIN, scope=Scope.ADMIN, errors=(NotThem,))
async def ban(asked: Asked, account: str, body: BanIn) -> AccountOut:
    """Let somebody do nothing here any more."""
    found = await account_of(asked.services, account)
    return account_out(await asked.services.accounts.ban(asked.actor, found, why=body.why))


@route("DELETE", "/admin/accounts/{account}/ban", role=Role.ADMIN, scope=Scope.ADMIN, errors=(NotThem,))
async def unban(asked: Asked, account: str) -> AccountOut:
    """Let somebody in again."""
    found = await account_of(asked.services, account)
    return account_out(await asked.services.accounts.unban(asked.actor, found))


@route("PUT", "/admin/accounts/{account}/role", role=Role.ADMIN, scope=Scope.ADMIN, errors=(NotThem,))
async def role(asked: Asked, account: str, body: RoleIn) -> AccountOut:
    """Give somebody a role."""
    found = await account_of(asked.services, account)
    return account_out(await asked.services.accounts.role(asked.actor, found, body.role))


@route("PUT", "/admin/accounts/{account}/adult", role=Role.MODERATOR, scope=Scope.ADMIN, errors=(NotThem,))
async def verify(asked: Asked, account: str) -> AccountOut:
    """Say that you have verified that somebody is of age."""
    found = await account_of(asked.services, account)
    return account_out(await asked.services.accounts.verify(asked.actor, found, on=True))


@route("DELETE", "/admin/accounts/{account}/adult", role=Role.MODERATOR, scope=Scope.ADMIN, errors=(NotThem,))
async def unverify(asked: Asked, account: str) -> AccountOut:
    """Say that somebody is no longer verified as of age."""
    found = await account_of(asked.services, account)
    return account_out(await asked.services.accounts.verify(asked.actor, found, on=False))


@route("PUT", "/admin/accounts/{account}/related/{other}", role=Role.ADMIN, scope=Scope.ADMIN, errors=(NotThem,))
async def relate(asked: Asked, account: str, other: str) -> AccountOut:
    """Mark two accounts as the same person's or household's: from now on they earn nothing from each other."""
    return await _related(asked, account, other, on=True)


@route("DELETE", "/admin/accounts/{account}/related/{other}", role=Role.ADMIN, scope=Scope.ADMIN, errors=(NotThem,))
async def unrelate(asked: Asked, account: str, other: str) -> AccountOut:
    """Undo that."""
    return await _related(asked, account, other, on=False)


@route(
    "POST",
    "/admin/accounts/{account}/grant",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(BadValue,),
)
async def grant(asked: Asked, account: str, body: GrantIn) -> EntryOut:
    """Give somebody qoints."""
    found = await account_of(asked.services, account)
    given = await asked.services.wallets.grant(asked.actor, to=found, amount=body.amount, why=body.why, key=asked.key)
    return entry_out(given, given.owner)


async def account_of(services: Services, name: str) -> Account:
    """The account of an id or a login.

    Raises:
        NotFound: Nobody is called so.
    """
    found = await services.accounts.known(name)
    if found is None:
        raise NotFound(noun="account", name=name, hint="Give its id, or a login such as discord:1234.")
    return found


def account_out(account: Account) -> AccountOut:
    """Somebody, as moderators see them."""
    return AccountOut(**_facts(account))


async def person_out(services: Services, account: Account) -> PersonOut:
    """The same with their logins."""
    actor = await services.accounts.actor(account.id)
    logins = await services.accounts.logins(actor)
    shown = tuple(LoginOut(id=one.id, name=one.name) for one in logins)
    return PersonOut(**{**_facts(account), "role": actor.role}, logins=shown)


async def _related(asked: Asked, account: str, other: str, *, on: bool) -> AccountOut:
    one, two = await account_of(asked.services, account), await account_of(asked.services, other)
    marked, _ = await asked.services.accounts.relate(asked.actor, one, two, on=on)
    return account_out(marked)


def _facts(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "role": account.role,
        "platform": account.home.platform,
        "banned": account.banned,
        "adult": account.adult is not None,
        "related": account.related,
        "created_at": account.created_at,
    }
