"""Pictures from prompts, with whatever adapter the base wears at the moment."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from PIL.Image import Image, Resampling
from PIL.PngImagePlugin import PngInfo

from worker import architectures
from worker.adapters.weights import content_hash
from worker.channel import Channel
from worker.pipelines import encoding
from worker.pipelines.base import Base
from worker.pipelines.infotext import Origin, infotext
from worker.pipelines.tasks import Drawing, Drawn, Generated, GenerationTask, Look


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture to make; `source` is the picture that a variation starts from, in the size of the result."""

    prompt: str
    negative: str = ""
    seed: int
    source: Image | None = None


def pictures(base: Base, shots: Sequence[Shot], look: Look) -> Iterator[Image]:
    """Make one picture per shot, each from noise of its own seed.

    All calls are of one size, the last filled up with repetitions, so that a picture is the same in any company.
    """
    make = architectures.named(base.architecture).pictures
    for first in range(0, len(shots), base.lanes):
        chunk = shots[first : first + base.lanes]
        filled = [chunk[min(lane, len(chunk) - 1)] for lane in range(base.lanes)]
        with base.placement.autocast():
            made = make(base, filled, look)
        yield from made[: len(chunk)]


def draw(base: Base, task: GenerationTask, channel: Channel) -> Generated:
    """Make the pictures of all drawings; each is written, with what it was made of, and announced at once.

    Raises:
        BadItem: A picture to start from cannot be read.
    """
    shots = [(number, shot) for number, drawing in enumerate(task.drawings) for shot in _shots(drawing, task.look)]
    made = pictures(base, [shot for _, shot in shots], task.look)
    origin = _origin(base, task.look)
    written: list[list[Path]] = [[] for _ in task.drawings]
    for (number, shot), picture in zip(shots, made, strict=True):
        paths, folder = written[number], task.drawings[number].folder
        paths.append(folder / f"picture-{len(paths) + 1:02}.png")
        notes = PngInfo()
        notes.add_text(
            "parameters", infotext(shot.prompt, shot.negative, seed=shot.seed, look=task.look, origin=origin)
        )
        picture.save(paths[-1], pnginfo=notes)
        channel.send(Drawn(drawing=number, pictures=tuple(paths)))
    return Generated(pictures=tuple(tuple(paths) for paths in written))


def _shots(drawing: Drawing, look: Look) -> list[Shot]:
    source = None
    if drawing.source:
        source = encoding.opened(drawing.source).resize((look.width, look.height), Resampling.LANCZOS)
    seeds = range(drawing.seed, drawing.seed + drawing.count)
    return [Shot(prompt=drawing.prompt, negative=drawing.negative, seed=seed, source=source) for seed in seeds]


def _origin(base: Base, look: Look) -> Origin:
    return Origin(
        model=base.title,
        model_hash=base.hash,
        sampler=architectures.named(base.architecture).sampler(base),
        adapter_hashes=tuple(content_hash(adapter.artifact) for adapter in look.adapters),
        program=f"loraguild {version('loraguild')}",
    )


def save(made: Iterable[Image], folder: Path, *, stem: str) -> tuple[Path, ...]:
    """Write pictures as `<stem>-01.png`, … and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, picture in enumerate(made, start=1):
        paths.append(folder / f"{stem}-{number:02}.png")
        picture.save(paths[-1])
    return tuple(paths)
