"""Studios without torch: children that answer as the real one does, in every way in which it can go."""

import os
import signal
import time
from pathlib import Path
from typing import NoReturn

from PIL import Image

from core.domain.run import MetricsPoint
from worker.channel import Channel
from worker.pipelines.tasks import (
    BadItem,
    Checkpointed,
    Drawing,
    Drawn,
    EpochEnded,
    Generated,
    GenerationTask,
    NanLoss,
    OutOfMemory,
    Progressed,
    Stopped,
    Trained,
    TrainingTask,
)

PACE = 0.02  # seconds a step


class Quick:
    """Trains as many steps as were ordered, and keeps where it stands every fifth step."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        total = int(str(task.hyperparameters["steps"]))
        step = int(task.checkpoint.read_text()) if task.checkpoint else 0
        while step < total:
            time.sleep(PACE)
            step += 1
            point = MetricsPoint(step=step, loss=1 / step, lr=0.1)
            channel.send(Progressed(step=step, total=total, points=(point,)))
            if channel.stopping():
                return Stopped(checkpoint=a_checkpoint(task, step), step=step)
            if step % 5 == 0:
                channel.send(Checkpointed(path=a_checkpoint(task, step), step=step))
        picture = a_file(task, "picture.png")
        Image.new("RGB", (64, 64), "red").save(picture)
        adapter = a_file(task, "adapter.safetensors")
        adapter.write_bytes(b"adapter")
        channel.send(EpochEnded(number=1, step=step, loss=0.5, artifact=adapter, samples=(picture,)))
        return Trained(
            artifact=adapter,
            step=step,
            base_hash="b" * 64,
            evaluation_before=1.0,
            evaluation_after=0.5,
            before=(picture,),
            after=(picture,),
        )


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
        raise NanLoss("The loss is no longer a number at step 3; try a lower learning rate.")


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
            time.sleep(1000 if drawing.prompt == "an endless one" else PACE)
        return paths


def a_checkpoint(task: TrainingTask, step: int) -> Path:
    path = a_file(task, f"step-{step}")
    path.write_text(str(step))
    return path


def a_file(task: TrainingTask, name: str) -> Path:
    return task.folder / name
