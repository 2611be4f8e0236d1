"""A crew of worker processes over one data folder: who is told to leave or killed is replaced at once."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from tests.builders.attempts import awaited
from tests.e2e.processes import children, database_of, ended, environment, gone, started

BRISK_WORKER = (sys.executable, str(Path(__file__).with_name("a_brisk_worker.py")))
SIZE = 3
LEAVES = 120  # seconds in which whoever was told to leave is gone, on the slowest machine


@dataclass(kw_only=True)
class Crew:
    """Those at `work`, those who were told to be `leaving`, and all `helpers` that were ever seen."""

    data: Path
    env: Mapping[str, str]
    started: ExitStack
    work: list[psutil.Popen] = field(default_factory=list)
    leaving: list[psutil.Popen] = field(default_factory=list)
    helpers: set[psutil.Process] = field(default_factory=set)
    hired: int = 0

    @property
    def pids(self) -> set[int]:
        """Who may still hold a lease and report."""
        return {one.pid for one in (*self.work, *self.leaving) if not gone(one)}

    def fill(self) -> None:
        """See that everybody's place is taken."""
        self.work = [one for one in self.work if not gone(one)]
        while len(self.work) < SIZE:
            self.hired += 1
            one = started(*BRISK_WORKER, data=self.data, env=self.env, log=f"worker-{self.hired}.log")
            self.work.append(self.started.enter_context(one))

    def kill(self, rng: Random) -> None:
        """Kill a worker; another one comes for it."""
        one = self._somebody(rng)
        one.kill()
        one.wait()
        self.fill()

    def dismiss(self, rng: Random) -> None:
        """Tell a worker to leave; another one comes for it."""
        one = self._somebody(rng)
        one.terminate()
        self.work.remove(one)
        self.leaving.append(one)
        self.fill()

    def orphan(self, rng: Random) -> None:
        """Kill what works for a worker, and not the worker."""
        if helpers := sorted(children(self._somebody(rng)), key=lambda one: one.pid):
            with suppress(psutil.NoSuchProcess):
                rng.choice(helpers).kill()

    def suspend(self, rng: Random) -> psutil.Popen:
        """Let a worker stand still."""
        one = self._somebody(rng)
        one.suspend()
        return one

    def strike(self) -> None:
        """Kill the database; whoever is attached starts it again."""
        with suppress(ProcessLookupError):
            os.kill(database_of(self.data).pid, signal.SIGKILL)

    def resume(self, *those: psutil.Popen) -> None:
        """Let some go on, where they are still there."""
        for one in those:
            with suppress(psutil.NoSuchProcess):
                one.resume()

    async def settle(self) -> None:
        """Wait until those have left who were told to, in order, and nobody's helpers have outlived them."""
        for one in self.leaving:
            assert await ended(one, seconds=LEAVES) in {0, -signal.SIGTERM}  # the latter before it has begun
        self.leaving.clear()
        await awaited(self._tidy, seconds=LEAVES)
        self.helpers.clear()

    async def _tidy(self) -> bool:
        ours = {helper for one in self.work for helper in children(one)}
        return all(gone(helper) for helper in self.helpers - ours)

    def _somebody(self, rng: Random) -> psutil.Popen:
        self.helpers |= {helper for one in self.work for helper in children(one)}
        return rng.choice(self.work)


@contextmanager
def a_crew(data: Path) -> Iterator[Crew]:
    """A full crew, of which nothing is left behind."""
    with ExitStack() as stack:
        crew = Crew(data=data, env={**environment(data), "DAILY_POINTS": "0"}, started=stack)
        crew.fill()
        yield crew
