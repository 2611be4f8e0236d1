"""Language models that write on, token by token: any that transformers knows by itself, with its tokenizer."""

import os
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from core.domain.adaptation import Targets
from worker.bases import base_location
from worker.pipelines.base import TextBase, folder_hash
from worker.pipelines.placement import Placement, threads
from worker.pipelines.tasks import BaseMissing

FILES = ("*.json", "*.jinja", "*.safetensors", "*.txt")
OTHERS = ("*/*", "consolidated*")  # the same weights again, in other formats
ATTENTION = ("attn", "attention")  # of which names of layers speak


def load(name: str, placement: Placement) -> TextBase:
    """Load a base from a folder as transformers writes it or from a model hub; safetensors only, and no code.

    Raises:
        BaseMissing: There is no such base, it is of another architecture, or its tokenizer is none of `tokenizers`.
    """
    location = base_location(name)
    try:
        folder = Path(location)
        if not folder.is_dir():
            folder = Path(snapshot_download(location, allow_patterns=list(FILES), ignore_patterns=list(OTHERS)))
        local = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **local)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=placement.dtype, use_safetensors=True, **local)
    except (OSError, ValueError, SafetensorError) as error:
        raise BaseMissing(
            f"The base model {name!r} cannot be loaded. Set the `location` of the offering's base to a folder as "
            f"transformers writes it (config.json, tokenizer.json, …; safetensors) or to a model hub's id this machine "
            f"can reach. The loader says: {error}"
        ) from error
    if not tokenizer.is_fast:
        raise BaseMissing(
            f"The base model {name!r} has no tokenizer.json, which tells where an answer begins and ends."
        )
    model.to(placement.device).requires_grad_(requires_grad=False).eval()
    torch.set_num_threads(threads(model.num_parameters(), cores=os.cpu_count() or 1))
    return TextBase(
        name=name,
        hash=folder_hash(folder, parts=(".",)),
        architecture="causal_lm",
        placement=placement,
        model=model,
        tokenizer=tokenizer,
    )


def targets(model: PreTrainedModel, which: Targets) -> list[str]:
    """Name the linear layers that an adapter changes: those of attention, or all but what chooses the next token."""
    output = model.get_output_embeddings()
    linear = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and module is not output
        and (which is Targets.ALL or any(word in name for word in ATTENTION))
    ]
    return sorted({name.rsplit(".", 1)[-1] for name in linear})
