"""What an adapter learns from conversations, whatever the architecture of its base: to answer as in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig

from core.domain.recipes.llm_lora import Hyperparameters
from worker.architectures import causal_lm
from worker.channel import Channel
from worker.pipelines import conversing, course, lora, packing, peftfolder
from worker.pipelines.base import TextBase
from worker.pipelines.crew import Alone, Crew
from worker.pipelines.dialect import DATE, dialect
from worker.pipelines.loop import Loop, trained
from worker.pipelines.lora import Modules
from worker.pipelines.packing import IGNORED, Talk
from worker.pipelines.spans import Spans
from worker.pipelines.tasks import Stopped, Trained, TrainingTask

MODEL = "model"  # the only part of a base that learns
EVALUATED = 64  # blocks, at most
Block = tuple[Talk, ...]


@dataclass(kw_only=True)
class TextLesson:
    """An adapter learns what the assistant says in conversations, from all that was said before it."""

    task: TrainingTask
    base: TextBase
    wish: Hyperparameters
    modules: Modules
    blocks: Sequence[Block]
    held: Sequence[Block]

    def losses(self, step: int, *, crew: Crew) -> Iterator[torch.Tensor]:
        """Yield the parts of a step's loss, in which every token that is learned counts alike, wherever it stands."""
        wish, seed = self.wish, self.task.seed
        order = course.order(step, seed=seed, batch=wish.batch * wish.accumulation, items=len(self.blocks))
        whole = [self.blocks[number] for number in order]
        mine = whole[crew.rank :: crew.size]
        for first in range(0, len(mine), wish.batch):
            yield self._loss(mine[first : first + wish.batch]) * crew.size / _learned(whole)

    def _loss(self, blocks: Sequence[Block]) -> torch.Tensor:
        """Return the sum of the losses of all tokens that are learned from some blocks; only these are predicted."""
        tokenizer, place = self.base.tokenizer, self.base.placement
        batch = packing.batched(blocks, padding=tokenizer.pad_token_id or 0)
        kept = (batch.targets != IGNORED).any(dim=0).nonzero().squeeze(1)
        with place.autocast():
            logits = self.base.model(
                input_ids=batch.tokens.to(place.device, non_blocking=True),
                position_ids=batch.positions.to(place.device, non_blocking=True),
                logits_to_keep=kept.to(place.device, non_blocking=True),
                use_cache=False,
            ).logits
        targets = batch.targets[:, kept].to(place.device, non_blocking=True)
        return cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")

    @torch.no_grad()
    def evaluation(self) -> float:
        """Return the mean loss of the tokens that are to be learned: of held-out conversations where there are any."""
        size = self.wish.batch
        losses = [self._loss(self.held[first : first + size]) for first in range(0, len(self.held), size)]
        return float(torch.stack(losses).sum()) / _learned(self.held)

    def export(self, stem: str, *, epoch: int, step: int, optimizer: str) -> Path:
        """Write the adapter as PEFT does."""
        task, base = self.task, self.base
        said = {
            "modelspec.sai_model_spec": "1.0.1",
            "modelspec.architecture": f"{base.model.config.model_type}/lora",
            "modelspec.implementation": "peft",
            "modelspec.title": task.title,
            "modelspec.author": task.author,
            "ss_sd_model_hash": base.hash,
            "ss_epoch": str(epoch),
            "ss_steps": str(step),
            "ss_seed": str(task.seed),
            "ss_optimizer": optimizer,
        }
        return peftfolder.write(
            task.folder / f"{stem}.zip", self.modules[MODEL], base=base, precision=self.wish.precision, said=said
        )

    @torch.no_grad()
    def samples(self, stem: str) -> tuple[Path, ...]:
        """Answer each prompt, with the word that is likeliest each time."""
        folder = self.task.folder / "samples"
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, prompt in enumerate(self.task.sample_prompts, start=1):
            paths.append(folder / f"{stem}-{number:02}.md")
            paths[-1].write_text(f"> {prompt}\n\n{self._answer(prompt)}\n", encoding="utf-8")
        return tuple(paths)

    def _answer(self, prompt: str) -> str:
        base, tokenizer = self.base, self.base.tokenizer
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
            date_string=DATE,
        ).to(base.placement.device)
        how = GenerationConfig(
            do_sample=False,
            max_new_tokens=self.wish.answer,
            eos_token_id=_ends(base),
            pad_token_id=tokenizer.pad_token_id or 0,
        )
        with base.placement.autocast():
            said = base.model.generate(**asked, generation_config=how)[0, asked["input_ids"].shape[1] :]
        answer: str = tokenizer.decode(said, skip_special_tokens=True)
        return answer.strip()


def train(task: TrainingTask, channel: Channel, *, base: TextBase, crew: Crew | None = None) -> Trained | Stopped:
    """Train one adapter on conversations; see `TrainingTask` for what goes in and `Trained` for what comes out.

    Raises:
        TaskFailed: The base's template, the conversations, the start or the checkpoint are unusable, or the loss is no
            number.
        pydantic.ValidationError: The hyper-parameters do not fit the recipe.
    """
    spans, wish = Spans(), Hyperparameters.model_validate(task.hyperparameters)
    with spans.measured("caching"):
        length = min(wish.length, base.model.config.max_position_embeddings)
        lines = conversing.read(task.parts, base, channel, length=length, share=wish.validation)
        blocks = packing.packed(lines.taught, length=length)
        held = packing.packed(lines.held, length=length) or blocks
    begun = peftfolder.read(task.start) if task.start else {}
    wish = wish.fitted(len(blocks), processes=task.processes)
    with lora.attached(base, wish, {MODEL: causal_lm.targets(base.model, wish.targets)}, seed=task.seed) as modules:
        lora.begin(modules, {MODEL: begun})
        lesson = TextLesson(task=task, base=base, wish=wish, modules=modules, blocks=blocks, held=held[:EVALUATED])
        loop = Loop(task=task, channel=channel, base=base, wish=wish, lesson=lesson, spans=spans, crew=crew or Alone())
        ended = trained(loop)
    return ended.but(notes=lines.notes(length=length)) if isinstance(ended, Trained) else ended


def _learned(blocks: Sequence[Block]) -> int:
    return sum(one.learned for block in blocks for one in block)


def _ends(base: TextBase) -> list[int]:
    """Return the tokens that end an answer: those that the base knows, and the one that its template puts there."""
    known = base.model.generation_config.eos_token_id
    stop = base.tokenizer.convert_tokens_to_ids(dialect(base.tokenizer).stop)
    ends = [*(known if isinstance(known, list) else [known]), base.tokenizer.eos_token_id, stop]
    return sorted({end for end in ends if end is not None and end != base.tokenizer.unk_token_id})
