"""The course of a training as pure functions of seed and step: learning rate, data order, chance, the ends of epochs.

A run that was interrupted goes on exactly as it would have, because nothing here remembers anything.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from core.domain.adaptation import Schedule
from worker.pipelines.encoding import Bucket

HALF_A_LEVEL = 0.0005  # schedules have a thousand


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What a step, or a part of it, learns from.

    `latents` and `noise` are [n, channels, height, width], `chance` is [n] uniform in 0…1 and chooses noise levels,
    `captions` are [n] numbers, `sizes` [n, 6] as those of a bucket.
    """

    latents: torch.Tensor
    noise: torch.Tensor
    chance: torch.Tensor
    captions: torch.Tensor
    sizes: torch.Tensor

    def split(self, size: int) -> Iterator["Draw"]:
        """Yield the parts that are computed at once."""
        parts = (tensor.split(size) for tensor in vars(self).values())
        for part in zip(*parts, strict=True):
            yield Draw(**dict(zip(vars(self), part, strict=True)))

    def share(self, rank: int, of: int) -> "Draw":
        """Return what one of several processes computes."""
        return Draw(**{name: tensor[rank::of] for name, tensor in vars(self).items()})


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


def epoch_ends(steps: int, *, epochs: int, extra: Sequence[int] = ()) -> tuple[int, ...]:
    """Return the step after which each epoch ends; lengths differ by one at most. `extra` are epochs added later."""
    ends = [steps * number // epochs for number in range(1, epochs + 1)]
    for length in extra:
        ends.append(ends[-1] + length)
    return tuple(ends)


def number(seed: int, stream: str, place: int) -> int:
    """Return a number of its own, of 63 bits, for every seed, stream and place."""
    digest = hashlib.sha256(f"{seed} {stream} {place}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def chance(seed: int, stream: str, place: int) -> torch.Generator:
    """Return a generator of its own for every seed, stream and place."""
    return torch.Generator().manual_seed(number(seed, stream, place))


def order(step: int, *, seed: int, batch: int, items: int, stream: str = "order") -> list[int]:
    """Return the numbers of a step's items: every pass over the data is shuffled anew, and no item waits two passes."""
    places = range(step * batch, (step + 1) * batch)
    return [_shuffled(items, seed, stream, place // items)[place % items] for place in places]


def turn(step: int, *, seed: int, sizes: Sequence[int]) -> tuple[int, int]:
    """Return the bucket of a step, and how many steps that bucket had before.

    In every cycle of as many steps as there are items, each bucket has as many as it has items: so all items are seen
    equally often, whatever the sizes of the buckets.
    """
    owners = [bucket for bucket, size in enumerate(sizes) for _ in range(size)]
    cycle, place = divmod(step, len(owners))
    cast = [owners[item] for item in _shuffled(len(owners), seed, "buckets", cycle)[: place + 1]]
    return cast[-1], cycle * sizes[cast[-1]] + cast.count(cast[-1]) - 1


def draw(  # all that a step's chance depends on
    step: int,
    buckets: Sequence[Bucket],
    *,
    seed: int,
    examples: int,
    variants: int = 1,
    caption_dropout: float = 0.0,
    noise_offset: float = 0.0,
    levels: int = 0,
    stream: str = "step",
) -> Draw:
    """Draw a step's examples. Chance is drawn on the CPU, so that it is the same for every device.

    Args:
        step: Counted from 0.
        buckets: Latents of all items; the captions of item `i` are those from `i × variants` on, and the one behind
            those of all items is the empty caption.
        seed: The run's.
        examples: Items per step.
        variants: Captions per item.
        caption_dropout: Share of captions that the empty one stands in for.
        noise_offset: Noise that each channel has in common.
        levels: Learn only at the noise levels of so many sampling steps; 0 for all levels.
        stream: Keeps the chance of several draws of one step apart.
    """
    place, before = turn(step, seed=seed, sizes=[len(one.items) for one in buckets])
    bucket, device = buckets[place], buckets[place].mean.device
    rows = torch.tensor(order(before, seed=seed, batch=examples, items=len(bucket.items), stream=f"{stream} {place}"))
    luck = chance(seed, stream, step)
    posterior, noise = torch.randn((2, examples, *bucket.mean.shape[2:]), generator=luck)
    common = torch.randn((examples, bucket.mean.shape[2], 1, 1), generator=luck)
    level, dropped, variant, view = torch.rand((4, examples), generator=luck)
    views = (view * bucket.mean.shape[1]).long()
    captions = bucket.items[rows] * variants + (variant * variants).long()
    empty = sum(len(one.items) for one in buckets) * variants
    mean, std = (tensor[rows.to(device), views.to(device)] for tensor in (bucket.mean, bucket.std))
    return Draw(
        latents=mean + std * posterior.to(device, non_blocking=True),
        noise=(noise + noise_offset * common).to(device, non_blocking=True),
        chance=stepped(level, levels).to(device, non_blocking=True),
        captions=captions.masked_fill(dropped < caption_dropout, empty).to(device, non_blocking=True),
        sizes=bucket.sizes[rows.to(device)],
    )


def stepped(chance: torch.Tensor, levels: int) -> torch.Tensor:
    """Return chance, uniform in 0…1, as that of the noise levels at which so many trailing steps begin; 0 for any."""
    return ((chance * levels).floor() + 1) / levels - HALF_A_LEVEL if levels else chance


@lru_cache(maxsize=64)
def _shuffled(count: int, seed: int, stream: str, cycle: int) -> list[int]:
    shuffled: list[int] = torch.randperm(count, generator=chance(seed, stream, cycle)).tolist()
    return shuffled
