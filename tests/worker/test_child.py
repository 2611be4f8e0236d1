import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from structlog.contextvars import bound_contextvars

from core.domain.value import Value
from tests.builders.attempts import awaited
from tests.worker.child_tasks import Count, Report, Seen, TooOdd
from worker.child import Child, ChildDied, ChildFailed, ChildTimedOut

TASKS = "tests.worker.child_tasks:Tasks"


async def gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        await awaited(lambda: asyncio.to_thread(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE))
    return True


async def test_a_call_returns_its_result_after_its_events_in_order() -> None:
    seen: list[Value] = []

    async def see(event: Value) -> None:
        seen.append(event)

    async with Child(TASKS) as child:
        report: Report = await child.call("count", Count(number=500), on_event=see)
    assert (report.number, seen) == (500, [Count(number=n) for n in range(500)])
    assert report.pid != os.getpid()
    assert await gone(report.pid)


async def test_the_process_and_its_object_are_reused_also_after_failures() -> None:
    async with Child(TASKS) as child:
        first: Report = await child.call("count", Count(number=1))
        with pytest.raises(TooOdd) as refused:
            await child.call("refuse", Count(number=1))
        with pytest.raises(ChildFailed, match="ZeroDivisionError") as stumbled:
            await child.call("stumble", Count(number=0))
        with pytest.raises(ChildFailed, match="ValidationError"):
            await child.call("answer_badly", Count(number=0))
        second, third = await asyncio.gather(*(child.call("count", Count(number=n)) for n in (2, 3)))
    assert (refused.value.code, refused.value.words) == ("too_odd", "This number is too odd.")
    assert "child_tasks.py" in stumbled.value.traceback
    assert [first, second, third] == [Report(pid=first.pid, calls=n, number=n) for n in (1, 2, 3)]


async def test_a_factory_that_fails_says_so() -> None:
    async with Child("tests.worker.child_tasks:broken") as child:
        with pytest.raises(ChildFailed, match="the factory is closed"):
            await child.call("count", Count(number=1))


async def test_a_task_larger_than_the_sockets_buffer_arrives() -> None:
    large = Count(number=10**500_000)
    async with Child(TASKS) as child:
        stopped = asyncio.create_task(child.call("until_stopped", large, on_event=lambda _: asyncio.sleep(0)))
        await asyncio.sleep(0)
        child.ask_to_stop()
        result: Count = await stopped
    assert result.number >= large.number


async def test_asked_to_stop_a_task_ends_by_itself_and_the_next_one_is_not_stopped() -> None:
    async def stop(_event: Value) -> None:
        child.ask_to_stop()

    async with Child(TASKS) as child:
        for start in (10, 20):
            result: Count = await child.call("until_stopped", Count(number=start), on_event=stop)
            assert result.number >= start
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await child.call("until_stopped", Count(number=0))


async def test_wishes_come_in_order_also_to_a_process_that_is_still_to_start() -> None:
    async def tell(_event: Value) -> None:
        child.tell(Count(number=2))
        child.tell(Count(number=3))

    async with Child(TASKS) as child:
        for _ in range(2):
            call = asyncio.create_task(child.call("until_told", Count(number=3), on_event=tell))
            await asyncio.sleep(0)
            child.tell(Count(number=1))
            assert await call == Count(number=123)


async def test_a_wish_that_comes_too_late_is_not_brought_to_the_next_task() -> None:
    async def tell(_event: Value) -> None:
        child.tell(Count(number=2))

    async with Child(TASKS) as child:
        child.tell(Count(number=7))
        await child.call("count", Count(number=1))
        child.tell(Count(number=8))
        assert await child.call("until_told", Count(number=1), on_event=tell) == Count(number=2)


async def test_what_a_task_logs_says_for_whom_it_works() -> None:
    async with Child(TASKS) as child:
        with bound_contextvars(job="j1", attempt=2):
            assert await child.call("look_around", Count(number=0)) == Seen(context={"job": "j1", "attempt": 2})
        assert await child.call("look_around", Count(number=0)) == Seen(context={})


async def test_interrupts_belong_to_the_parent() -> None:
    async def signal_it(event: Count) -> None:
        os.kill(event.number, signal.SIGINT)
        os.kill(event.number, signal.SIGTERM)
        await asyncio.sleep(0.1)
        child.ask_to_stop()

    async with Child(TASKS) as child:
        assert isinstance(await child.call("until_stopped", Count(number=0), on_event=signal_it), Count)


@pytest.mark.parametrize(("method", "exitcode"), [("leave", 7), ("segfault", -signal.SIGSEGV)])
async def test_a_child_that_ends_is_told_and_replaced(method: str, exitcode: int) -> None:
    async with Child(TASKS) as child:
        with pytest.raises(ChildDied) as died:
            await child.call(method, Count(number=7))
        report: Report = await child.call("count", Count(number=0))
    assert (died.value.exitcode, report.calls) == (exitcode, 1)


async def test_a_child_killed_in_the_middle_is_told_and_replaced() -> None:
    async def kill(_event: Count) -> None:
        child.kill()

    async with Child(TASKS) as child:
        with pytest.raises(ChildDied) as died:
            await child.call("compute", Count(number=0), on_event=kill)
        report: Report = await child.call("count", Count(number=0))
        os.kill(report.pid, signal.SIGKILL)  # this time between two calls
        await asyncio.to_thread(os.waitid, os.P_PID, report.pid, os.WEXITED | os.WNOWAIT)
        again: Report = await child.call("count", Count(number=0))
    assert again.pid != report.pid
    assert died.value.exitcode == -signal.SIGKILL


async def test_a_call_beyond_its_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, pids, limit = asyncio.get_running_loop(), list[int](), 3600.0

    async def wait_long(event: Count) -> None:
        pids.append(event.number)
        monkeypatch.setattr(loop, "time", lambda: time.monotonic() + limit)

    async with Child(TASKS, seconds=limit) as child:
        with pytest.raises(ChildTimedOut) as late:
            await child.call("compute", Count(number=0), on_event=wait_long)
        assert await gone(pids[0])
        assert isinstance(await child.call("count", Count(number=0)), Report)
    assert late.value.seconds == limit


async def test_a_failing_handler_takes_the_process_along() -> None:
    async def fail(event: Count) -> None:
        raise ConnectionError(event.number)

    async with Child(TASKS) as child:
        with pytest.raises(ConnectionError) as failed:
            await child.call("compute", Count(number=0), on_event=fail)
        assert await gone(failed.value.args[0])
        assert isinstance(await child.call("count", Count(number=0)), Report)


async def test_memory_is_limited() -> None:
    async with Child(TASKS, memory=512 * 2**20) as child:
        assert await child.call("take_memory", Count(number=2**20)) == Count(number=2**20)
        with pytest.raises(ChildFailed, match="MemoryError"):
            await child.call("take_memory", Count(number=2**30))


PARENT = """
import asyncio, sys
from tests.worker.child_tasks import Count
from worker.child import Child

async def tell(event):
    print(event.number, flush=True)

async def main():
    async with Child("tests.worker.child_tasks:Tasks") as child:
        await child.call("compute", Count(number=0), on_event=tell)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_child_ends_with_a_parent_killed_in_the_middle_of_its_work(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[2]
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    await parent.communicate()
    assert await gone(pid)


class Unreadable(Value):
    """Cannot be put together again at the other end."""

    def __reduce__(self) -> tuple[type[int], tuple[str]]:
        return int, ("no number",)


async def test_a_task_that_the_child_cannot_read_fails_and_the_child_lives_on() -> None:
    async with Child(TASKS) as child:
        first = await child.call("count", Count(number=0))
        with pytest.raises(ChildFailed, match="no number"):
            await child.call("count", Unreadable())
        assert (await child.call("count", Count(number=0))).pid == first.pid
