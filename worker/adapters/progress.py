"""What an intake child says on its way: how far it is, and that it was stopped."""

from core.domain.value import Value
from worker.channel import TaskFailed


class Progressed(Value):
    """What was looked at so far: pictures, those in archives included, or megabytes of conversations."""

    done: int
    total: int


class IntakeStopped(TaskFailed):
    """The parent asked for an end; nothing was taken."""

    code = "intake_stopped"
