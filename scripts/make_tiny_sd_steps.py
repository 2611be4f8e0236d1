"""Distils the tiny base model into four steps: an adapter that draws at once what takes the base many steps.

Run as `python -m scripts.make_tiny_sd_steps train` and `... measure`.

The teacher is the base itself, sampled in many small steps with guidance. The student is the base with a low-rank
adapter and learns, at the four noise levels it will be asked at, the one long step that ends where the teacher's small
steps do: progressive distillation in one stage (Salimans and Ho, 2022, arXiv:2202.00512) with guidance built in
(Meng et al., 2023, arXiv:2210.03142).
"""

import argparse
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch.nn import functional

from core.domain.offering import FewSteps, Scheduler
from core.domain.recipes.sd15_lora import Hyperparameters
from scripts.shapes import COLOURS, Shape, captioned_shape, draw
from worker.architectures import sd15
from worker.bases import ADAPTER, base_location
from worker.pipelines import kohya, lora, sampling
from worker.pipelines.base import Base
from worker.pipelines.few_steps import made_fast
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import Look

TEACHER, STUDENT = "package:tiny-sd", "package:tiny-sd-4-steps"
STEPS, SMALL = 4, 4  # of the student; of the teacher for each of them
GUIDANCE = 3.0
BATCH, TAUGHT = 16, 32  # pairs per step, pictures that the teacher draws at once
RATE, EMA = 2e-3, 0.995
MASKS = 60  # places and sizes that each shape is looked for at
WISH = Hyperparameters(rank=8, alpha=8, targets="all")


@dataclass(frozen=True, kw_only=True)
class Way:
    """A stretch of the teacher's ways from noise to pictures: latents [count, 4, 8, 8] before and after, and text."""

    level: int
    before: torch.Tensor
    after: torch.Tensor
    text: torch.Tensor


def text_of(base: Base, captions: Sequence[str]) -> torch.Tensor:
    """Return what the denoiser is told of captions, [captions, 77, 64]."""
    return sd15.embed(base, base.tokens(captions))["text"]


@torch.no_grad()
def taught(base: Base, captions: Sequence[str]) -> list[Way]:
    """Let the teacher draw captions; return its ways, cut where the student will step."""
    scheduler = DDIMScheduler.from_config(base.pipeline.scheduler.config)
    scheduler.set_timesteps(STEPS * SMALL)
    text, nothing = text_of(base, captions), text_of(base, [""]).expand(len(captions), -1, -1)
    latents, ways = torch.randn(len(captions), 4, 8, 8), []
    for stretch in scheduler.timesteps.view(STEPS, SMALL):
        before = latents
        for level in stretch:
            both = base.pipeline.unet(latents.repeat(2, 1, 1, 1), level, torch.cat([text, nothing])).sample
            found, unguided = both.chunk(2)
            latents = scheduler.step(unguided + GUIDANCE * (found - unguided), level, latents).prev_sample
        ways.append(Way(level=int(stretch[0]), before=before, after=latents, text=text))
    return ways


def long_steps(scheduler: DDIMScheduler, ways: Sequence[Way]) -> list[torch.Tensor]:
    """Return the velocities that lead from each stretch's beginning to its end in one DDIM step."""
    levels = [*(way.level for way in ways), None]
    alphas = [scheduler.final_alpha_cumprod if level is None else scheduler.alphas_cumprod[level] for level in levels]
    angles = [math.acos(math.sqrt(alpha)) for alpha in alphas]  # cos is the share of the picture, sin that of the noise
    return [
        (way.before * math.cos(high - low) - way.after) / math.sin(high - low)
        for way, high, low in zip(ways, angles, angles[1:], strict=False)
    ]


def joined(parts: Sequence[Way]) -> Way:
    """Return one stretch of several groups of pictures."""
    before, after, text = (torch.cat([getattr(part, name) for part in parts]) for name in ("before", "after", "text"))
    return Way(level=parts[0].level, before=before, after=after, text=text)


def train(path: Path, *, pictures: int, seconds: float) -> None:
    """Distil for so many seconds of the processor, and write the adapter."""
    base = sd15.load(TEACHER, Placement(device="cpu", dtype=torch.float32))
    rng = random.Random(3)  # noqa: S311 - captions, not secrets
    began, known = time.process_time(), list[list[Way]]()
    for _ in range(pictures // TAUGHT):
        known.append(taught(base, [captioned_shape(rng, size=8)[1] for _ in range(TAUGHT)]))
    ways = [joined(parts) for parts in zip(*known, strict=True)]
    print(f"{pictures} pictures taught in {time.process_time() - began:.0f} s", flush=True)
    with lora.attached(base, WISH, sd15.targets(WISH), seed=1) as modules:
        learn(modules["unet"], ways, DDIMScheduler.from_config(base.pipeline.scheduler.config), until=began + seconds)
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = sd15.facts(base, WISH) | {"modelspec.title": "tiny-sd in 4 steps", "modelspec.license": "Apache-2.0"}
        kohya.write(path, sd15.exported(lora.weights(modules), WISH), facts)
    print(f"wrote {path}, {path.stat().st_size / 1e6:.2f} MB")


def learn(unet: torch.nn.Module, ways: Sequence[Way], scheduler: DDIMScheduler, *, until: float) -> None:
    """Teach the adapter the long steps until the processor's time is up; leave the averaged weights in it."""
    wanted, parameters, began = long_steps(scheduler, ways), lora.trainable(unet), time.process_time()
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    averages = [parameter.detach().clone() for parameter in parameters]
    levels = torch.tensor([way.level for way in ways]).repeat_interleave(BATCH // STEPS)
    losses = list[torch.Tensor]()
    while (done := (time.process_time() - began) / (until - began)) < 1:
        step = len(losses)
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 50) * max(0.01, (1 + math.cos(math.pi * done)) / 2)
        rows = torch.randint(len(ways[0].text), (STEPS, BATCH // STEPS))
        before = torch.cat([way.before[chosen] for way, chosen in zip(ways, rows, strict=True)])
        text = torch.cat([way.text[chosen] for way, chosen in zip(ways, rows, strict=True)])
        right = torch.cat([velocity[chosen] for velocity, chosen in zip(wanted, rows, strict=True)])
        loss = functional.mse_loss(unet(before, levels, text).sample, right)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
        torch._foreach_lerp_(averages, [one.detach() for one in parameters], 1 - min(EMA, (step + 1) / (step + 11)))
        if len(losses) % 50 == 0:
            print(f"step {len(losses)}  {done:.0%}  loss {torch.stack(losses[-50:]).mean():.4f}", flush=True)
    torch._foreach_copy_([parameter.data for parameter in parameters], averages)


def masks() -> dict[Shape, np.ndarray]:
    """Return each shape alone at several places and sizes, [MASKS, 64, 64] in 0…1."""
    rng = random.Random(4)  # noqa: S311 - pictures, not secrets

    def mask(shape: Shape) -> np.ndarray:
        drawn = np.asarray(draw(shape, "white", background="black", size=64, rng=rng, radii=(0.24, 0.42)), dtype=float)
        return np.clip((drawn[..., 0] - 25) / 220, 0, 1)

    return {shape: np.stack([mask(shape) for _ in range(MASKS)]) for shape in Shape}


def recognised(picture: np.ndarray, known: dict[Shape, np.ndarray]) -> tuple[Shape, str, str]:
    """Return the shape, its colour and the background that a picture, [64, 64, 3] in 0…255, is most like."""
    found = []
    for shape, places in known.items():
        inside, outside = places[..., None], 1 - places[..., None]
        colour, background = ((part * picture).sum((1, 2)) / part.sum((1, 2)) for part in (inside, outside))
        drawn = inside * colour[:, None, None] + outside * background[:, None, None]
        errors = np.square(drawn - picture).mean((1, 2, 3))
        best = int(errors.argmin())
        found.append((errors[best], shape, colour[best], background[best]))
    _, shape, *colours = min(found, key=lambda one: one[0])
    names = [min(COLOURS, key=lambda name: float(np.linalg.norm(COLOURS[name] - colour))) for colour in colours]
    return shape, names[0], names[1]


def measure(adapter: str, *, count: int) -> None:
    """Print how much of what was asked for is in pictures: of the base in many and in few steps, and of the student."""
    rng = random.Random(5)  # noqa: S311 - prompts, not secrets
    asked = [(rng.choice(tuple(Shape)), *rng.sample(tuple(COLOURS), 2)) for _ in range(count)]
    prompts = [f"a {colour} {shape} on a {background} background" for shape, colour, background in asked]
    shots = [Shot(prompt=prompt, seed=seed) for seed, prompt in enumerate(prompts)]
    cpu, known = Placement(device="cpu", dtype=torch.float32), masks()
    base, reference = sd15.load(TEACHER, cpu), None
    fast = made_fast(sd15.load(TEACHER, cpu), FewSteps(adapter=adapter, scheduler=Scheduler.EULER))
    ways = ((base, 20, GUIDANCE), (base, STEPS, GUIDANCE), (base, STEPS, 1.0), *((fast, n, 1.0) for n in (1, 2, 4, 8)))
    for drawing, steps, guidance in ways:
        look = Look(architecture="sd15", base=TEACHER, steps=steps, guidance=guidance, width=64, height=64)
        pictures = np.stack([np.asarray(made, dtype=float) for made in sampling.pictures(drawing, shots, look)])
        reference = pictures if reference is None else reference
        seen = np.array([recognised(picture, known) for picture in pictures])
        shape, colour, background = (seen == np.array(asked)).mean(axis=0)
        print(
            f"{'student' if drawing is fast else 'base'} in {steps} steps at guidance {guidance:g}: "
            f"shape {shape:.0%}, colour {colour:.0%}, background {background:.0%}, "
            f"{np.sqrt(np.square(pictures - reference).mean()):.1f} of 255 from the base in 20 steps",
            flush=True,
        )


def main() -> None:
    """Distil or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phase", choices=["train", "measure"])
    parser.add_argument("--folder", type=Path, default=Path(base_location(STUDENT)), help="where the adapter lies")
    parser.add_argument("--pictures", type=int, default=320, help="pictures the teacher draws (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=220, help="of the processor, in all (default: %(default)s)")
    parser.add_argument("--count", type=int, default=64, help="pictures to measure with (default: %(default)s)")
    wish = parser.parse_args()
    torch.manual_seed(1)
    if wish.phase == "train":
        train(wish.folder / ADAPTER, pictures=wish.pictures, seconds=wish.seconds)
    else:
        measure(str(wish.folder), count=wish.count)


if __name__ == "__main__":
    main()
