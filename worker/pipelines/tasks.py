"""The contract between a worker and its torch child: tasks go in, events and one result or failure come out.

Nothing here imports torch, so that the parent process never pays for it.
"""

from pathlib import Path

from pydantic import Field, JsonValue

from core.domain.run import MetricsPoint
from core.domain.value import Value
from worker.channel import TaskFailed


class TrainingItem(Value):
    """One picture and its caption."""

    picture: Path
    caption: str


class TrainingTask(Value):
    """Train one adapter.

    `architecture` names the module of `worker.architectures` that knows the base, `base` is what
    `worker.bases.base_location` takes. Files are written under `folder`; `cache` keeps encoded pictures and captions
    between tasks. With `checkpoint` the run goes on from that file's step as if it had never stopped.
    """

    folder: Path
    architecture: str
    base: str
    recipe: str
    hyperparameters: dict[str, JsonValue]
    items: tuple[TrainingItem, ...] = Field(min_length=1)
    trigger: str
    title: str
    author: str
    seed: int
    sample_prompts: tuple[str, ...] = ()
    checkpoint: Path | None = None
    checkpoint_every: float = Field(default=60.0, gt=0, description="Seconds.")
    cache: Path | None = None


class Progressed(Value):
    """Steps done so far and every point since the last event of this type; at most about two a second."""

    step: int
    total: int
    points: tuple[MetricsPoint, ...]


class EpochEnded(Value):
    """An epoch's adapter, its mean training loss and one sample per prompt.

    After a resume, an epoch that ended behind the checkpoint is announced again, with the same number and weights.
    """

    number: int
    step: int
    loss: float
    artifact: Path
    samples: tuple[Path, ...]


class Checkpointed(Value):
    """The whole loop state as one file, already read back and compared. The next but one replaces it on disk."""

    path: Path
    step: int


class Trained(Value):
    """A finished training.

    `evaluation_*` is the denoising loss on fixed noise and timesteps, `before` and `after` are the same prompts and
    seeds, without and with the adapter.
    """

    artifact: Path
    step: int
    base_hash: str
    evaluation_before: float
    evaluation_after: float
    before: tuple[Path, ...]
    after: tuple[Path, ...]


class Stopped(Value):
    """A training that ended early because its parent asked; `checkpoint` resumes it."""

    checkpoint: Path
    step: int


class WeightedAdapter(Value):
    """An adapter's file, what the model is called (without its owner), and how strongly it counts."""

    artifact: Path
    name: str
    weight: float = 1.0


class Look(Value):
    """What pictures that are drawn in one go have in common; sizes in pixels.

    `strength` is how many percent of the pictures that they start from variations may change.
    """

    architecture: str
    base: str
    adapters: tuple[WeightedAdapter, ...] = ()
    steps: int = Field(ge=1)
    guidance: float = Field(ge=0)
    width: int = Field(ge=64, multiple_of=8)
    height: int = Field(ge=64, multiple_of=8)
    strength: int | None = Field(default=None, ge=1, le=100)


class Drawing(Value):
    """`count` pictures of one prompt with the seeds `seed`, `seed + 1`, …, written into `folder`.

    Variations start from the picture `source`.
    """

    folder: Path
    prompt: str
    negative: str = ""
    seed: int
    count: int = Field(ge=1)
    source: Path | None = None


class GenerationTask(Value):
    """Make the pictures of all drawings; every picture is the same in any company."""

    look: Look
    drawings: tuple[Drawing, ...] = Field(min_length=1)


class Drawn(Value):
    """The pictures of one drawing so far, in the order of their seeds; `drawing` counts from 0."""

    drawing: int
    pictures: tuple[Path, ...]


class Generated(Value):
    """The pictures of a generation, by drawing, in the order of their seeds."""

    pictures: tuple[tuple[Path, ...], ...]


class NanLoss(TaskFailed):
    """The loss is no longer a number: the learning rate is too high for this data."""

    code = "nan_loss"


class BaseMissing(TaskFailed):
    """The base model is not there or not usable."""

    code = "base_missing"


class OutOfMemory(TaskFailed):
    """The device's memory does not hold this task."""

    code = "out_of_memory"


class BadItem(TaskFailed):
    """A picture cannot be read."""

    code = "bad_item"


class BadCheckpoint(TaskFailed):
    """A checkpoint cannot be read or belongs to another run."""

    code = "bad_checkpoint"


class BadAdapter(TaskFailed):
    """An adapter cannot be loaded onto the base."""

    code = "bad_adapter"
