"""Notices: what somebody was told, wherever it was brought to them, and how they want to be told."""

from aiohttp import web

from core.domain.account import Role, Telling, Where
from core.domain.wording import told as worded
from web.sandbox.page import Look, one_of, page

SHOWN = 25
WHERE = {Where.DM: "in private", Where.CHANNEL: "in the channel where you ordered"}
TELLING = {Telling.LIVE: "a card that moves", Telling.FINAL: "only the end", Telling.QUIET: "nothing at all"}


@page("GET", "/notices")
async def list_(look: Look) -> web.StreamResponse:
    """What somebody was told, newest first."""
    after = look.query.get("after", "")
    found = await look.services.notices.list(look.actor, after=after, limit=SHOWN + 1)
    return look.shown(
        "notices/list.html",
        notices=found[:SHOWN],
        more=len(found) > SHOWN,
        after=after,
        worded=worded,
        where=WHERE,
        telling=TELLING,
    )


@page("POST", "/notices/settings", role=Role.VIEWER, refused=list_)
async def choose(look: Look) -> web.StreamResponse:
    """Choose where and how to be told."""
    where = one_of(Where, look.field("where"), what="place")
    telling = one_of(Telling, look.field("telling"), what="amount")
    await look.services.accounts.notify(look.actor, where=where, telling=telling)
    look.leads("/notices", said="That is how you are told from now on.")
