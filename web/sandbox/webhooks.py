"""Webhooks: where somebody's own programs are told what happens, whether it arrives, and secrets, shown once."""

from aiohttp import web

from core.domain.event import EventType
from core.domain.webhook import MOST, OVERLAP, Change, PostState, Webhook
from web.sandbox.page import Look, one_of, page

TYPES = tuple(one for one in EventType if one is not EventType.TEST)  # that comes whenever it is asked for


@page("GET", "/webhooks")
async def list_(look: Look) -> web.StreamResponse:
    """All of somebody's webhooks, and a form for one more."""
    webhooks = await look.services.webhooks.list(look.actor)
    return look.shown("webhooks/list.html", webhooks=webhooks, types=TYPES, most=MOST)


@page("POST", "/webhooks", refused=list_)
async def create(look: Look) -> web.StreamResponse:
    """One more; its secret is shown now."""
    opened = await look.services.webhooks.create(
        look.actor, url=look.field("url"), types=_types(look), note=look.field("note"), key=look.key
    )
    return look.shown("webhooks/secret.html", webhook=opened.webhook, secret=opened.secret, overlap=None)


@page("GET", "/webhooks/{webhook}")
async def view(look: Look) -> web.StreamResponse:
    """One webhook, and what was lately sent to it."""
    name = look.path("webhook")
    webhook = await look.services.webhooks.view(look.actor, name)
    posts = await look.services.webhooks.posts(look.actor, name)
    waiting = any(post.state is PostState.PENDING for post in posts)
    return look.shown("webhooks/view.html", webhook=webhook, posts=posts, waiting=waiting, types=TYPES, facts=_facts)


@page("POST", "/webhooks/{webhook}", refused=view)
async def edit(look: Look) -> web.StreamResponse:
    """Another address, other events, other words."""
    change = Change(url=look.field("url"), types=_types(look), note=look.field("note"))
    await look.services.webhooks.change(look.actor, look.path("webhook"), change, expecting=look.expecting(_facts))
    look.leads(f"/webhooks/{look.path('webhook')}", said="It is changed.")


@page("POST", "/webhooks/{webhook}/on", refused=view)
async def turn_on(look: Look) -> web.StreamResponse:
    """Send events again."""
    await look.services.webhooks.change(look.actor, look.path("webhook"), Change(enabled=True))
    look.leads(f"/webhooks/{look.path('webhook')}", said="It is on: what happens from now on is sent there.")


@page("POST", "/webhooks/{webhook}/off", refused=view)
async def turn_off(look: Look) -> web.StreamResponse:
    """Send nothing for now."""
    await look.services.webhooks.change(look.actor, look.path("webhook"), Change(enabled=False))
    look.leads(f"/webhooks/{look.path('webhook')}", said="It is off: nothing is sent there.")


@page("POST", "/webhooks/{webhook}/test", refused=view)
async def test(look: Look) -> web.StreamResponse:
    """Send an event that says nothing."""
    await look.services.webhooks.test(look.actor, look.path("webhook"))
    look.leads(f"/webhooks/{look.path('webhook')}", said="A test is on its way.")


@page("POST", "/webhooks/{webhook}/secret", refused=view)
async def rotate(look: Look) -> web.StreamResponse:
    """A new secret, which is shown now."""
    opened = await look.services.webhooks.rotate(look.actor, look.path("webhook"))
    return look.shown("webhooks/secret.html", webhook=opened.webhook, secret=opened.secret, overlap=OVERLAP)


@page("POST", "/webhooks/{webhook}/delete", refused=view)
async def delete(look: Look) -> web.StreamResponse:
    """Send nothing there any more."""
    await look.services.webhooks.delete(look.actor, look.path("webhook"))
    look.leads("/webhooks", said="The webhook is deleted.")


@page("POST", "/webhooks/{webhook}/posts/{post}/resend", refused=view)
async def resend(look: Look) -> web.StreamResponse:
    """Send one event again."""
    await look.services.webhooks.resend(look.actor, look.path("webhook"), look.path("post"))
    look.leads(f"/webhooks/{look.path('webhook')}", said="It is sent again.")


def _facts(webhook: Webhook) -> dict[str, str]:
    """What the form says of a webhook."""
    return {"address": webhook.url, "note": webhook.note, "events": ", ".join(webhook.types) or "all"}


def _types(look: Look) -> tuple[EventType, ...]:
    """The events that are chosen; none are all."""
    return tuple(one_of(EventType, text, what="event") for text in look.fields("types"))
