"""A training whose process is killed at random moments ends with the weights of one that was left alone."""

import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.domain.value import Value
from tests.builders.bases import a_base, a_training
from worker.child import Child, ChildDied
from worker.pipelines.tasks import Checkpointed, Progressed, Trained, TrainingTask

STUDIO = "worker.pipelines.studio:Studio"
KILLS = 3


async def survived(child: Child, task: TrainingTask, *, kills: list[int]) -> tuple[Trained, list[int]]:
    """Train; at each of these steps the process is killed, and goes on from what was announced last."""
    seen: list[int] = []

    async def on_event(event: Value) -> None:
        nonlocal task
        if isinstance(event, Checkpointed):
            task = task.but(checkpoint=event.path)
        if isinstance(event, Progressed):
            seen.append(event.step)
            if kills and event.step >= kills[0]:
                kills.pop(0)
                child.kill()

    while True:
        try:
            trained = await child.call("train", task, on_event=on_event)
        except ChildDied:
            continue
        assert isinstance(trained, Trained)
        return trained, seen


@pytest.mark.timeout(300)  # five starts of a process that imports torch
async def test_three_random_kills_change_no_weight(tmp_path: Path) -> None:
    base, luck = a_base(tmp_path / "base"), random.Random()
    wish = {"steps": 12, "epochs": 3, "ema": 0.5, "dropout": 0.1}
    async with Child(STUDIO) as child:
        task = a_training(tmp_path / "whole", base=base, hyperparameters=wish).but(sample_prompts=())
        whole, _ = await survived(child, task, kills=[])
        kills = sorted(luck.sample(range(1, 12), KILLS))
        broken = a_training(tmp_path / "broken", base=base, hyperparameters=wish)
        often, seen = await survived(child, broken.but(sample_prompts=(), checkpoint_every=1e-9), kills=[*kills])
    expected, found = load_file(whole.artifact), load_file(often.artifact)
    assert all(torch.equal(found[name], expected[name]) for name in expected), kills
    assert found.keys() == expected.keys()
    assert (often.step, often.evaluation_after) == (12, whole.evaluation_after)
    assert seen[-1] == 12
