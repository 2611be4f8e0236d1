"""What a picture was made of, in one text that other programs read: A1111's infotext, kept in the PNG itself.

Source: AUTOMATIC1111/stable-diffusion-webui (`modules/processing.py`, `modules/infotext_utils.py`). Whoever gets the
picture reads the text, so it holds the prompt that was drawn, and of the models their names without their owners.
"""

import json
from dataclasses import dataclass

from worker.pipelines.tasks import Look

SHORT_MODEL_HASH, AUTO_V3 = 10, 12  # digits that programs show and look for
SPECIAL = frozenset(',:"\n')


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What drew: the base, its sampler, the program, and the hash of each adapter's content; hashes are whole."""

    model: str
    model_hash: str
    sampler: str
    adapter_hashes: tuple[str, ...]
    program: str


def infotext(prompt: str, negative: str, *, seed: int, look: Look, origin: Origin) -> str:
    """Return the prompt with a tag per adapter, the negative prompt if there is one, and a line of settings."""
    tags = [f"<lora:{adapter.name}:{adapter.weight:g}>" for adapter in look.adapters]
    hashes = [
        f"{adapter.name}: {content[:AUTO_V3]}"
        for adapter, content in zip(look.adapters, origin.adapter_hashes, strict=True)
    ]
    settings = {
        "Steps": str(look.steps),
        "Sampler": origin.sampler,
        "CFG scale": f"{look.guidance:g}",
        "Seed": str(seed),
        "Size": f"{look.width}x{look.height}",
        "Model hash": origin.model_hash[:SHORT_MODEL_HASH],
        "Model": origin.model,
        "Lora hashes": ", ".join(hashes),
        "Denoising strength": "" if look.strength is None else f"{look.strength / 100:g}",
        "Version": origin.program,
    }
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in settings.items() if value)
    return "\n".join([" ".join([prompt, *tags]), *([f"Negative prompt: {negative}"] if negative else []), line])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if SPECIAL & set(value) else value
