"""What an adapter learns from pictures and captions, whatever the architecture of its base."""

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import torch

from core.domain.adaptation import Compiling, PictureAdaptation
from worker import architectures
from worker.architectures import Architecture
from worker.channel import Channel
from worker.pipelines import course, encoding, kohya, lora, objective, sampling
from worker.pipelines.base import Base
from worker.pipelines.course import Draw
from worker.pipelines.crew import Alone, Crew
from worker.pipelines.encoding import Bucket, Describe
from worker.pipelines.loop import Loop, trained
from worker.pipelines.lora import Modules
from worker.pipelines.metadata import metadata
from worker.pipelines.sampling import Shot
from worker.pipelines.spans import Spans
from worker.pipelines.tasks import Look, Stopped, Trained, TrainingItem, TrainingTask
from worker.recipes import Training

UNGRADED = 4  # times as many items fit in memory where no gradients are kept
SAMPLE_SEED = 1  # the same for every run, so that pictures can be compared
VARIANTS = 8  # of a caption whose parts are shuffled
COMPILED_FROM = 3000  # steps on a GPU that pay for compiling


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Pictures of the class that the adapter must not forget, and how strongly they count."""

    items: tuple[TrainingItem, ...]
    weight: float


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Encoded pictures with what the denoiser is told of their captions, and how many of those each has."""

    buckets: tuple[Bucket, ...]
    describe: Describe
    variants: int = 1


@dataclass(kw_only=True)
class PictureLesson:
    """Adapters learn to denoise the pictures of a data set, and beside them those of its class if there are any."""

    task: TrainingTask
    base: Base
    wish: PictureAdaptation
    modules: Modules
    subject: Subject
    held: Subject
    prior: Subject | None = None
    prior_weight: float = 0.0
    levels: int = 0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    architecture: Architecture = field(init=False)

    def __post_init__(self) -> None:
        """Find what knows the base."""
        self.architecture = architectures.named(self.base.architecture)

    def losses(self, step: int, *, crew: Crew) -> Iterator[torch.Tensor]:
        """Yield the parts of a step's loss."""
        yield from self._losses(step, self.subject, crew=crew, stream="step", weight=1.0)
        if self.prior:
            yield from self._losses(step, self.prior, crew=crew, stream="prior", weight=self.prior_weight)

    def _losses(self, step: int, subject: Subject, *, crew: Crew, stream: str, weight: float) -> Iterator[torch.Tensor]:
        wish = self.wish
        whole = course.draw(
            step,
            subject.buckets,
            seed=self.task.seed,
            examples=wish.batch * wish.accumulation,
            variants=subject.variants,
            caption_dropout=wish.caption_dropout,
            noise_offset=wish.noise_offset,
            levels=self.levels,
            stream=stream,
        )
        mine = whole.share(crew.rank, crew.size)
        for part in mine.split(wish.batch):
            yield self._loss(part, subject) * (weight * len(part.chance) / len(mine.chance))

    def _loss(self, drawn: Draw, subject: Subject) -> torch.Tensor:
        with self.base.placement.autocast():
            errors = self.architecture.errors(
                self.base,
                latents=drawn.latents,
                noise=drawn.noise,
                chance=drawn.chance,
                text=subject.describe(drawn.captions),
                sizes=drawn.sizes,
                wish=self.wish,
            )
        return errors.mean()

    def evaluation(self) -> float:
        """Return the denoising loss on fixed noise at fixed levels: of held-out pictures where there are any."""
        held, batch = self.held, UNGRADED * self.wish.batch
        return objective.evaluate(self.base, held.buckets, held.describe, batch=batch, variants=held.variants)

    def export(self, stem: str, *, epoch: int, step: int, optimizer: str) -> Path:
        """Write the adapter as the community reads it; captions stay private."""
        path = self.task.folder / f"{stem}.safetensors"
        facts = metadata(
            self.task, self.wish, self.base, epoch=epoch, step=step, optimizer=optimizer, started=self.started
        )
        adapter = self.architecture.exported(lora.weights(self.modules), self.wish)
        kohya.write(path, adapter, facts | self.architecture.facts(self.base, self.wish))
        return path

    def samples(self, stem: str) -> tuple[Path, ...]:
        """Make one picture for each prompt."""
        task, wish = self.task, self.wish
        look = Look(
            architecture=task.architecture,
            base=task.base,
            few_steps=task.few_steps,
            steps=wish.sample_steps,
            guidance=wish.sample_guidance,
            width=wish.resolution,
            height=wish.resolution,
        )
        shots = [Shot(prompt=prompt, seed=SAMPLE_SEED + n) for n, prompt in enumerate(task.sample_prompts)]
        with self.base.whole():
            return sampling.save(sampling.pictures(self.base, shots, look), task.folder / "samples", stem=stem)


def train(  # what recipes of pictures differ in
    task: TrainingTask,
    channel: Channel,
    *,
    base: Base,
    wish: PictureAdaptation,
    prior: Prior | None = None,
    levels: int = 0,
    crew: Crew | None = None,
    spans: Spans | None = None,
) -> Trained | Stopped:
    """Train one adapter on pictures; see `TrainingTask` for what goes in and `Trained` for what comes out.

    Raises:
        TaskFailed: An item, the start or the checkpoint is unusable, or the loss is no number.
    """
    spans, architecture = spans or Spans(), architectures.named(base.architecture)
    targets = architecture.targets(wish)
    taught, held = split(task.items, share=wish.validation)
    with spans.measured("caching"):
        encode = partial(_subject, base=base, wish=wish, task=task, live=targets.keys() != {base.denoiser})
        subject, evaluated, kept = encode(taught), encode(held), encode(prior.items if prior else ())
    begun = lora.exported(base, task.start) if task.start else {}
    with lora.attached(base, wish, targets, seed=task.seed) as modules, base.parked(except_for=modules):
        lora.begin(modules, begun)
        lesson = PictureLesson(
            task=task,
            base=base,
            wish=wish,
            modules=modules,
            subject=subject,
            held=evaluated if evaluated.buckets else subject,
            prior=kept if kept.buckets else None,
            prior_weight=prior.weight if prior else 0.0,
            levels=levels,
        )
        with base.compiled(when=_pays(wish, base)):
            return trained(
                Loop(task=task, channel=channel, base=base, wish=wish, lesson=lesson, spans=spans, crew=crew or Alone())
            )


def training(schema: type[PictureAdaptation]) -> Training:
    """Return the `train` of a recipe whose hyper-parameters follow a schema, and that has nothing else of its own."""

    def recipe(task: TrainingTask, channel: Channel, *, base: Base, crew: Crew | None = None) -> Trained | Stopped:
        return train(task, channel, base=base, wish=schema.model_validate(task.hyperparameters), crew=crew)

    return recipe


def split(items: Sequence[TrainingItem], *, share: float) -> tuple[tuple[TrainingItem, ...], tuple[TrainingItem, ...]]:
    """Return the items to learn from and those kept for the evaluation: the same ones whatever their order."""
    count = min(math.ceil(len(items) * share), len(items) - 1)
    if count <= 0:
        return tuple(items), ()
    by_content = sorted(items, key=lambda item: hashlib.sha256(item.picture.read_bytes()).hexdigest())
    held = {item.picture for item in by_content[:count]}
    return tuple(item for item in items if item.picture not in held), tuple(by_content[:count])


def captions(items: Sequence[TrainingItem], wish: PictureAdaptation, *, seed: int) -> tuple[list[str], int]:
    """Return the captions that are told, so many of each item, the empty one behind them; and how many of each."""
    if not wish.shuffle:
        return [*(item.caption for item in items), ""], 1
    luck = random.Random(f"{seed} captions")  # noqa: S311 - data order, no secret
    told = []
    for item in items:
        parts = item.caption.split(", ")
        first, rest = parts[: wish.keep_tokens], parts[wish.keep_tokens :]
        told += [", ".join((*first, *luck.sample(rest, len(rest)))) for _ in range(VARIANTS)]
    return [*told, ""], VARIANTS


def _subject(
    items: Sequence[TrainingItem], *, base: Base, wish: PictureAdaptation, task: TrainingTask, live: bool
) -> Subject:
    buckets = encoding.latents(base, items, wish, cache=task.cache)
    told, variants = captions(items, wish, seed=task.seed)
    embed = partial(architectures.named(base.architecture).embed, base)
    if live:
        return Subject(buckets=buckets, describe=encoding.live_embeddings(base, told, embed), variants=variants)
    return Subject(
        buckets=buckets, describe=encoding.embeddings(base, told, embed, cache=task.cache), variants=variants
    )


def _pays(wish: PictureAdaptation, base: Base) -> bool:
    """Whether compiling the denoiser takes less time than it saves."""
    long = base.placement.device == "cuda" and wish.steps >= COMPILED_FROM
    return wish.compiling is Compiling.ALWAYS or (wish.compiling is Compiling.AUTO and long)
