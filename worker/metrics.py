"""What a worker counts of its own work, for Prometheus (naming: prometheus.io/docs/practices/naming)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, start_http_server

from core.domain.errors import PortTaken
from core.domain.fleet import Worker
from core.domain.job import Job

LONG = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400)  # seconds of an attempt


class Metrics:
    """Counters in a registry of their own; none of their labels says whose a job is."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._worker = Info("loraguild_worker", "Which worker this is.", registry=self.registry)
        self._busy = Gauge("loraguild_worker_jobs", "Jobs that it works on now.", ["kind"], registry=self.registry)
        self._claimed = Counter("loraguild_jobs_claimed", "Jobs it has claimed.", ["kind"], registry=self.registry)
        self._ended = Counter(
            "loraguild_attempts_ended",
            "Attempts that have ended, by what became of the job: succeeded, released, retried, or a failure's code.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._lost = Counter(
            "loraguild_leases_lost", "Attempts whose lease was lost.", ["kind"], registry=self.registry
        )
        self._seconds = Histogram(
            "loraguild_attempt_seconds", "How long attempts took.", ["kind"], buckets=LONG, registry=self.registry
        )
        self._device = Counter(
            "loraguild_device_seconds",
            "Seconds for which jobs that need a base model had the device.",
            ["kind", "gpu"],
            registry=self.registry,
        )

    def describe(self, worker: Worker) -> None:
        """Say which worker it is."""
        self._worker.info({"id": worker.id, "version": worker.version, "device": worker.device, "gpu": worker.gpu})

    @contextmanager
    def attempt(self, job: Job) -> Iterator[None]:
        """One attempt, from beginning to end."""
        self._claimed.labels(job.kind).inc()
        with self._busy.labels(job.kind).track_inprogress(), self._seconds.labels(job.kind).time():
            yield

    @contextmanager
    def device(self, job: Job, *, gpu: str) -> Iterator[None]:
        """The time for which a job, and those that are done in one go with it, have the device."""
        since = time.perf_counter()
        try:
            yield
        finally:
            if job.base:
                self._device.labels(job.kind, gpu).inc(time.perf_counter() - since)

    def ended(self, job: Job, outcome: str) -> None:
        """An attempt has ended so."""
        self._ended.labels(job.kind, outcome).inc()

    def lost(self, job: Job) -> None:
        """An attempt has lost its lease."""
        self._lost.labels(job.kind).inc()

    @contextmanager
    def served(self, *, host: str, port: int) -> Iterator[int]:
        """Let Prometheus read them for as long, at the port that is given: any that is free in place of 0.

        Raises:
            PortTaken: Nobody can listen there.
        """
        try:
            server, thread = start_http_server(port, host, registry=self.registry)
        except OSError as error:
            raise PortTaken(host=host, port=port, setting="METRICS_PORT") from error
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
