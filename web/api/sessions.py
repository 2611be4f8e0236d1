"""Sessions: the browsers that somebody is signed in with."""

from datetime import datetime
from http import HTTPStatus

from core.domain.account import Role
from core.domain.errors import NotFound
from web.api.route import Listed, Out, route
from web.visiting import Asked


class SessionOut(Out):
    """A browser that is signed in; `current` is the one that asks."""

    id: str
    device: str
    current: bool
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@route("GET", "/sessions")
async def list_(asked: Asked) -> Listed[SessionOut]:
    """List where you are signed in, the browser that was used last first."""
    here = asked.visitor.session
    return Listed[SessionOut](
        items=tuple(
            SessionOut(
                id=one.handle,
                device=one.device,
                current=here is not None and here.id == one.id,
                created_at=one.created_at,
                seen_at=one.seen_at,
                expires_at=one.expires_at,
            )
            for one in await asked.services.sessions.list(asked.actor)
        )
    )


@route("DELETE", "/sessions/{session}", status=HTTPStatus.NO_CONTENT, role=Role.VIEWER, errors=(NotFound,))
async def end(asked: Asked, session: str) -> None:
    """Sign a browser out."""
    await asked.services.sessions.end(asked.actor, session)


@route("DELETE", "/sessions", status=HTTPStatus.NO_CONTENT, role=Role.VIEWER)
async def end_all(asked: Asked) -> None:
    """Sign all browsers out, but for the one that asks."""
    await asked.services.sessions.end_all(asked.actor, but=asked.visitor.session)
