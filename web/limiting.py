"""Rate limits: a token bucket for everybody who asks, kept in this process (each replica lets through as much)."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from core.domain.errors import TooOften
from core.domain.session import neighbourhood
from web.callers import caller
from web.problems import Handler
from web.visiting import visitor

RATE, BURST = 20.0, 200.0  # requests a second in the long run, and at once
ANONYMOUS = 0.25  # of that for an address without an account: many may sit behind it, and all can be taken
KNOWN = 10_000  # buckets that are remembered; the one that was not used for longest is full anyway
SIGNED = ("/i/", "/d/", "/u/")  # links of ours: who has one is served; uploads are limited by size, quota and slots
FREE = ("/static/", "/healthz", "/metrics", *SIGNED)
DUST = 1e-7  # of a token, which moments lose when they are subtracted: who has waited as they were told may go on


@dataclass(frozen=True, kw_only=True)
class Limiter:
    """Buckets by whoever draws from them: (tokens left, the moment of the count)."""

    rate: float = RATE
    burst: float = BURST
    now: Callable[[], float] = time.monotonic
    buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def draw(self, who: str, *, share: float = 1.0) -> None:
        """Take one token out of somebody's bucket.

        Raises:
            TooOften: It is empty; the words say how long to wait.
        """
        now, rate, burst = self.now(), self.rate * share, self.burst * share
        left, at = self.buckets.pop(who, (burst, now))
        left = min(burst, left + (now - at) * rate)
        enough = left >= 1 - DUST
        self.buckets[who] = (left - 1 if enough else left, now)
        if len(self.buckets) > KNOWN:
            self.buckets.popitem(last=False)
        if not enough:
            raise TooOften(seconds=math.ceil((1 - left) / rate))


LIMITER = web.AppKey("limiter", Limiter)


@web.middleware
async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let nobody ask more often than the house can bear."""
    if not request.path.startswith(FREE):
        who, share = neighbourhood(caller(request)), ANONYMOUS
        try:
            if found := await visitor(request):
                who, share = found.actor.account, 1.0
        finally:  # who tries tokens that are none is counted too
            request.app[LIMITER].draw(who, share=share)
    return await handler(request)
