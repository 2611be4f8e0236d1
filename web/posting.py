"""The poster's rounds: what is due goes to webhooks, for ever, a lane for each webhook."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import structlog

from core.domain.errors import Unavailable
from core.domain.webhook import Post
from core.ports.posters import Poster
from core.services.rounds import Rounds
from core.services.webhooks import Webhooks

TOGETHER = 16  # webhooks that are sent to at a time
WINDOW = 100  # posts that are looked at in one round
FAREWELL = 2.0  # seconds for what is being sent when the process has to stop; the rest whoever comes next sends again

log = structlog.get_logger()


async def posting(webhooks: Webhooks, poster: Poster, *, stop: asyncio.Event, poll: float = 1.0) -> None:
    """Send until `stop` is set; whatever goes wrong on the way is survived."""
    await rounds(webhooks, poster).go(stop=stop, poll=poll)


def rounds(webhooks: Webhooks, poster: Poster) -> Rounds[Post]:
    """A lane for each webhook."""
    return Rounds(due=partial(_due, webhooks), bring=partial(_send, webhooks, poster), most=TOGETHER, farewell=FAREWELL)


async def _due(webhooks: Webhooks, apart_from: Collection[str]) -> Mapping[str, Sequence[Post]] | None:
    due = defaultdict[str, list[Post]](list)
    try:
        for post in await webhooks.due(apart_from=apart_from, limit=WINDOW):
            due[post.webhook].append(post)
    except Unavailable as error:
        log.warning("posting.waits", why=str(error))
        return None
    except Exception:
        log.exception("posting.broke")
        return None
    return due


async def _send(webhooks: Webhooks, poster: Poster, post: Post) -> None:
    """Send one post; what breaks stays claimed for a while, and is tried again after that."""
    try:
        sent = await webhooks.send(post, poster)
    except Unavailable as error:
        log.warning("posting.waits", why=str(error))
    except Exception:
        log.exception("posting.broke", post=post.id)
    else:
        if sent:
            log.info("post.sent", post=sent.id, webhook=sent.webhook, attempt=sent.attempts, state=sent.state)
