"""Pictures of a subject's class: the base makes them before it learns, once, and keeps them for all that come later."""

import hashlib
from io import BytesIO
from pathlib import Path

from core.domain.recipes.dreambooth_lora import Hyperparameters
from worker.channel import Channel
from worker.pipelines import encoding, sampling
from worker.pipelines.base import Base
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import BadItem, Look, Preparing, TrainingItem, TrainingTask

SEED = 1_000  # of the first picture: the same for every run, so that all share them


def with_trigger(caption: str, trigger: str) -> str:
    """Return a caption that calls the subject: by its trigger word in front, unless it is in there."""
    if trigger.casefold() in caption.casefold():
        return caption
    return f"{trigger}, {caption}" if caption else trigger


def pictures(base: Base, task: TrainingTask, wish: Hyperparameters, channel: Channel) -> tuple[TrainingItem, ...]:
    """Return the pictures of the class, of which those that are not in the cache are made; fewer when asked to stop.

    What is damaged is made again, the same as it was: each has a seed of its own.
    """
    look = Look(
        architecture=task.architecture,
        base=task.base,
        few_steps=task.few_steps,
        steps=wish.sample_steps,
        guidance=wish.sample_guidance,
        width=wish.resolution,
        height=wish.resolution,
    )
    folder = task.cache or task.folder / "class"
    seeds = range(SEED, SEED + wish.class_pictures)
    paths = {seed: folder / f"{_key(base, look, prompt=wish.class_prompt, seed=seed)}.png" for seed in seeds}
    there = [seed for seed in seeds if _readable(paths[seed])]
    missing = [seed for seed in seeds if seed not in there]
    made = sampling.pictures(base, [Shot(prompt=wish.class_prompt, seed=seed) for seed in missing], look)
    for seed in missing:
        if channel.stopping():
            break
        content = BytesIO()
        next(made).save(content, format="PNG")
        encoding.keep(paths[seed], content.getvalue())
        there.append(seed)
        channel.send(Preparing(done=len(there), total=len(seeds), doing="class pictures"))
    return tuple(TrainingItem(picture=paths[seed], caption=wish.class_prompt) for seed in sorted(there))


def _key(base: Base, look: Look, *, prompt: str, seed: int) -> str:
    """Return what names all that a picture depends on."""
    how = (type(base.pipeline.scheduler).__name__, look.width, look.height, look.steps, look.guidance)
    return hashlib.sha256(repr((base.hash, base.placement, *how, prompt, seed)).encode()).hexdigest()


def _readable(path: Path) -> bool:
    try:
        encoding.opened(path)
    except BadItem:
        return False
    return True
