"""How long a prompt takes to be understood: `core.domain.prompt.resolved` over indexes of 10 and of 10,000 models.

The time must not depend on the size of the index, and grow with the prompt as its length does. A typical prompt calls
three of the models, by word, name and tag; the long one says the same many times, in 10 kB. Only the processor's time
for this counts, whatever else it does meanwhile. Run `python benchmarks/resolution.py [RUNS]`.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.domain.artifact import Artifact
from core.domain.model import Model, Visibility
from core.domain.prompt import Index, resolved

RUNS, SMALL, LARGE, LONG = 2000, 10, 10_000, 10_000
GOAL = 1.0  # milliseconds for 99 of 100 typical prompts, whatever the index
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPICAL = (
    "masterpiece, best quality, a portrait of zorp-3:0.8 and owner-5/zorp-5 on a beach at dawn, <lora:zorp-7:0.6>, "
    "((red hat:1.2), long coat), soft light from the left, 35mm film grain, shallow depth of field, a harbour with "
    "small boats in the background, a seagull, wind in the hair, calm sea, detailed clouds, cinematic colours"
)


def a_model(number: int) -> Model:
    """Make a public model that no other shares a word with."""
    return Model(
        id=f"model{number}",
        owner=f"account{number}",
        owner_name=f"owner-{number}",
        slug=f"zorp-{number}",
        names=(f"former-{number}", f"zorp-{number}"),
        trigger=f"zorp-{number}",
        family="sd15",
        base="base",
        offering="tiny",
        run=f"run{number}",
        artifact=Artifact(name="zorp.safetensors", sha256="0", size=1, media_type="application/octet-stream"),
        visibility=Visibility.PUBLIC,
        created_at=NOON + timedelta(seconds=number),
        published_at=NOON + timedelta(seconds=number),
    )


def measured(prompt: str, index: Index, runs: int) -> tuple[float, float]:
    """The milliseconds that a prompt takes: the median and the 99th percentile."""
    times = []
    for _ in range(runs):
        since = time.process_time()
        read = resolved(prompt, index, asker="ann")
        times.append(1000 * (time.process_time() - since))
        if len(read.calls) != 3:  # noqa: PLR2004 the three that the prompt calls
            sys.exit(f"{len(read.calls)} models were called")
    hundredths = statistics.quantiles(times, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


def told(name: str, prompt: str, index: Index, runs: int) -> tuple[float, float]:
    """Measure one prompt over one index, print its figures and return them."""
    middle, slow = measured(prompt, index, runs)
    print(f"{name}: {len(prompt)} characters, {runs} times, p50 {middle:.3f} ms, p99 {slow:.3f} ms", flush=True)
    return middle, slow


def main(arguments: Sequence[str]) -> None:
    """Measure a typical prompt over both indexes and a long one over the large index, and print the ratio."""
    runs = int(arguments[0]) if arguments else RUNS
    small, large = (Index(map(a_model, range(size))) for size in (SMALL, LARGE))
    few, _ = told(f"typical, {SMALL} models", TYPICAL, small, runs)
    many, slow = told(f"typical, {LARGE} models", TYPICAL, large, runs)
    told(f"long, {LARGE} models", ((TYPICAL + ". ") * LONG)[:LONG].rpartition(",")[0], large, runs // 10)
    print(f"ratio {LARGE} to {SMALL} models: p50 {many / few:.2f}")
    print(f"p99 of a typical prompt {slow:.3f} ms, goal {GOAL:.0f} ms: {'reached' if slow < GOAL else 'missed'}")


if __name__ == "__main__":
    main(sys.argv[1:])
