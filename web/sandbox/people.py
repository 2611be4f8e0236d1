"""People, as moderators and admins see them: who they are, what they may do, and qoints for them."""

from typing import NoReturn

from aiohttp import web

from core.domain.account import Account, Role
from core.domain.errors import BadValue
from web.api.accounts import account_of
from web.sandbox.page import Look, one_of, page
from web.wording import counted

ON = "yes"


@page("GET", "/admin/people", role=Role.MODERATOR)
async def search(look: Look) -> web.StreamResponse:
    """The accounts whose name begins so, or the one of a login or id."""
    text = look.query.get("name", "").strip()
    known = await look.services.accounts.known(text) if text else None
    found = [known] if known else await look.services.accounts.named(text)
    return look.shown("admin/people.html", found=found, text=text)


@page("GET", "/admin/people/{account}", role=Role.MODERATOR)
async def view(look: Look) -> web.StreamResponse:
    """One of them, and what can be done."""
    account, services = await _account(look), look.services
    actor = await services.accounts.actor(account.id)
    related = [await account_of(services, one) for one in account.related]
    return look.shown(
        "admin/person.html",
        account=account,
        role=actor.role,
        logins=await services.accounts.logins(actor),
        related=related,
        roles=[(role.value, role.value) for role in Role],
    )


@page("POST", "/admin/people/{account}/ban", role=Role.ADMIN, refused=view)
async def ban(look: Look) -> web.StreamResponse:
    """Let somebody do nothing here any more, or let them in again."""
    account, accounts = await _account(look), look.services.accounts
    if look.field("on") == ON:
        why = look.field("why")
        if not why:
            raise BadValue(what="reason", value=why, why="say why: they are told this")
        await accounts.ban(look.actor, account, why=why)
        _done(look, account, f"{account.name} is banned.")
    await accounts.unban(look.actor, account)
    _done(look, account, f"{account.name} is welcome again.")


@page("POST", "/admin/people/{account}/role", role=Role.ADMIN, refused=view)
async def role(look: Look) -> web.StreamResponse:
    """Give somebody a role."""
    account = await _account(look)
    changed = await look.services.accounts.role(look.actor, account, one_of(Role, look.field("role"), what="role"))
    _done(look, account, f"{account.name} is {changed.role} now.")


@page("POST", "/admin/people/{account}/adult", role=Role.MODERATOR, refused=view)
async def verify(look: Look) -> web.StreamResponse:
    """Say whether somebody is of age."""
    account, on = await _account(look), look.field("on") == ON
    await look.services.accounts.verify(look.actor, account, on=on)
    _done(look, account, f"{account.name} is {'verified' if on else 'no longer verified'} as of age.")


@page("POST", "/admin/people/{account}/related", role=Role.ADMIN, refused=view)
async def relate(look: Look) -> web.StreamResponse:
    """Say whether somebody is the same person, or of the same household, as another."""
    account, on = await _account(look), look.field("on") == ON
    other = await account_of(look.services, look.field("other"))
    await look.services.accounts.relate(look.actor, account, other, on=on)
    earn = "earn nothing" if on else "earn"
    _done(look, account, f"{account.name} and {other.name} {earn} from each other's pictures from now on.")


@page("POST", "/admin/people/{account}/grant", role=Role.ADMIN, refused=view)
async def grant(look: Look) -> web.StreamResponse:
    """Give somebody qoints."""
    account, amount = await _account(look), look.number("amount") or 0
    why = look.field("for") or "a grant"
    await look.services.wallets.grant(look.actor, to=account, amount=amount, why=why, key=look.key)
    _done(look, account, f"{counted(amount, 'qoint')} granted to {account.name}.")


async def _account(look: Look) -> Account:
    return await account_of(look.services, look.path("account"))


def _done(look: Look, account: Account, words: str) -> NoReturn:
    look.leads(f"/admin/people/{account.id}", said=words)
