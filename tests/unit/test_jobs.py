from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.domain.account import Role
from core.domain.errors import JobEnded, LeaseLost, NothingToDo
from core.domain.job import LEASE, LOST_WORKERS, RETRY_AFTER, Failure, Job, JobState, Progress
from tests.builders.entities import NOON, a_job, an_actor, an_artifact

BROKEN = Failure(code="broken", words="It broke.")
workers = st.sampled_from(["w1", "w2", "w3", "w4"])


class Life(RuleBasedStateMachine):
    """One job in the hands of several workers; every token ever given out is tried again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.job: Job = a_job()
        self.now = NOON
        self.tokens: list[str] = []
        self.costing = 0
        self.lost: set[str] = set()

    @property
    def current(self) -> str | None:
        return self.tokens[-1] if self.job.state is JobState.RUNNING else None

    @rule(seconds=st.integers(0, 200))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(worker=workers)
    def claim(self, worker: str) -> None:
        before, token = self.job, f"t{len(self.tokens)}"
        if before.state is not JobState.QUEUED or before.not_before > self.now:
            with pytest.raises(LeaseLost):
                before.claimed(worker=worker, token=token, now=self.now)
            return
        self.job = before.claimed(worker=worker, token=token, now=self.now)
        self.tokens.append(token)
        self.costing += 1
        assert (self.job.attempt, self.job.worker) == (before.attempt + 1, worker)
        assert self.job.lease_until == self.now + LEASE
        assert self.job.checkpoint == before.checkpoint

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), act=st.sampled_from(["report", "checkpoint", "release", "retry", "succeed", "fail"]))
    def act(self, data: st.DataObject, act: str) -> None:
        token = data.draw(st.sampled_from(self.tokens))
        if token != self.current:
            with pytest.raises(LeaseLost):
                self.job.fenced(token)
            return
        fenced = self.job.fenced(token)
        match act:
            case "report":
                progress = Progress(step=1, total=2)
                self.job = fenced.reported(now=self.now, progress=progress)
                assert (self.job.lease_until, self.job.progress) == (self.now + LEASE, progress)
            case "checkpoint":
                artifact = an_artifact(f"{len(self.tokens)}.ckpt")
                self.job = fenced.reported(now=self.now, checkpoint=artifact)
                assert self.job.checkpoint == artifact
            case "release":
                self.job = fenced.released(now=self.now)
                self.costing -= 1
            case "retry":
                self.job = fenced.retried(now=self.now)
                assert self.job.not_before == self.now + RETRY_AFTER * 2 ** (fenced.attempt - 1)
            case "succeed":
                self.job = fenced.succeeded({"done": 1}, now=self.now)
            case "fail":
                self.job = fenced.failed(BROKEN, now=self.now)

    @rule()
    def expire(self) -> None:
        if self.job.state is not JobState.RUNNING or (self.job.lease_until and self.job.lease_until > self.now):
            with pytest.raises(LeaseLost):
                self.job.expired(now=self.now)
            return
        self.lost.add(str(self.job.worker))
        before, self.job = self.job, self.job.expired(now=self.now)
        if len(self.lost) < LOST_WORKERS:
            assert (self.job.state, self.job.checkpoint) == (JobState.QUEUED, before.checkpoint)
        else:
            assert (self.job.state, self.job.failure and self.job.failure.code) == (JobState.FAILED, "quarantined")

    @rule()
    def requeue(self) -> None:
        before = self.job
        if before.state is not JobState.RUNNING:
            with pytest.raises(JobEnded if before.state.ended else NothingToDo):
                before.requeued(now=self.now)
            return
        self.job = before.requeued(now=self.now)
        self.costing -= 1
        assert (self.job.state, self.job.checkpoint) == (JobState.QUEUED, before.checkpoint)

    @rule()
    def cancel(self) -> None:
        if self.job.state.ended:
            with pytest.raises(JobEnded):
                self.job.cancelled(now=self.now)
        else:
            self.job = self.job.cancelled(now=self.now)

    @invariant()
    def attempts_are_those_that_were_not_handed_back(self) -> None:
        assert self.job.attempt == self.costing

    @invariant()
    def only_a_running_job_has_a_token_and_a_lease(self) -> None:
        running = self.job.state is JobState.RUNNING
        assert (self.job.token is not None, self.job.lease_until is not None) == (running, running)
        assert self.job.token == self.current

    @invariant()
    def an_ended_job_has_let_go_and_cannot_end_again(self) -> None:
        if not self.job.state.ended:
            return
        assert (self.job.checkpoint, self.job.ended_at is not None) == (None, True)
        with pytest.raises(JobEnded):
            self.job.succeeded({}, now=self.now)
        with pytest.raises(JobEnded):
            self.job.failed(BROKEN, now=self.now)
        with pytest.raises(JobEnded):
            self.job.cancelled(now=self.now)

    @invariant()
    def lost_workers_are_counted_once_each(self) -> None:
        assert set(self.job.lost) == self.lost
        assert len(self.job.lost) == len(self.lost)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_job_beyond_its_owners_limits_cannot_be_claimed() -> None:
    with pytest.raises(LeaseLost):
        a_job(eligible=False).claimed(worker="w", token="t", now=NOON)


def test_the_first_start_is_remembered_over_attempts() -> None:
    first = a_job().claimed(worker="w", token="t", now=NOON).released(now=NOON)

    assert first.claimed(worker="w", token="u", now=NOON + LEASE).started_at == NOON


def test_its_owner_and_moderators_see_a_job() -> None:
    seen = [
        a_job().visible_to(an_actor(account, role=role))
        for account, role in (("ann", Role.USER), ("bob", Role.USER), ("bob", Role.MODERATOR))
    ]

    assert seen == [True, False, True]
