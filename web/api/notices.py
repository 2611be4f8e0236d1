"""Notices: what you were told, wherever it was brought to you, and how you want to be told."""

from datetime import datetime

from core.domain.account import Notify, Role, Telling, Where
from core.domain.errors import NotFound
from core.domain.notice import Topic
from core.domain.wording import told as worded
from core.services.notices import Told
from web.api.route import Body, Listed, Out, Paging, route
from web.visiting import Asked


class NoticeOut(Out):
    """Something that you were told."""

    id: str
    topic: Topic
    title: str
    text: str
    job: str | None
    at: datetime


class NotifyOut(Out):
    """Where you are told of what you ordered in a group, and how much."""

    where: Where
    telling: Telling


class NotifyIn(Body):
    """What to change; what is left out stays."""

    where: Where | None = None
    telling: Telling | None = None


@route("GET", "/notices", errors=(NotFound,))
async def list_(asked: Asked, query: Paging) -> Listed[NoticeOut]:
    """List what you were told, newest first."""
    found = await asked.services.notices.list(asked.actor, after=query.after, limit=query.limit + 1)
    return Listed[NoticeOut].of([notice_out(one) for one in found], limit=query.limit, name=lambda one: one.id)


@route("GET", "/notify")
async def settings(asked: Asked) -> NotifyOut:
    """Show how you are told."""
    return notify_out(asked.actor.notify)


@route("PATCH", "/notify", role=Role.VIEWER)
async def choose(asked: Asked, body: NotifyIn) -> NotifyOut:
    """Choose how you are told."""
    return notify_out(await asked.services.accounts.notify(asked.actor, where=body.where, telling=body.telling))


def notice_out(one: Told) -> NoticeOut:
    """A notice in words."""
    words, notice = worded(one.notice, one.job), one.notice
    return NoticeOut(
        id=notice.id,
        topic=notice.topic,
        title=words.title,
        text=words.text,
        job=one.job.id if one.job else None,
        at=notice.created_at,
    )


def notify_out(notify: Notify) -> NotifyOut:
    """How somebody is told."""
    return NotifyOut(where=notify.where, telling=notify.telling)
