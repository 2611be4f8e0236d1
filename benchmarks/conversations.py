"""How fast conversations come in and are looked at: JSON Lines to stored parts and statistics, against bare orjson.

Both sides read the same file, in turn and each twice, every time in a process of its own whose peak memory is measured;
more than LIMIT is a failure. Tokens are estimated, as where no tokenizer is set. Run `python
benchmarks/conversations.py [MEGABYTES [SIDE]]`; a side alone is measured once.
"""

import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import orjson

from core.domain.value import Value
from worker.adapters import conversations, tokens
from worker.adapters.archives import RawFile

MEGABYTES, SEED = 500, 0
LIMIT = 192  # MB at most, however large the file
UNIT = 2**20 if sys.platform == "darwin" else 2**10  # of peak memory, in a megabyte


class Deaf:
    """A channel that nobody listens to."""

    def send(self, event: Value) -> None:
        """Say it to nobody."""

    def stopping(self) -> bool:
        """Go on."""
        return False

    def wishes(self) -> tuple[Value, ...]:
        """Wish nothing."""
        return ()


def ours(file: Path) -> int:
    """Take the file in and look at what was taken, as the jobs do."""
    with tempfile.TemporaryDirectory(dir=file.parent) as out:
        taken = conversations.taken([RawFile(path=file, name=file.name)], Path(out), Deaf())
        return conversations.examined((portion.path for portion in taken.portions), tokens.counter(None)).count


def bare(file: Path) -> int:
    """Parse every line."""
    with file.open("rb") as lines:
        return sum(isinstance(orjson.loads(line), dict) for line in lines)


SIDES = {"ours": ours, "bare": bare}


def measured(side: str, file: Path) -> tuple[float, float, int]:
    """Seconds, megabytes of peak memory and conversations of one side, in the process that it is called in."""
    since = time.perf_counter()
    count = SIDES[side](file)
    seconds = time.perf_counter() - since
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT, count


def written(file: Path, *, megabytes: int) -> int:
    """Write conversations of some turns in OpenAI's format, and return how many."""
    dice = random.Random(SEED)  # noqa: S311 - an example is no secret
    words = ["".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(2_000)]
    texts = [" ".join(dice.choices(words, k=dice.randint(8, 60))) for _ in range(20_000)]
    count = 0
    with file.open("wb") as lines:
        while lines.tell() < megabytes * 2**20:
            said = enumerate(dice.choices(texts, k=2 * dice.randint(1, 4)))
            turns = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in said]
            lines.write(orjson.dumps({"id": f"c{count}", "messages": turns}) + b"\n")
            count += 1
    return count


def main(arguments: Sequence[str]) -> None:
    """Measure both sides in turn, twice, and print the better of each."""
    megabytes = int(arguments[0]) if arguments else MEGABYTES
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "conversations.jsonl"
        expected = written(file, megabytes=megabytes)
        for side in arguments[1:] or (*SIDES, *reversed(SIDES)):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                seconds, peak, count = alone.submit(measured, side, file).result()
            if count != expected:
                sys.exit(f"{side}: {count} conversations of {expected}")
            if peak > LIMIT:
                sys.exit(f"{side}: peak memory is {peak:.0f} MB, more than {LIMIT}")
            rates.setdefault(side, []).append(megabytes / seconds)
            print(f"{side}: {megabytes / seconds:.1f} MB/s, peak {peak:.0f} MB")
    if set(rates) == set(SIDES):
        ours_rate, bare_rate = max(rates["ours"]), max(rates["bare"])
        print(
            f"{megabytes} MB: ours {ours_rate:.1f} MB/s, bare {bare_rate:.0f} MB/s, ratio {ours_rate / bare_rate:.3f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
