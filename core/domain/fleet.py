"""The fleet: who works where, on what, and was seen when."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from core.domain.value import Entity

STALE_AFTER = timedelta(seconds=45)
FORGOTTEN_AFTER = timedelta(days=1)
SAYS_NOTHING = re.compile(r"nvidia|geforce|quadro|tesla|gpu|generation|pcie|sxm\d*|hbm\d\w*|\d+gb")  # of the class


class Worker(Entity):
    """One polling process.

    `device` is named as its maker names it and `gpu` is the class of that name, "" for a CPU; `memory` is the device's,
    in MB. `base` is the base model that is warm, `speed` the steps per second of the last training. `missing` says by
    offering why its base cannot be loaded there.
    """

    host: str
    pid: int
    version: str = ""
    device: str
    gpu: str = ""
    memory: int = 0
    kinds: tuple[str, ...]
    labels: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    base: str | None = None
    speed: float | None = None
    missing: Mapping[str, str] = {}
    started_at: datetime
    seen_at: datetime

    @property
    def name(self) -> str:
        """What people call it by."""
        return f"{self.host}:{self.pid}"

    def live(self, *, now: datetime) -> bool:
        """Whether it was heard of lately."""
        return now - self.seen_at < STALE_AFTER


def gpu_class(device: str) -> str:
    """The short, stable class of a device by its maker's name: «NVIDIA A100-SXM4-80GB» is an `a100`."""
    words = re.split(r"[\s-]+", device.lower())
    return "".join(re.sub(r"[^a-z0-9]", "", word) for word in words if not SAYS_NOTHING.fullmatch(word))
