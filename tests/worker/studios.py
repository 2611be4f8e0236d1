"""Studios without torch: children that answer as the real one does, in every way in which it can go."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from PIL import Image

from core.domain.recipes.sd15_lora import Hyperparameters
from core.domain.run import MetricsPoint
from core.domain.value import Value
from worker.channel import Channel
from worker.pipelines.tasks import (
    BadCheckpoint,
    BadItem,
    BaseMissing,
    Checkpointed,
    Drawing,
    Drawn,
    EpochEnded,
    Extend,
    Generated,
    GenerationTask,
    NanLoss,
    OutOfMemory,
    Progressed,
    Sampled,
    SampleNow,
    Saved,
    SaveNow,
    StopEarly,
    Stopped,
    Trained,
    TrainingTask,
)

PACE = 0.01  # seconds a step
EPOCH = 20  # steps
GO_ON = "go on"  # the file that a slow drawing waits for in its folder


class Quick:
    """Trains as many steps as were ordered, notes each, and keeps where it stands every fifth step."""

    lingers = False

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        total = int(str(task.hyperparameters["steps"]))
        step = int(task.checkpoint.read_text()) if task.checkpoint else 0
        while step < total:
            time.sleep(PACE)
            step += 1
            with a_file(task, "steps").open("a") as file:
                file.write(f"{step}\n")
            point = MetricsPoint(step=step, loss=1 / step, lr=0.1)
            channel.send(Progressed(step=step, total=total, points=(point,)))
            if channel.stopping():
                return Stopped(checkpoint=a_checkpoint(task, step), step=step)
            if step % 5 == 0:
                channel.send(Checkpointed(path=a_checkpoint(task, step), step=step))
                while self.lingers and not channel.stopping():
                    time.sleep(PACE)
        picture = a_file(task, "picture.png")
        Image.new("RGB", (64, 64), "red").save(picture)
        adapter = a_file(task, "adapter.safetensors")
        adapter.write_bytes(b"adapter")
        channel.send(EpochEnded(number=1, step=step, loss=0.5, evaluation=0.5, artifact=adapter, samples=(picture,)))
        return Trained(
            artifact=adapter,
            step=step,
            base_hash="b" * 64,
            evaluation_before=1.0,
            evaluation_after=0.5,
            before=(picture,),
            after=(picture,),
        )


class Lingering(Quick):
    """Takes the step after its first checkpoint only when it is asked to stop."""

    lingers = True


class Steered:
    """Does what its owner wishes, after each step; soon after its first epoch it waits until its end is changed."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        total = Hyperparameters.model_validate(task.hyperparameters).total
        step = int(task.checkpoint.read_text()) if task.checkpoint else 0
        picture = a_picture(task, step)
        while step < total:
            time.sleep(PACE)
            step += 1
            point = MetricsPoint(step=step, loss=1 / step, lr=0.1)
            channel.send(Progressed(step=step, total=total, points=(point,)))
            for wish in wished(channel, step, total):
                match wish:
                    case SampleNow():
                        channel.send(Sampled(step=step, samples=(a_picture(task, step),)))
                    case SaveNow():
                        channel.send(Saved(step=step, loss=1 / step, artifact=an_adapter(task, f"saved {step}")))
                    case Extend(steps=steps):
                        total += steps
                    case StopEarly():
                        total = step + 1
            if channel.stopping():
                return Stopped(checkpoint=a_checkpoint(task, step), step=step)
            if step % EPOCH == 0 or step == total:
                channel.send(an_end(task, step))
        return Trained(
            artifact=an_adapter(task, f"after {step}"),
            step=step,
            base_hash="b" * 64,
            evaluation_before=1.0,
            evaluation_after=1 / step,
            before=(picture,),
            after=(a_picture(task, step),),
        )


def wished(channel: Channel, step: int, total: int) -> Iterator[Value]:
    """What somebody wishes after a step."""
    wish: Value | None = None
    while True:
        for wish in channel.wishes():
            yield wish
        if step != EPOCH + 1 or isinstance(wish, Extend | StopEarly) or channel.stopping():
            return
        time.sleep(PACE)
        channel.send(Progressed(step=step, total=total, points=()))


class Cramped(Quick):
    """Has memory for one picture at a time, and only without activations; notes how it was asked each time."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        step = int(task.checkpoint.read_text()) if task.checkpoint else 0
        settings = [task.hyperparameters.get(name) for name in ("checkpointing", "batch", "accumulation")]
        if not (settings[0] and settings[1] == 1):
            channel.send(Checkpointed(path=a_checkpoint(task, step + 5), step=step + 5))
            raise OutOfMemory("The device has too little memory for this.")
        return super().train(task, channel)


class Forgetful(Quick):
    """Cannot read any checkpoint."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        if task.checkpoint:
            raise BadCheckpoint("The checkpoint resume cannot be read.")
        return super().train(task, channel)


class Tidy(Quick):
    """Has newer checkpoints, and its first one no longer, before anybody could read it."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        first = a_checkpoint(task, 1)
        first.unlink()
        channel.send(Checkpointed(path=first, step=1))
        return super().train(task, channel)


class Lacking:
    """Has no base."""

    def train(self, _task: TrainingTask, _channel: Channel) -> NoReturn:
        raise BaseMissing("There is no folder /models/tiny.")


class Endless(Quick):
    """Never comes to an end by itself; what it is doing is in no hurry to be reported."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        channel.send(Progressed(step=1, total=2, points=(MetricsPoint(step=1, loss=float(os.getpid()), lr=0.1),)))
        step = 1
        while not channel.stopping():
            time.sleep(PACE)
            step += 1
            channel.send(Progressed(step=step, total=step + 1, points=()))
        return Stopped(checkpoint=a_checkpoint(task, step), step=step)


class Deaf:
    """Hears no request to stop."""

    def train(self, _task: TrainingTask, channel: Channel) -> NoReturn:
        channel.send(Progressed(step=1, total=2, points=(MetricsPoint(step=1, loss=float(os.getpid()), lr=0.1),)))
        while True:
            time.sleep(PACE)


class Doomed:
    """Is killed each time."""

    def train(self, _task: TrainingTask, _channel: Channel) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Diverging:
    """Finds the owner's settings at fault."""

    def train(self, _task: TrainingTask, _channel: Channel) -> NoReturn:
        raise NanLoss("The loss is no longer a number at step 3.")


class Crowded:
    """Finds the house at fault."""

    def train(self, _task: TrainingTask, _channel: Channel) -> NoReturn:
        raise OutOfMemory("The device has too little memory for this.")


class Stumbling:
    """Runs into what nobody foresaw."""

    def train(self, task: TrainingTask, _channel: Channel) -> float:
        return 1 / len(task.folder.parts[1:0])


class Sketching:
    """Draws nothing, but notes in each file which call it was made in, and in how large a company."""

    def __init__(self) -> None:
        self.calls = 0

    def generate(self, task: GenerationTask, channel: Channel) -> Generated:
        self.calls += 1
        note = f"call {self.calls} for {len(task.drawings)}"
        made = [self.drawn(number, drawing, note, channel) for number, drawing in enumerate(task.drawings)]
        return Generated(pictures=tuple(made))

    def drawn(self, number: int, drawing: Drawing, note: str, channel: Channel) -> tuple[Path, ...]:
        if drawing.prompt == "a bad one":
            raise BadItem("The picture source cannot be read.")
        if drawing.prompt == "a deadly one":
            os.kill(os.getpid(), signal.SIGKILL)
        paths: tuple[Path, ...] = ()
        for seed in range(drawing.seed, drawing.seed + drawing.count):
            paths = (*paths, drawing.folder / f"{seed}.png")
            part = paths[-1].with_suffix(".part")
            part.write_text(f"{note}: {seed}, {os.getpid()}")
            part.replace(paths[-1])  # who sees it can read it
            channel.send(Drawn(drawing=number, pictures=paths))
            while drawing.prompt == "an endless one" or (
                drawing.prompt == "a slow one" and not (drawing.folder / GO_ON).exists()
            ):
                time.sleep(PACE)
        return paths


def a_checkpoint(task: TrainingTask, step: int) -> Path:
    path = a_file(task, f"step-{step}")
    path.write_text(str(step))
    return path


def a_picture(task: TrainingTask, step: int) -> Path:
    path = a_file(task, f"picture-{step}.png")
    Image.new("RGB", (64, 64), (step % 256, 0, 0)).save(path)
    return path


def an_adapter(task: TrainingTask, content: str) -> Path:
    path = a_file(task, f"{content}.safetensors")
    path.write_text(content)
    return path


def an_end(task: TrainingTask, step: int) -> EpochEnded:
    return EpochEnded(
        number=-(-step // 20),
        step=step,
        loss=1 / step,
        evaluation=1 / step,
        artifact=an_adapter(task, f"epoch at {step}"),
        samples=(a_picture(task, step),),
    )


def a_file(task: TrainingTask, name: str) -> Path:
    return task.folder / name
