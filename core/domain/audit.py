"""The audit log: what admins did, and what was done in somebody's name."""

from collections.abc import Mapping
from datetime import datetime

from core.domain.value import Entity


class Audit(Entity):
    """One act that somebody may have to answer for."""

    actor: str
    act: str
    subject: str
    details: Mapping[str, str]
    at: datetime
