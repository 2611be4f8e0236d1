"""Tiny random language models with tokenizers and chat templates of their own, conversations, and tasks to train."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from core.domain.conversation import Conversation, Turn
from worker.adapters.portions import Portions
from worker.pipelines.tasks import TrainingTask

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>")
COLOURS = ("red", "green", "blue", "grey")


def a_tokenizer(template: str | None = CHATML, *, special: Sequence[str] = SPECIAL, **tokens: str) -> Any:
    """A byte-level tokenizer of some three hundred tokens that says what a template says."""
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [turn.content for one in some_conversations() for turn in one.turns]
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    bare.train_from_iterator(texts, trainer)
    usual = {"bos_token": special[0], "eos_token": special[2], "pad_token": special[-1]}
    found = PreTrainedTokenizerFast(tokenizer_object=bare, model_max_length=512, **usual | tokens)
    found.chat_template = template
    return found


def a_text_base(folder: Path, *, template: str | None = CHATML, width: int = 64, broken: bool = False) -> Path:
    """Write a random Llama of 0.1 M parameters, or of 0.8 M at a width of 128; a broken one answers with NaN."""
    torch.manual_seed(0)
    tokenizer = a_tokenizer(template)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=width * 2,
        num_hidden_layers=width // 32,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    if broken:
        with torch.no_grad():
            model.model.norm.weight.fill_(float("nan"))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def a_conversation(name: str, *said: str, system: str = "") -> Conversation:
    """A conversation in which a user and the assistant speak in turns."""
    turns = [Turn(role=("user", "assistant")[number % 2], content=text) for number, text in enumerate(said)]
    brief = [Turn(role="system", content=system)] if system else []
    return Conversation(conversation_id=name, turns=(*brief, *turns))


def some_conversations(count: int = 12) -> list[Conversation]:
    """Conversations about colours, of one question or of two."""
    found = []
    for number in range(count):
        colour = COLOURS[number % len(COLOURS)]
        said = ("What is the colour?", f"It is {colour}.", "Are you sure?", f"Yes, {colour}, as I said.")
        found.append(a_conversation(f"c{number}", *said[: 2 + number % 2 * 2], system="Be brief." * (number % 3 == 0)))
    return found


def written(folder: Path, conversations: Sequence[Conversation]) -> tuple[Path, ...]:
    """Write conversations as a dataset stores them."""
    folder.mkdir(parents=True, exist_ok=True)
    portions = Portions(folder)
    for one in conversations:
        portions.add(one)
    return tuple(portion.path for portion in portions.closed())


def a_text_training(
    folder: Path, *, base: Path, hyperparameters: Mapping[str, JsonValue] | None = None, **facts: Any
) -> TrainingTask:
    """Describe a training of six steps in two epochs."""
    small: dict[str, JsonValue] = {
        "steps": 6,
        "epochs": 2,
        "batch": 2,
        "length": 64,
        "passes": 0,
        "rank": 4,
        "alpha": 8.0,
        "lr": 0.01,
        "answer": 8,
        "precision": "fp32",
    }
    usual: dict[str, Any] = {
        "parts": facts.get("parts") or written(folder / "parts", some_conversations()),
        "trigger": "hues",
        "title": "Hues",
        "author": "ada",
        "seed": 5,
        "sample_prompts": ("What is the colour?",),
    }
    return TrainingTask(
        folder=folder,
        architecture="causal_lm",
        base=str(base),
        recipe="llm_lora",
        hyperparameters=small | dict(hyperparameters or {}),
        **usual | facts,
    )
