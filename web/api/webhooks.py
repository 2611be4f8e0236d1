"""Webhooks: your own programs are told what happens to your things. How to verify a signature: docs/webhooks.md."""

from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from core.domain.errors import BadValue, NotAsSeen, NothingToDo, TooManyWebhooks
from core.domain.event import EventType
from core.domain.webhook import Change, Post, PostState, Webhook
from core.services.webhooks import Opened
from web.api.route import Body, Listed, Out, require_match, route
from web.visiting import Asked


class WebhookOut(Out):
    """Where events are sent: those of some types, or of all where none is named. One that is off says why."""

    id: str
    url: str
    types: tuple[EventType, ...]
    note: str
    enabled: bool
    disabled: str | None
    failing_since: datetime | None
    created_at: datetime


class OpenedOut(WebhookOut):
    """A webhook with its secret, which is shown this once."""

    secret: str


class PostOut(Out):
    """An event that was sent, or is on its way: what came of the last attempt, and when the next one is."""

    id: str
    type: EventType
    state: PostState
    attempts: int
    status: int | None
    error: str
    created_at: datetime
    tried_at: datetime | None
    next_at: datetime | None


class NewWebhookIn(Body):
    """A new webhook; no types are all types."""

    url: str
    types: tuple[EventType, ...] = ()
    note: str = ""


class WebhookIn(Body):
    """What is to be otherwise; what is left out, or null, stays as it is."""

    url: str | None = None
    types: tuple[EventType, ...] | None = Field(default=None, description="None named: all")
    note: str | None = None
    enabled: bool | None = None


@route("GET", "/webhooks")
async def list_(asked: Asked) -> Listed[WebhookOut]:
    """List your webhooks, the oldest first."""
    return Listed(items=tuple(map(webhook_out, await asked.services.webhooks.list(asked.actor))))


@route("POST", "/webhooks", status=HTTPStatus.CREATED, location="/webhooks/{id}", errors=(BadValue, TooManyWebhooks))
async def create(asked: Asked, body: NewWebhookIn) -> OpenedOut:
    """Have events sent to an address from now on; keep the secret, it is shown this once."""
    made = asked.services.webhooks.create(asked.actor, url=body.url, types=body.types, note=body.note, key=asked.key)
    return _opened(await made)


@route("GET", "/webhooks/{webhook}")
async def view(asked: Asked, webhook: str) -> WebhookOut:
    """Show a webhook."""
    return webhook_out(await asked.services.webhooks.view(asked.actor, webhook))


@route("PATCH", "/webhooks/{webhook}", errors=(BadValue, NotAsSeen))
async def edit(asked: Asked, webhook: str, body: WebhookIn) -> WebhookOut:
    """Change a webhook, or turn it on or off; one that is turned on again is sent what happens from then on."""
    changed = asked.services.webhooks.change(
        asked.actor,
        webhook,
        Change(**dict(body)),
        expecting=lambda found: require_match(asked, webhook_out(found)),
    )
    return webhook_out(await changed)


@route("DELETE", "/webhooks/{webhook}")
async def delete(asked: Asked, webhook: str) -> None:
    """Delete a webhook, and what is known of what was sent there."""
    await asked.services.webhooks.delete(asked.actor, webhook)


@route("POST", "/webhooks/{webhook}/test", status=HTTPStatus.ACCEPTED, errors=(NothingToDo,))
async def test(asked: Asked, webhook: str) -> PostOut:
    """Send an event that says nothing; its post tells whether it has arrived."""
    return post_out(await asked.services.webhooks.test(asked.actor, webhook))


@route("POST", "/webhooks/{webhook}/secret")
async def rotate(asked: Asked, webhook: str) -> OpenedOut:
    """Make a new secret; for a day everything is signed with the one before too."""
    return _opened(await asked.services.webhooks.rotate(asked.actor, webhook))


@route("GET", "/webhooks/{webhook}/posts")
async def posts(asked: Asked, webhook: str) -> Listed[PostOut]:
    """List the latest 50 events that were sent to a webhook, or are on their way, newest first."""
    return Listed(items=tuple(map(post_out, await asked.services.webhooks.posts(asked.actor, webhook))))


@route("POST", "/webhooks/{webhook}/posts/{post}/resend", status=HTTPStatus.ACCEPTED, errors=(NothingToDo,))
async def resend(asked: Asked, webhook: str, post: str) -> PostOut:
    """Send an event again, under the same id."""
    return post_out(await asked.services.webhooks.resend(asked.actor, webhook, post))


def webhook_out(webhook: Webhook) -> WebhookOut:
    """A webhook as its owner is shown it."""
    return WebhookOut(**_facts(webhook))


def post_out(post: Post) -> PostOut:
    """A post as the owner of its webhook is shown it."""
    return PostOut(
        id=post.id,
        type=post.event.type,
        state=post.state,
        attempts=post.attempts,
        status=post.status,
        error=post.error,
        created_at=post.created_at,
        tried_at=post.tried_at,
        next_at=post.due_at if post.state is PostState.PENDING else None,
    )


def _opened(opened: Opened) -> OpenedOut:
    return OpenedOut(**_facts(opened.webhook), secret=opened.secret)


def _facts(webhook: Webhook) -> dict[str, object]:
    own = {name: getattr(webhook, name) for name in WebhookOut.model_fields if name != "enabled"}
    return own | {"enabled": webhook.disabled is None}
