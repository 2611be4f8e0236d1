"""One of the processes that a leader starts to train together: `python -m worker.pipelines.member`."""

import pickle
import sys

from worker.pipelines.crew import Shared, Together, leave_with_the_leader, quietly
from worker.pipelines.studio import Studio

if __name__ == "__main__":
    task, placement = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own leader wrote it
    leave_with_the_leader()
    with quietly(task) as ordered:
        Studio(placement).join(ordered, Shared(None), Together(placement))
