"""Compares a training with the loop of diffusers' own example: same base, pictures, steps, hyper-parameters.

Run as `python -m benchmarks.training`. Each measurement is a process of its own; times are in seconds, memory in MiB.
The plain side is `benchmarks.plain`; ours caches, reads rarely, and evaluates before and after. Neither makes samples,
except for the line that says so.
"""

import argparse
import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import plain
from core.domain.value import Value
from worker.bases import base_location
from worker.pipelines.tasks import Trained, TrainingItem, TrainingTask

PICTURES = Path(__file__).parents[1] / "loraguild" / "demo" / "pictures"
RANK, RATE, RESOLUTION, BATCH = 16, 1e-3, 64, 4
SIDES = ("plain", "ours, cold", "ours, warm", "ours, warm, with samples")

Measurement = dict[str, float]


class Stopwatch:
    """A channel that notes when each step ended: `stopping` is asked once a step."""

    def __init__(self) -> None:
        """Start with no steps."""
        self.ticks: list[float] = []

    def send(self, event: Value) -> None:
        """Ignore what is reported."""

    def wishes(self) -> tuple[Value, ...]:
        """Wish for nothing."""
        return ()

    def stopping(self) -> bool:
        """Note the time and let the training go on."""
        self.ticks.append(time.perf_counter())
        return False


def ordered(folder: Path, order: plain.Order, *, architecture: str) -> TrainingTask:
    """Say the same in our words."""
    return TrainingTask(
        folder=folder,
        architecture=architecture,
        base=order.base,
        recipe=f"{architecture}_lora",
        hyperparameters={
            "steps": order.steps,
            "epochs": 1,
            "batch": order.batch,
            "resolution": order.resolution,
            "buckets": False,
            "rank": order.rank,
            "alpha": order.rank,
            "unet_lr": order.rate,
            "schedule": "constant",
            "warmup": 0,
            "caption_dropout": 0,
            "min_snr_gamma": 0,
            "precision": "fp32",
        },
        items=tuple(TrainingItem(picture=path, caption=caption) for path, caption in order.pictures),
        trigger="zorp",
        title="zorp",
        author="benchmark",
        seed=0,
        cache=folder / "cache",
    )


def ours(folder: Path, order: plain.Order, *, architecture: str = "sd15") -> dict[str, Measurement]:
    """Train three times in this process: with everything cold, with a warm base and cache, and so with samples."""
    measured: dict[str, Measurement] = {}
    began = time.perf_counter()
    from worker.pipelines.studio import Studio  # noqa: PLC0415 - importing torch is part of a cold start

    studio, task = Studio(), ordered(folder, order, architecture=architecture)
    for name in SIDES[1:]:
        watch = Stopwatch()
        prompts = ("zorp", "zorp on a blue background") if "samples" in name else ()
        trained = studio.train(task.but(sample_prompts=prompts), watch)
        if not isinstance(trained, Trained):
            raise TypeError
        spent = dict(trained.seconds)
        whole = time.perf_counter() - began
        measured[name] = measurement(whole, watch.ticks) | {"start-up": whole - sum(spent.values())} | spent
        began = time.perf_counter()
    return measured


def theirs(folder: Path, order: plain.Order, *, architecture: str = "sd15") -> dict[str, Measurement]:
    """Train as the example does."""
    began = time.perf_counter()
    marks = plain.train(order, folder, xl=architecture == "sdxl")
    spans = {
        "start-up": marks.loop - began,
        "steps": marks.ticks[-1] - marks.loop,
        "export": marks.written - marks.ticks[-1],
    }
    return {"plain": measurement(marks.written - began, marks.ticks) | spans}


def measurement(whole: float, ticks: list[float]) -> Measurement:
    """Return the whole time, the median time of a step and the process's peak memory so far, in MiB."""
    import torch  # noqa: PLC0415 - both sides have imported it by now

    spans = [after - before for before, after in itertools.pairwise(ticks)]
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    device = torch.cuda.max_memory_reserved() / 2**20 if torch.cuda.is_available() else 0.0
    return {"whole": whole, "step": statistics.median(spans), "memory": device or host}


def measured_apart(*words: str) -> dict[str, Measurement]:
    """Measure one side in a fresh process."""
    done = subprocess.run([sys.executable, "-m", *words], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Measurement] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(rounds: list[dict[str, Measurement]]) -> str:
    """Return medians and their ratios to the plain side, a line for each way of training."""
    lines = []
    medians = {
        name: {
            figure: statistics.median(found[name].get(figure, 0.0) for found in rounds if name in found)
            for figure in dict.fromkeys(figure for found in rounds for figure in found.get(name, ()))
        }
        for name in SIDES
    }
    reference = medians["plain"]
    for name, found in medians.items():
        ratios = {figure: found[figure] / reference[figure] for figure in ("step", "whole", "memory")}
        parts = ", ".join(f"{part} {found[part]:.1f}" for part in found if part not in ratios)
        lines.append(
            f"{name:24} step {found['step'] * 1000:7.1f} ms ({ratios['step']:.2f})   "
            f"end to end {found['whole']:6.1f} s ({ratios['whole']:.2f})   "
            f"peak {found['memory']:6.0f} MiB ({ratios['memory']:.2f})\n{'':24} {parts}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure both sides in turn, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=120, help="steps of each training (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side (default: %(default)s)")
    parser.add_argument("--side", choices=["ours", "plain"], help="measure this side here and print JSON")
    wish = parser.parse_args()
    if wish.side is not None:
        order = plain.Order(
            base=base_location("package:tiny-sd"),
            pictures=tuple((path, f"zorp {path.stem}") for path in sorted(PICTURES.glob("*.png"))),
            steps=wish.steps,
            batch=BATCH,
            resolution=RESOLUTION,
            rank=RANK,
            rate=RATE,
        )
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"ours": ours, "plain": theirs}[wish.side](Path(folder), order)))
        return
    rounds = [
        measured_apart("benchmarks.training", "--side", side, "--steps", str(wish.steps))
        for _ in range(wish.rounds)
        for side in ("plain", "ours")
    ]
    print(f"{wish.steps} steps of batch {BATCH} at {RESOLUTION} px, medians of {wish.rounds}")
    print(table(rounds))


if __name__ == "__main__":
    main()
