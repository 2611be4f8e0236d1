"""The course of a training as pure functions of seed and step: learning rate, data order, noise, the ends of epochs.

A run that was interrupted goes on exactly as it would have, because nothing here remembers anything.
"""

import hashlib
import math
from dataclasses import dataclass

import torch

from core.domain.recipes.sd15_lora import Schedule
from worker.pipelines.encoding import Latents


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One step's share of chance: noised latents' parts, [batch, …], and the numbers of the captions, [batch]."""

    latents: torch.Tensor
    noise: torch.Tensor
    timesteps: torch.Tensor
    captions: torch.Tensor


def lr_share(step: int, *, total: int, warmup: float, schedule: Schedule) -> float:
    """Return the share of the full learning rate at a step (counted from 0): linear warm-up, then the schedule."""
    rising = round(warmup * total)
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    match schedule:
        case Schedule.CONSTANT:
            return 1.0
        case Schedule.LINEAR:
            return 1 - done
        case Schedule.COSINE:
            return (1 + math.cos(math.pi * done)) / 2


def epoch_ends(steps: int, *, epochs: int) -> tuple[int, ...]:
    """Return the step after which each epoch ends; the lengths differ by one at most."""
    return tuple(steps * number // epochs for number in range(1, epochs + 1))


def chance(seed: int, stream: str, number: int) -> torch.Generator:
    """Return a generator of its own for every seed, stream and number."""
    digest = hashlib.sha256(f"{seed} {stream} {number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def order(step: int, *, seed: int, batch: int, items: int) -> list[int]:
    """Return the numbers of a step's items: every pass over the data is shuffled anew, and no item waits two passes."""
    places = range(step * batch, (step + 1) * batch)
    passes = {place // items for place in places}
    shuffled = {number: torch.randperm(items, generator=chance(seed, "order", number)).tolist() for number in passes}
    return [shuffled[place // items][place % items] for place in places]


def draw(step: int, latents: Latents, *, seed: int, batch: int, timesteps: int, caption_dropout: float) -> Draw:
    """Draw a step's batch. Chance is drawn on the CPU, so that it is the same for every device.

    Args:
        step: Counted from 0.
        latents: Of all items; captions are numbered alike, and one more, the last, is the empty caption.
        seed: The run's.
        batch: Items per step.
        timesteps: Noise levels of the schedule.
        caption_dropout: Share of captions that the empty one stands in for.
    """
    items, device = len(latents.mean), latents.mean.device
    numbers = torch.tensor(order(step, seed=seed, batch=batch, items=items))
    generator = chance(seed, "step", step)
    posterior, noise = torch.randn((2, batch, *latents.mean.shape[1:]), generator=generator).to(device)
    levels = torch.randint(timesteps, (batch,), generator=generator)
    dropped = torch.rand(batch, generator=generator) < caption_dropout
    chosen = numbers.to(device)
    return Draw(
        latents=latents.mean[chosen] + latents.std[chosen] * posterior,
        noise=noise,
        timesteps=levels.to(device),
        captions=numbers.masked_fill(dropped, items).to(device),
    )
