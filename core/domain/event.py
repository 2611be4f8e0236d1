"""Events: what has happened to somebody's things, as other programs are told of it."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import JsonValue

from core.domain.dataset import Dataset
from core.domain.job import Job
from core.domain.model import Model
from core.domain.payout import Payout
from core.domain.value import Value


class EventType(StrEnum):
    """What can happen; the part before the dot says what the data is about."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    DATASET_READY = "dataset.ready"
    DATASET_ERROR = "dataset.error"
    MODEL_PUBLISHED = "model.published"
    PAYOUT_REQUESTED = "payout.requested"
    PAYOUT_CANCELLED = "payout.cancelled"
    PAYOUT_APPROVED = "payout.approved"
    PAYOUT_REJECTED = "payout.rejected"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_FAILED = "payout.failed"
    TEST = "webhook.test"


class Event(Value):
    """Something that has happened to what an account owns."""

    account: str
    type: EventType
    data: Mapping[str, JsonValue]
    at: datetime

    @property
    def body(self) -> bytes:
        """What is sent: the payload of Standard Webhooks, the same bytes every time."""
        told = {"type": self.type, "timestamp": written(self.at), "data": self.data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def in_order(types: Collection[EventType]) -> tuple[EventType, ...]:
    """Each type once, in the order of all."""
    return tuple(one for one in EventType if one in types)


def written(moment: datetime) -> str:
    """A moment as RFC 3339 has it, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ended(job: Job, *, now: datetime) -> Event:
    """A job has ended."""
    failure: dict[str, JsonValue] | None = (
        {"code": job.failure.code, "words": job.failure.words} if job.failure else None
    )
    data: dict[str, JsonValue] = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "title": job.title,
        "subject": job.subject,
        "price": job.price,
        "charged": job.due,
        "created_at": written(job.created_at),
        "ended_at": written(now),
        "failure": failure,
    }
    return Event(account=job.owner, type=EventType(f"job.{job.state}"), data=data, at=now)


def looked_at(dataset: Dataset, *, now: datetime) -> Event:
    """The doctor has looked at a dataset, and says whether it is ready."""
    data: dict[str, JsonValue] = {
        "id": dataset.id,
        "name": dataset.name,
        "status": dataset.status,
        "count": dataset.count,
        "revision": dataset.revision,
    }
    return Event(account=dataset.owner, type=EventType(f"dataset.{dataset.status}"), data=data, at=now)


def published(model: Model, *, now: datetime) -> Event:
    """A model is for everyone from now on."""
    data: dict[str, JsonValue] = {
        "id": model.id,
        "name": model.name,
        "trigger": model.trigger,
        "base": model.base,
        "rating": model.rating,
        "published_at": written(model.published_at or now),
    }
    return Event(account=model.owner, type=EventType.MODEL_PUBLISHED, data=data, at=now)


def stepped(payout: Payout) -> Event:
    """A payout has come into a state; never where the money goes."""
    data: dict[str, JsonValue] = {
        "id": payout.id,
        "state": payout.state,
        "amount": payout.amount,
        "reference": payout.reference,
        "reason": payout.reason,
    }
    return Event(account=payout.owner, type=EventType(f"payout.{payout.state}"), data=data, at=payout.updated_at)
