"""Retries: a training that has ended is ordered again; where the house has failed it, once at no charge.

What is free is the same training: its snapshot, settings and seed. It goes on from the last epoch that ended, with the
steps that are left; anything else is a new order at its price.
"""

from collections.abc import Mapping
from datetime import datetime

from core.domain.failure import row_of
from core.domain.job import Job, asked
from core.domain.offering import Offering
from core.domain.quote import Quote
from core.domain.run import Run

KEY = "retry:"


def is_free(job: Job) -> bool:
    """Whether it costs nothing to train the same again: the house has failed it, and for the first time."""
    return job.failure is not None and row_of(job.failure.code).free and not job.key.startswith(KEY)


def again(job: Job, *, id: str, now: datetime) -> Job:  # noqa: A002 - the field's name
    """The job that does the same once more, at no charge."""
    renewed = asked(
        job.kind,
        id=id,
        key=f"{KEY}{job.id}",
        owner=job.owner,
        subject=job.subject,
        title=job.title,
        labels=job.labels,
        memory=job.memory,
        offering=job.offering,
        base=job.base,
        estimate=job.estimate,
        priority=job.priority,
        now=now,
    )
    return renewed.but(meter=job.meter.but(seconds=0.0, since=None))


def rerun(run: Run, job: Job) -> Run:
    """The run of a job that does the same once more, from the last epoch whose file is kept or from the beginning."""
    kept = [epoch for epoch in run.epochs if not epoch.gone and epoch.step < run.steps]
    last = kept[-1] if kept else None
    passed = last.number if last else 0
    settings = {
        **run.hyperparameters,
        "steps": run.steps - (last.step if last else 0),
        "epochs": max(1, run.passes - passed),
        "extra": [],
    }
    return run.but(
        id=job.id,
        hyperparameters=settings,
        continues=run.id if last else run.continues,
        start=last.artifact.sha256 if last else run.start,
        epochs=(),
        glimpses=(),
        created_at=job.created_at,
        ended_at=None,
        chosen_at=None,
        swept_at=None,
    )


def overrides(quote: Quote, offering: Offering) -> Mapping[str, str]:
    """The settings that somebody chose beside a preset, as they would be typed."""
    usual = offering.settled(quote.preset, {})
    chosen = {name: quote.hyperparameters.get(name) for name in offering.bounds}
    changed = {name: str(value) for name, value in chosen.items() if value is not None and value != usual.get(name)}
    others = {"gpu": quote.gpu, "from": quote.model}
    return changed | {name: value for name, value in others.items() if value}
