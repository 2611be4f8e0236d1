"""Pictures from prompts, with whatever adapter the base wears at the moment."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL.Image import Image

from worker.pipelines.base import Base

AT_ONCE = 4  # pictures per call: bounds the memory, and a picture is the same in any company


def pictures(
    base: Base,
    prompts: Sequence[str],
    *,
    seed: int,
    steps: int,
    guidance: float,
    width: int,
    height: int,
    negative: str = "",
) -> list[Image]:
    """Make one picture per prompt; the n-th starts from noise drawn with `seed + n`, on any device.

    Sizes are in pixels. Guidance 1 or less turns guidance off.
    """
    made: list[Image] = []
    for first in range(0, len(prompts), AT_ONCE):
        chunk = list(prompts[first : first + AT_ONCE])
        generators = [torch.Generator().manual_seed(seed + first + n) for n in range(len(chunk))]
        with base.placement.autocast():
            made += base.pipeline(
                chunk,
                negative_prompt=[negative] * len(chunk),
                num_inference_steps=steps,
                guidance_scale=guidance,
                width=width,
                height=height,
                generator=generators,
            ).images
    return made


def save(made: Sequence[Image], folder: Path, *, stem: str) -> tuple[Path, ...]:
    """Write pictures as `<stem>-01.png`, … and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"{stem}-{number:02}.png" for number in range(1, len(made) + 1))
    for picture, path in zip(made, paths, strict=True):
        picture.save(path)
    return paths
