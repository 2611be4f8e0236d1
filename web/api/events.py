"""Events: how all stands that somebody has ordered, as it happens."""

from aiohttp import web

from core.domain.errors import TooManyStreams
from web.api.jobs import After, told
from web.api.route import route
from web.live import LIVE
from web.streams import last_id, streamed
from web.visiting import Asked


@route("GET", "/events", media="text/event-stream", errors=(TooManyStreams,))
async def events(asked: Asked, query: After) -> web.StreamResponse:
    """Watch all your open jobs, and those that come: events `job` and `end`, each with JSON.

    An event stands for how a job is then, not for every change. What ended while you were away ends once more when you
    send the id of the last event back as `Last-Event-ID`.
    """
    after, live = last_id(asked.request) or query.after, asked.request.config_dict[LIVE]
    source = live.jobs(asked.visitor, after=after)
    return await streamed(asked.request, source, shown=lambda one: told(one, asked.services.downloads))
