"""Driver errors in the words of the domain: the one table."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from core.domain.errors import DatabaseUnavailable

UNAVAILABLE = (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors that mean an absent database into DatabaseUnavailable; the rest are bugs and stay.

    A cancellation that came meanwhile and got lost is raised again: in Python 3.11 `asyncio.wait_for`, on which the
    driver stands, drops one that arrives in the moment in which what it waits for is done (CPython issue 86296).
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
        if task and task.cancelling() > before:
            raise asyncio.CancelledError
    except UNAVAILABLE as error:
        if error.has_error_label("TransientTransactionError"):
            raise  # the transaction is about to be tried again
        raise DatabaseUnavailable(why=_first_line(error)) from error


@contextmanager
def given_up() -> Iterator[None]:
    """Around all the tries of a transaction: what was to be tried again did not come through in time either."""
    try:
        with translated():
            yield
    except PyMongoError as error:
        if not error.has_error_label("TransientTransactionError"):
            raise
        raise DatabaseUnavailable(why=_first_line(error)) from error


def _first_line(error: PyMongoError) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
