"""The child's end of the line, with a parent that is suddenly gone."""

import multiprocessing
import select
import socket

from tests.worker.child_tasks import Count
from worker.line import Called, framed, serve


def test_a_child_whose_parent_has_gone_without_reading_its_answer_ends() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        arguments = (theirs, "tests.worker.child_tasks:Tasks", None)
        child = multiprocessing.get_context("spawn").Process(target=serve, args=arguments)
        child.start()
    try:
        with ours:
            ours.sendall(framed(Called(method="count", task=Count(number=1))))
            select.select([ours], [], [])
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
        child.close()
