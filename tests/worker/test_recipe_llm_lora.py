"""Training a LoRA of a language model: it repeats, resumes, learns what the assistant says, and says what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load
from transformers import AutoModelForCausalLM

from core.domain.conversation import validates
from core.domain.recipes.llm_lora import Hyperparameters
from tests.builders.bases import Line, a_look
from tests.builders.llamas import (
    CHATML,
    a_conversation,
    a_text_base,
    a_text_training,
    a_tokenizer,
    some_conversations,
    written,
)
from worker.adapters.answers import before_after
from worker.architectures import causal_lm
from worker.pipelines import conversing, lora
from worker.pipelines.crew import Alone
from worker.pipelines.packing import IGNORED, packed
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import (
    BadAdapter,
    BaseMissing,
    Drawing,
    GenerationTask,
    NanLoss,
    NothingToLearn,
    Trained,
    TrainingTask,
    UnknownTemplate,
)
from worker.pipelines.textlesson import TextLesson

CPU = Placement(device="cpu", dtype=torch.float32)
OPTIONS: dict[str, dict[str, Any]] = {
    "dora": {"variant": "dora", "targets": "attention"},
    "rank-stabilized": {"rank_stabilized": True, "optimizer": "adamw8bit"},
    "lora+": {"lr_ratio": 4.0, "dropout": 0.3},
    "average": {"ema": 0.5},
    "checkpointing": {"checkpointing": True, "batch": 1, "accumulation": 2},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_text_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


def finished(studio: Studio, task: TrainingTask, line: Line | None = None) -> Trained:
    result = studio.train(task, line or Line())
    assert isinstance(result, Trained)
    return result


def unpacked(artifact: Path, folder: Path) -> Path:
    with ZipFile(artifact) as zipped:
        zipped.extractall(folder)
    return folder


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_learns_and_goes_on_as_if_it_had_not_been_stopped(
    studio: Studio, base: Path, tmp_path: Path, option: str
) -> None:
    task = a_text_training(tmp_path, base=base, hyperparameters=OPTIONS[option])
    line = Line()
    whole = finished(studio, task.but(folder=tmp_path / "whole", checkpoint_every=1e-9), line)
    resumed = finished(studio, task.but(checkpoint=line.checkpoints[3].path))
    assert resumed.artifact.read_bytes() == whole.artifact.read_bytes()
    assert resumed.evaluation_after == whole.evaluation_after < whole.evaluation_before
    assert [(epoch.number, epoch.step) for epoch in line.epochs] == [(1, 3), (2, 6)]
    assert [path.name for path in line.epochs[0].samples] == ["epoch-01-01.md"]


def test_it_learns_what_the_assistant_says(studio: Studio, base: Path, tmp_path: Path) -> None:
    said = [a_conversation(f"c{number}", "What is the colour?", "It is green.") for number in range(8)]
    wish: dict[str, Any] = {"steps": 60, "epochs": 1, "lr": 0.02, "answer": 12, "validation": 0.0}
    task = a_text_training(tmp_path, base=base, hyperparameters=wish, parts=written(tmp_path / "parts", said))
    result = finished(studio, task)
    assert result.evaluation_after < 0.85 * result.evaluation_before
    (before,), (after,) = result.before, result.after
    assert after.read_text() == "> What is the colour?\n\nIt is green.\n"
    sheet = before_after([before], [after], labels=("before", "after"), out=tmp_path / "sheet.md").read_text()
    assert sheet.startswith("> What is the colour?\n\n**before**\n\n")
    assert sheet.endswith("**after**\n\nIt is green.\n")


def test_half_precision_learns_and_repeats(base: Path, tmp_path: Path) -> None:
    studio = Studio(Placement(device="cpu", dtype=torch.bfloat16))
    results = [finished(studio, a_text_training(tmp_path / name, base=base)) for name in ("one", "again")]
    assert results[0].artifact.read_bytes() == results[1].artifact.read_bytes()
    assert results[0].evaluation_after < results[0].evaluation_before


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # of PEFT's, at transformers
@pytest.mark.parametrize("wish", [{"targets": "all", "variant": "dora"}, {"rank_stabilized": True}])
def test_peft_itself_loads_the_adapter_and_answers_the_same(
    studio: Studio, base: Path, tmp_path: Path, wish: dict[str, Any]
) -> None:
    result = finished(studio, a_text_training(tmp_path, base=base, hyperparameters=wish))
    bare = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tokens = torch.arange(30)[None]
    plain = bare(tokens).logits.detach()
    loaded = PeftModel.from_pretrained(bare, unpacked(result.artifact, tmp_path / "adapter")).eval()
    found = causal_lm.load(str(base), CPU)
    settings = Hyperparameters.model_validate({"rank": 4, "alpha": 8.0, **wish})
    with lora.attached(found, settings, {"model": causal_lm.targets(found.model, settings.targets)}, seed=1) as modules:
        weights = load(ZipFile(result.artifact).read("adapter_model.safetensors"))
        named = {name.removeprefix("base_model.model."): tensor for name, tensor in weights.items()}
        share = lora.strength(found.model.peft_config["default"])
        lora.begin(modules, {"model": {n: t * share if ".lora_B" in n else t for n, t in named.items()}})
        own = found.model(tokens).logits
    assert (own - plain).abs().max() > 0.01
    torch.testing.assert_close(loaded(tokens).logits, own)
    torch.testing.assert_close(found.model(tokens).logits, plain, rtol=0, atol=0)


def test_the_artifact_is_pefts_folder_and_keeps_conversations_private(
    studio: Studio, base: Path, tmp_path: Path
) -> None:
    result = finished(studio, a_text_training(tmp_path, base=base))
    folder = unpacked(result.artifact, tmp_path / "adapter")
    assert sorted(path.name for path in folder.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    config = json.loads((folder / "adapter_config.json").read_text())
    expected = {"peft_type": "LORA", "r": 4, "lora_alpha": 8.0, "task_type": "CAUSAL_LM", "inference_mode": True}
    assert expected.items() <= config.items()
    assert config["base_model_name_or_path"] == base.name
    assert {"q_proj", "o_proj", "gate_proj", "down_proj"} <= set(config["target_modules"])
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b'"modelspec.title":"Hues"' in content
    assert str(tmp_path).encode() not in content
    assert b"colour" not in content


def test_a_training_goes_on_from_an_adapter(studio: Studio, base: Path, tmp_path: Path) -> None:
    first = finished(studio, a_text_training(tmp_path / "first", base=base))
    more = a_text_training(tmp_path / "more", base=base, hyperparameters={"rank_stabilized": True, "lr": 1e-6})
    second = finished(studio, more.but(start=first.artifact))
    assert second.evaluation_before == pytest.approx(first.evaluation_after, abs=1e-4)
    with pytest.raises(BadAdapter, match="another rank"):
        studio.train(more.but(start=first.artifact, hyperparameters={**more.hyperparameters, "rank": 8}), Line())
    (tmp_path / "torn.zip").write_bytes(first.artifact.read_bytes()[:1000])
    with pytest.raises(BadAdapter, match="cannot be read"):
        studio.train(more.but(start=tmp_path / "torn.zip"), Line())


def test_only_answers_are_learned_and_long_conversations_end_with_an_earlier_one(base: Path, tmp_path: Path) -> None:
    loaded = causal_lm.load(str(base), CPU)
    said = [
        a_conversation("short", "Hello?", "Hi!", system="Be brief."),
        a_conversation("long", "Who?", "Me.", "And who else is there with you?", "Nobody, as far as I can see here."),
        a_conversation("endless", "word " * 200, "No."),
        a_conversation("unanswered", "Anybody?"),
    ]
    lines = conversing.read(written(tmp_path, said), loaded, Line(), length=64, share=0)
    answers = [loaded.tokenizer.decode(one.targets[one.targets != IGNORED]) for one in lines.taught]
    assert answers == ["Hi!<|im_end|>", "Me.<|im_end|>"]
    assert (lines.cut, lines.dropped, lines.held) == (1, 2, [])
    assert lines.notes(length=64) == (
        "1 conversations are longer than 64 tokens: only their first turns were learned.",
        "2 were left out: no answer in them ends within 64 tokens.",
    )


def test_what_is_held_out_depends_on_no_order_and_nothing_is_held_out_of_almost_nothing(
    base: Path, tmp_path: Path
) -> None:
    loaded = causal_lm.load(str(base), CPU)
    said = some_conversations(40)

    def split(name: str, among: list[Any], share: float) -> tuple[list[list[int]], int]:
        lines = conversing.read(written(tmp_path / name, among), loaded, Line(), length=100, share=share)
        return sorted(one.tokens.tolist() for one in lines.held), len(lines.taught)

    assert split("one", said, 0.3) == split("other", said[::-1], 0.3)
    assert 0 < split("one", said, 0.1)[1] < 40
    assert split("none", said, 0.0) == ([], 40)
    kept = [one for one in said if validates(one.conversation_id, share=0.3)]
    assert split("kept", kept, 0.3) == ([], len(kept))


class Member(Alone):
    """One of several processes."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


def test_a_step_has_one_loss_however_it_is_cut_and_shared(base: Path, tmp_path: Path) -> None:
    loaded, task = causal_lm.load(str(base), CPU), a_text_training(tmp_path, base=base)
    blocks = packed(conversing.read(task.parts, loaded, Line(), length=64, share=0).taught, length=64)

    def loss(batch: int, accumulation: int, members: int) -> float:
        wish = Hyperparameters(batch=batch, accumulation=accumulation)
        lesson = TextLesson(task=task, base=loaded, wish=wish, modules={}, blocks=blocks, held=blocks)
        crew = [Member(rank, members) for rank in range(members)]
        return sum(float(part) for one in crew for part in lesson.losses(3, crew=one)) / members

    with torch.no_grad():
        losses = [loss(*cut) for cut in ((4, 1, 1), (3, 2, 1), (2, 2, 1), (1, 4, 1), (2, 2, 2), (1, 4, 4))]
    assert losses[2:] == pytest.approx([losses[0]] * 4, rel=1e-5)
    assert losses[1] != pytest.approx(losses[0], rel=1e-5)


def test_steps_end_when_everything_was_seen_often_enough(studio: Studio, base: Path, tmp_path: Path) -> None:
    wish = {"passes": 2, "steps": 50, "epochs": 2, "batch": 2, "validation": 0.0}
    line = Line()
    result = finished(studio, a_text_training(tmp_path, base=base, hyperparameters=wish), line)
    assert [epoch.step for epoch in line.epochs] == [result.step // 2, result.step]
    assert result.step < 50


@pytest.mark.parametrize(
    ("wish", "blocks", "processes", "expected"),
    [
        ({"batch": 4, "passes": 2, "steps": 100}, 10, 1, (4, 1, 5)),
        ({"batch": 4, "passes": 0, "steps": 100}, 10, 1, (4, 1, 100)),
        ({"batch": 4, "passes": 1, "steps": 100}, 3, 1, (3, 1, 1)),
        ({"batch": 2, "accumulation": 2, "passes": 1, "steps": 100}, 3, 1, (1, 3, 1)),
        ({"batch": 4, "accumulation": 2, "passes": 3, "steps": 100}, 5, 2, (4, 1, 4)),
        ({"batch": 4, "passes": 1, "steps": 100}, 1, 4, (4, 1, 1)),
        ({"batch": 4, "passes": 9, "steps": 3}, 1000, 1, (4, 1, 3)),
    ],
)
def test_a_wish_is_fitted_to_the_data(
    wish: dict[str, Any], blocks: int, processes: int, expected: tuple[int, int, int]
) -> None:
    found = Hyperparameters.model_validate(wish).fitted(blocks, processes=processes)
    assert (found.batch, found.accumulation, found.steps) == expected
    assert found.epochs <= found.steps


def test_what_cannot_be_done_is_said(studio: Studio, base: Path, tmp_path: Path) -> None:
    task = a_text_training(tmp_path, base=base, sample_prompts=())

    def refused(failure: type[Exception], match: str, change: Callable[[TrainingTask], TrainingTask]) -> None:
        with pytest.raises(failure, match=match):
            studio.train(change(task), Line())

    endless = written(tmp_path / "endless", [a_conversation("c", "word " * 200, "No.")])
    refused(NothingToLearn, "No conversation", lambda task: task.but(parts=endless))
    broken = a_text_base(tmp_path / "broken", broken=True)
    refused(NanLoss, "no longer a number", lambda task: task.but(base=str(broken)))
    silent = a_text_base(tmp_path / "silent", template=None)
    refused(UnknownTemplate, "no chat template", lambda task: task.but(base=str(silent)))
    refused(BaseMissing, "Set the `location`", lambda task: task.but(base=str(tmp_path)))


def test_a_base_that_writes_draws_nothing(studio: Studio, base: Path, tmp_path: Path) -> None:
    drawing = Drawing(folder=tmp_path, prompt="hues", seed=1, count=1)
    with pytest.raises(BaseMissing, match="draws no pictures"):
        studio.generate(GenerationTask(look=a_look(base, architecture="causal_lm"), drawings=(drawing,)), Line())


def test_the_tokenizer_of_these_tests_speaks_chatml() -> None:
    messages = [{"role": "user", "content": "Hello?"}]
    assert a_tokenizer(CHATML).apply_chat_template(messages, tokenize=False) == "<|im_start|>user\nHello?<|im_end|>\n"
