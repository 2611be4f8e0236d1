"""Metrics: the whole house for Prometheus, counted when it is asked (naming: prometheus.io/docs/practices/naming)."""

import hmac
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from core.domain.census import Census, Totals
from core.domain.job import JobState
from core.services.censuses import Censuses


@dataclass(frozen=True, kw_only=True)
class MetricsRoutes:
    """What lies under `/metrics`: for whoever has the token; without one for this machine, if nobody else comes by.

    `address` is where people reach the pages: behind a proxy everybody would seem to be on this machine.
    """

    censuses: Censuses
    address: str
    token: str | None

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/metrics", self.metrics)]

    async def metrics(self, request: web.Request) -> web.Response:
        """Everything, in the format that was asked for."""
        if not self._allowed(request):
            raise web.HTTPNotFound
        registry = CollectorRegistry()
        registry.register(Counted(census=await self.censuses.census(), totals=await self.censuses.totals()))
        encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": media_type})

    def _allowed(self, request: web.Request) -> bool:
        if self.token:
            given = request.headers.get("Authorization", "")
            return hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode())
        return _is_here(request.remote) and _is_here(urlsplit(self.address).hostname)


@dataclass(frozen=True, kw_only=True, eq=False)  # a registry takes it for a key
class Counted:
    """What was counted, as metrics."""

    census: Census
    totals: Totals

    def collect(self) -> Iterator[Metric]:
        """Each with its samples."""
        yield from self._jobs()
        workers = GaugeMetricFamily("loraguild_workers", "Workers of the last day.", labels=["version", "state"])
        now = self.census.at
        states = ((one.version, "alive" if one.live(now=now) else "stale") for one in self.census.workers)
        for (version, state), count in Counter(states).items():
            workers.add_metric([version, state], count)
        yield workers
        backlog = GaugeMetricFamily("loraguild_notices_due", "Notices to deliver now.", labels=["platform"])
        for platform, count in self.census.backlog.items():
            backlog.add_metric([platform], count)
        yield backlog
        revenue = GaugeMetricFamily("loraguild_revenue_points", "What the house earned.", labels=["lot"])
        for lot, amount in self.totals.revenue.items():
            revenue.add_metric([lot], amount)
        yield revenue
        yield GaugeMetricFamily("loraguild_blobs", "Stored files.", value=self.totals.files)
        yield GaugeMetricFamily("loraguild_blob_bytes", "Bytes of stored files.", value=self.totals.bytes)

    def _jobs(self) -> Iterator[Metric]:
        labels, crowds = ["kind", "pool"], self.census.crowds
        queued = GaugeMetricFamily("loraguild_jobs_queued", "Jobs that wait.", labels=labels)
        oldest = GaugeMetricFamily("loraguild_jobs_oldest_seconds", "Age of the oldest that waits.", labels=labels)
        running = GaugeMetricFamily("loraguild_jobs_running", "Jobs that run.", labels=labels)
        for crowd in crowds:
            where = [crowd.kind, crowd.pool]
            if crowd.state is JobState.RUNNING:
                running.add_metric(where, crowd.count)
            else:
                queued.add_metric(where, crowd.count)
                oldest.add_metric(where, (self.census.at - crowd.oldest).total_seconds())
        yield from (queued, oldest, running)
        held = sum(crowd.held for crowd in crowds)
        yield GaugeMetricFamily("loraguild_held_points", "Held for jobs that have not ended.", value=held)


def _is_here(host: str | None) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
