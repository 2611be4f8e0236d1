"""The contract between a worker and its torch child: tasks go in, events and one result or failure come out.

Nothing here imports torch, so that the parent process never pays for it.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, JsonValue

from core.domain.offering import FewSteps
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
    `worker.bases.base_location` takes, `few_steps` what makes it draw fast. It learns from `items`, or from the
    conversations in `parts`, as they are stored. Files are written under `folder`; `cache` keeps encoded pictures and
    captions between tasks. With `checkpoint` the run goes on from that file's step as if it had never stopped; `start`
    is an exported adapter whose weights the run begins with. `processes` share each batch.
    """

    folder: Path
    architecture: str
    base: str
    few_steps: FewSteps | None = None
    recipe: str
    hyperparameters: dict[str, JsonValue]
    items: tuple[TrainingItem, ...] = ()
    parts: tuple[Path, ...] = ()
    trigger: str
    title: str
    author: str
    seed: int
    sample_prompts: tuple[str, ...] = ()
    start: Path | None = None
    processes: int = Field(default=1, ge=1)
    checkpoint: Path | None = None
    checkpoint_every: float = Field(default=60.0, gt=0, description="Seconds.")
    cache: Path | None = None


class Preparing(Value):
    """What is made before the first step: how many there are so far, of how many, and of what."""

    done: int
    total: int
    doing: str


class Progressed(Value):
    """Steps done so far and every point since the last event of this type; at most about two a second."""

    step: int
    total: int
    points: tuple[MetricsPoint, ...]


class EpochEnded(Value):
    """An epoch's adapter, its mean training loss, its loss on the fixed evaluation and one sample per prompt.

    After a resume, an epoch that ended behind the checkpoint is announced again, with the same number and weights.
    """

    number: int
    step: int
    loss: float
    evaluation: float
    artifact: Path
    samples: tuple[Path, ...]


class Checkpointed(Value):
    """The whole loop state as one file, already read back and compared. The next but one replaces it on disk."""

    path: Path
    step: int


class Trained(Value):
    """A finished training.

    `evaluation_*` is the loss on fixed noise and timesteps, of held-out examples where there are any; `before` and
    `after` are the same prompts and seeds, without and with the adapter. `seconds` is what the time went into, `notes`
    say what was not learned, and why.
    """

    artifact: Path
    step: int
    base_hash: str
    evaluation_before: float
    evaluation_after: float
    before: tuple[Path, ...]
    after: tuple[Path, ...]
    seconds: Mapping[str, float] = {}
    notes: tuple[str, ...] = ()


class SampleNow(Value):
    """Parent to child: make samples with the adapter as it is after this step."""


class SaveNow(Value):
    """Parent to child: export the adapter as it is after this step."""


class StopEarly(Value):
    """Parent to child: end the training after this step, with the adapter as it is then."""


class Extend(Value):
    """Parent to child: go on for so many steps more than planned."""

    steps: int = Field(ge=1)


class Sampled(Value):
    """Samples that were asked for, one per prompt."""

    step: int
    samples: tuple[Path, ...]


class Saved(Value):
    """An adapter that was asked for between two ends of epochs, and the mean loss since the last."""

    step: int
    loss: float
    artifact: Path


class Stopped(Value):
    """A training that ended early because its parent asked; `checkpoint` resumes it, if it has come to a first step."""

    checkpoint: Path | None
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
    few_steps: FewSteps | None = None
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


class BaseGated(TaskFailed):
    """The base model's terms have to be accepted on its hub, for the token that this machine has."""

    code = "base_gated"


class BadHyperparameters(TaskFailed):
    """The hyper-parameters do not fit the recipe as it is here."""

    code = "bad_hyperparameters"


class DiskFull(TaskFailed):
    """There is no room left on this machine's disk."""

    code = "disk_full"


class OutOfMemory(TaskFailed):
    """The device's memory does not hold this task."""

    code = "out_of_memory"


class BadItem(TaskFailed):
    """A picture cannot be read."""

    code = "bad_item"


class UnknownTemplate(TaskFailed):
    """Where the answers lie in what a base model makes of a conversation cannot be told."""

    code = "unknown_template"


class NothingToLearn(TaskFailed):
    """No conversation has an answer to learn from that is short enough."""

    code = "nothing_to_learn"


class BadCheckpoint(TaskFailed):
    """A checkpoint cannot be read or belongs to another run."""

    code = "bad_checkpoint"


class BadAdapter(TaskFailed):
    """An adapter cannot be loaded onto the base."""

    code = "bad_adapter"
