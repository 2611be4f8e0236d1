"""A studio without torch that trains fast and true: epochs, checkpoints and wishes, as the real one."""

import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from core.domain.recipes.sd15_lora import Hyperparameters
from core.domain.run import MetricsPoint
from tests.worker.studios import a_checkpoint, a_file, a_picture
from worker.channel import Channel
from worker.pipelines.tasks import (
    Checkpointed,
    EpochEnded,
    Extend,
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

PACE = 0.02  # seconds a step
EPOCH, CHECKPOINT = 20, 5  # steps


class Brisk:
    """The loss of a step is one over it, so that nobody else's points pass for those of a training."""

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        total = Hyperparameters.model_validate(task.hyperparameters).total
        step = int(task.checkpoint.read_text()) if task.checkpoint else 0
        while step < total:
            time.sleep(PACE)
            step += 1
            channel.send(Progressed(step=step, total=total, points=(a_point(step),)))
            total = heard(task, channel, step=step, total=total)
            if step % EPOCH == 0 or step == total:
                channel.send(an_end(task, step))
            if channel.stopping():
                return Stopped(checkpoint=a_checkpoint(task, step), step=step)
            if step % CHECKPOINT == 0:
                channel.send(Checkpointed(path=a_checkpoint(task, step), step=step))
        return Trained(
            artifact=an_adapter(task, step),
            step=step,
            base_hash="b" * 64,
            evaluation_before=1.0,
            evaluation_after=1 / step,
            before=(a_picture(task, 0),),
            after=(a_picture(task, step),),
        )


def heard(task: TrainingTask, channel: Channel, *, step: int, total: int) -> int:
    """Do what is wished, and return how many steps there are to be."""
    for wish in channel.wishes():
        match wish:
            case SampleNow():
                channel.send(Sampled(step=step, samples=(a_picture(task, step),)))
            case SaveNow():
                channel.send(Saved(step=step, loss=1 / step, artifact=an_adapter(task, step)))
            case Extend(steps=steps):
                total += steps
            case StopEarly():
                total = step
    return total


def a_point(step: int) -> MetricsPoint:
    return MetricsPoint(step=step, loss=1 / step, lr=0.1)


def an_end(task: TrainingTask, step: int) -> EpochEnded:
    return EpochEnded(
        number=-(-step // EPOCH),
        step=step,
        loss=1 / step,
        evaluation=1 / step,
        artifact=an_adapter(task, step),
        samples=(a_picture(task, step),),
    )


def an_adapter(task: TrainingTask, step: int) -> Path:
    path = a_file(task, f"adapter-{step}.safetensors")
    save_file({"lora_up.weight": np.full(4, step, dtype=np.float32)}, path, {"ss_seed": str(task.seed)})
    return path
