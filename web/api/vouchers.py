"""Vouchers: codes that are worth qoints, for admins to sell or give away."""

from datetime import datetime
from http import HTTPStatus

from core.domain.account import Role
from core.domain.errors import BadValue
from core.domain.token import Scope
from core.domain.voucher import DAYS
from web.api.route import Body, Out, route
from web.visiting import Asked


class CodesIn(Body):
    """How many codes, what each is worth and for how long; `sold` ones are worth purchased qoints, others granted."""

    amount: int
    count: int = 1
    days: int = DAYS
    sold: bool = True


class CodesOut(Out):
    """New codes as people read them. Keep them: nobody is shown them again."""

    codes: tuple[str, ...]
    amount: int
    sold: bool
    expires_at: datetime


@route(
    "POST",
    "/admin/vouchers",
    status=HTTPStatus.CREATED,
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    errors=(BadValue,),
)
async def issue(asked: Asked, body: CodesIn) -> CodesOut:
    """Make codes that are worth qoints to whoever redeems them.

    It takes no Idempotency-Key, since the house keeps no code and could not show it again: codes of an answer that got
    lost are worth nothing to anybody.
    """
    made = await asked.services.vouchers.issue(
        asked.actor, amount=body.amount, count=body.count, days=body.days, sold=body.sold, key=asked.key
    )
    return CodesOut(codes=made.codes, amount=made.amount, sold=body.sold, expires_at=made.expires_at)
