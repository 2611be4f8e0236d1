"""The loop that every recipe shares: steps, ends of epochs, checkpoints, and what the owner wishes meanwhile.

What is learnt, and from what, a recipe's lesson says; the loop knows an adapter's parameters and losses to lower.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from diffusers.training_utils import EMAModel

from core.domain.adaptation import Adaptation
from core.domain.value import Value
from worker.channel import Channel
from worker.pipelines import checkpoints, course, lora, optimizers
from worker.pipelines.base import Loaded
from worker.pipelines.checkpoints import LoopState, RunIdentity
from worker.pipelines.crew import Alone, Crew
from worker.pipelines.journal import Journal
from worker.pipelines.lora import Modules
from worker.pipelines.spans import Spans
from worker.pipelines.tasks import (
    Checkpointed,
    EpochEnded,
    Extend,
    Sampled,
    SampleNow,
    Saved,
    SaveNow,
    StopEarly,
    Stopped,
    Trained,
    TrainingTask,
)


class Lesson(Protocol):
    """What a recipe teaches: its data, its loss, and how the result is written and shown."""

    @property
    def modules(self) -> Modules:
        """What learns, by the name of the pipeline's part."""
        ...

    def losses(self, step: int, *, crew: Crew) -> Iterator[torch.Tensor]:
        """Yield this process's parts of a step's loss, each for a backward pass of its own; they add up to the loss."""
        ...

    def evaluation(self) -> float:
        """Return the loss on the fixed evaluation."""
        ...

    def export(self, stem: str, *, epoch: int, step: int, optimizer: str) -> Path:
        """Write the adapter as it is now, in the format of its community, with what it says about itself."""
        ...

    def samples(self, stem: str) -> tuple[Path, ...]:
        """Show what the adapter does now: one file for each prompt."""
        ...


@dataclass(kw_only=True)
class Loop:
    """Everything that the steps of one run share, and the number of steps done."""

    task: TrainingTask
    channel: Channel
    base: Loaded
    wish: Adaptation
    lesson: Lesson
    spans: Spans
    crew: Crew = field(default_factory=Alone)
    step: int = 0
    stopped_early: bool = False
    parameters: list[torch.nn.Parameter] = field(init=False)
    optimizer: torch.optim.Optimizer = field(init=False)
    scaler: torch.amp.GradScaler = field(init=False)
    average: EMAModel | None = field(init=False)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        """Build what follows from the rest."""
        place = self.base.placement
        self.parameters = [one for module in self.lesson.modules.values() for one in lora.trainable(module)]
        self.optimizer = optimizers.made(self.lesson.modules, self.wish, device=place.device)
        self.scaler = torch.amp.GradScaler(place.device, enabled=place.dtype is torch.float16)
        self.average = EMAModel(self.parameters, decay=self.wish.ema) if self.wish.ema else None
        self.journal = Journal(self.channel, total=self.wish.total)

    @property
    def ends(self) -> tuple[int, ...]:
        """The step after which each epoch ends."""
        return course.epoch_ends(self.wish.steps, epochs=self.wish.epochs, extra=self.wish.extra)


def trained(loop: Loop) -> Trained | Stopped:
    """Train from where the loop stands to its end, or until the parent asks to stop.

    Raises:
        BadCheckpoint: The checkpoint to go on from is unusable.
        NanLoss: The loss is no number.
    """
    with loop.spans.measured("evaluation"):
        evaluation_before = loop.lesson.evaluation()
    with loop.spans.measured("sampling"):
        before = loop.lesson.samples("before")
    if loop.task.checkpoint is not None:
        _resume(loop, loop.task.checkpoint)
    with loop.spans.measured("steps"), lora.learning(loop.lesson.modules, loop.wish):
        last = _run(loop)
    if isinstance(last, Stopped):
        return last
    return Trained(
        artifact=last.artifact,
        step=last.step,
        base_hash=loop.base.hash,
        evaluation_before=evaluation_before,
        evaluation_after=last.evaluation,
        before=before,
        after=last.samples,
        seconds=loop.spans.seconds,
    )


def _run(loop: Loop) -> EpochEnded | Stopped:
    """Do step after step; after each, what is due then."""
    saved_at = time.monotonic()
    while True:
        loss, lr = _step(loop)
        loop.step += 1
        loop.journal.note(loop.step, loss, lr=lr)
        for wish in loop.channel.wishes():
            _grant(loop, wish)
        if loop.step in loop.ends or loop.stopped_early:
            ended = _end_epoch(loop)
            if loop.step == loop.ends[-1] or loop.stopped_early:
                return ended
        if loop.channel.stopping():
            return Stopped(checkpoint=_checkpoint(loop), step=loop.step)
        if time.monotonic() - saved_at >= loop.task.checkpoint_every:
            _checkpoint(loop)
            saved_at = time.monotonic()


def _step(loop: Loop) -> tuple[torch.Tensor, float]:
    """Do one optimizer step; return its loss, still on the device, and the first learning rate."""
    wish, losses = loop.wish, []
    share = course.lr_share(loop.step, total=wish.total, warmup=wish.warmup, schedule=wish.schedule)
    for group in loop.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * share
    if wish.dropout:
        torch.manual_seed(course.number(loop.task.seed, f"dropout {loop.crew.rank}", loop.step))
    for part in loop.lesson.losses(loop.step, crew=loop.crew):
        loop.scaler.scale(part).backward()
        losses.append(part.detach())
    loss = loop.crew.average(loop.parameters, torch.stack(losses).sum())
    loop.scaler.unscale_(loop.optimizer)
    torch.nn.utils.clip_grad_norm_(loop.parameters, wish.max_grad_norm)
    loop.scaler.step(loop.optimizer)
    loop.scaler.update()
    loop.optimizer.zero_grad()
    if loop.average:
        loop.average.step(loop.parameters)
    return loss, float(loop.optimizer.param_groups[0]["lr"])


def _grant(loop: Loop, wish: Value) -> None:
    """Do what the owner wishes, after the step that has just been done."""
    stem = f"step-{loop.step:06}"
    match wish:
        case SampleNow():
            with _resting(loop, "sampling"):
                samples = loop.lesson.samples(stem)
            loop.channel.send(Sampled(step=loop.step, samples=samples))
        case SaveNow():
            loop.journal.flush()
            artifact = _exported(loop, stem, epoch=_epoch(loop))
            loop.channel.send(Saved(step=loop.step, loss=loop.journal.last, artifact=artifact))
        case StopEarly():
            loop.stopped_early = True
        case Extend(steps=steps):
            loop.wish = loop.wish.but(extra=(*loop.wish.extra, steps))
            loop.journal.total = loop.wish.total
        case _:
            raise TypeError(wish)


def _epoch(loop: Loop) -> int:
    """Return the number of the epoch that a step, just done, belongs to."""
    return next(number for number, end in enumerate(loop.ends, start=1) if loop.step <= end)


def _end_epoch(loop: Loop) -> EpochEnded:
    """Export the adapter, look at what it has learnt, and announce both."""
    number = _epoch(loop)
    stem, first = f"epoch-{number:02}", (0, *loop.ends)[number - 1]
    loss = loop.journal.mean_of(loop.step - first)
    artifact = _exported(loop, stem, epoch=number)
    with _resting(loop, "sampling"):
        samples = loop.lesson.samples(stem)
    with _resting(loop, "evaluation"):
        evaluation = loop.lesson.evaluation()
    ended = EpochEnded(
        number=number, step=loop.step, loss=loss, evaluation=evaluation, artifact=artifact, samples=samples
    )
    loop.channel.send(ended)
    return ended


def _exported(loop: Loop, stem: str, *, epoch: int) -> Path:
    with _resting(loop, "export"):
        return loop.lesson.export(stem, epoch=epoch, step=loop.step, optimizer=optimizers.name(loop.optimizer))


@contextmanager
def _resting(loop: Loop, why: str) -> Iterator[None]:
    """Let the adapter be as others will see it: averaged where that is wished, and with nothing left out."""
    with loop.spans.measured(why), lora.resting(loop.lesson.modules):
        if loop.average:
            loop.average.store(loop.parameters)
            loop.average.copy_to(loop.parameters)
        try:
            yield
        finally:
            if loop.average:
                loop.average.restore(loop.parameters)


def _identity(loop: Loop) -> RunIdentity:
    return RunIdentity(
        recipe=loop.task.recipe,
        base_hash=loop.base.hash,
        seed=loop.task.seed,
        items=len(loop.task.items) + len(loop.task.parts),
        hyperparameters=loop.wish.identity,
    )


def _checkpoint(loop: Loop) -> Path:
    """Save the loop's state and announce it."""
    loop.journal.flush()
    moments, rest = optimizers.state(loop.optimizer)
    tensors = {f"optimizer.{name}": tensor for name, tensor in moments.items()}
    tensors |= {f"adapter.{place}": parameter for place, parameter in enumerate(loop.parameters)}
    if loop.average:
        tensors |= {f"average.{place}": tensor for place, tensor in enumerate(loop.average.shadow_params)}
    state = LoopState(
        identity=_identity(loop),
        step=loop.step,
        loss_sum=loop.journal.loss_sum,
        scale=loop.scaler.state_dict(),
        optimizer=rest,
        averaged=loop.average.optimization_step if loop.average else 0,
    )
    with loop.spans.measured("checkpoints"):
        path = checkpoints.write(loop.task.folder / "checkpoints", state, tensors)
    loop.channel.send(Checkpointed(path=path, step=loop.step))
    return path


@torch.no_grad()
def _resume(loop: Loop, checkpoint: Path) -> None:
    """Set the loop to where a checkpoint of the same run left it."""
    state, tensors = checkpoints.read(checkpoint, _identity(loop))
    kinds: dict[str, dict[str, torch.Tensor]] = {"adapter": {}, "average": {}, "optimizer": {}}
    for key, tensor in tensors.items():
        kind, _, name = key.partition(".")
        kinds[kind][name] = tensor
    for place, parameter in enumerate(loop.parameters):
        parameter.copy_(kinds["adapter"][f"{place}"])
        if loop.average:
            loop.average.shadow_params[place].copy_(kinds["average"][f"{place}"])
    if loop.average:
        loop.average.optimization_step = state.averaged
    optimizers.restore(loop.optimizer, kinds["optimizer"], state.optimizer)
    if state.scale:  # a device that needs no scale has written none
        loop.scaler.load_state_dict(state.scale)
    loop.journal.loss_sum = state.loss_sum
    loop.step = state.step
