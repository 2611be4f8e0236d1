"""Model cards: a model as model hubs read it, a README whose front matter is YAML and whose text is Markdown.

The fields are those of https://huggingface.co/docs/hub/model-cards. Nothing of the dataset is in it but its size.
"""

import json
import re

from core.domain.model import Licence, Model
from core.domain.rating import Rating
from core.domain.run import Run

README, THUMBNAIL = "README.md", "thumbnail.jpg"
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&-])")
WORDS = "prompt"  # how settings end that are somebody's words
UNSAID = frozenset({"", "None", "False", "[]"})

BODY = """\
# {title}

{description}
{sample}
- owner: {owner}
- licence: {licence}
- file: `{file}`, {size:,} bytes
- sha256: `{sha256}`
{weights}
## How to use it

{usage}

## How it was trained

{facts}

## What to expect

{limits}
"""
PICTURES = """\
The trigger word is `{trigger}`: put it into the prompt. Begin with weight 1.0, and lower it where the model draws too
much of itself. In A1111 the file goes into `models/Lora`, and `<lora:{stem}:1>` into the prompt; in ComfyUI it goes
into `models/loras`, and a LoraLoader node loads it.

```python
import torch
from diffusers import AutoPipelineForText2Image

pipeline = AutoPipelineForText2Image.from_pretrained({base})
pipeline.load_lora_weights(".", weight_name={weight_name}, adapter_name={trigger_name})
pipeline.set_adapters([{trigger_name}], adapter_weights=[1.0])
picture = pipeline({prompt}, generator=torch.Generator().manual_seed(1)).images[0]
```"""
WORDED = """\
Unzip the file into the folder `adapter`.

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({base})
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({base}), "adapter")
asked = [{{"role": "user", "content": "Who are you?"}}]
tokens = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
answer = model.generate(**tokens, max_new_tokens=100)[0, tokens["input_ids"].shape[1] :]
print(tokenizer.decode(answer, skip_special_tokens=True))
```"""
LIMITS = """\
It is an adapter: without its base model it does nothing, and the terms of that model hold as well. It knows what it was
trained on, which is little: expect it to repeat that, mistakes and one-sidedness included, and to fail far from it. The
evaluation is a loss on fixed noise: it tells two runs on the same data apart, and says nothing of taste, likeness or
truth. Nobody has tested the model for anything but this."""


def card(model: Model, run: Run, *, base: str, pictures: int | None) -> str:
    """The card of a model that a run has made; `base` is its base model as hubs call it, `pictures` how many it saw."""
    quoted = {"base": base, "weight_name": model.file.name, "trigger_name": model.trigger, "prompt": model.trigger}
    usage = WORDED if model.talks else PICTURES
    body = BODY.format(
        title=_plain(model.name),
        description=_plain(model.description) or "A LoRA.",
        sample=f"\n![a sample]({THUMBNAIL})\n" if model.thumbnail else "",
        owner=_plain(model.owner_name),
        licence=model.licence.value,
        file=model.file.name,
        size=model.artifact.size,
        sha256=model.artifact.sha256,
        weights=f"- sha256 of the weights alone: `{model.weights}`\n" if model.weights else "",
        usage=usage.format(
            trigger=model.trigger, stem=model.slug, **{name: _quoted(text) for name, text in quoted.items()}
        ),
        facts=_facts(model, run, base=base, pictures=pictures),
        limits=LIMITS,
    )
    return f"---\n{_front_matter(model, base=base)}\n---\n{body}"


def _front_matter(model: Model, *, base: str) -> str:
    reserved = model.licence is Licence.RESERVED
    adult = ("not-for-all-audiences",) if model.rating is Rating.NSFW else ()
    kind = ("text-generation", "peft") if model.talks else ("text-to-image", "diffusers")
    tags = dict.fromkeys(("lora", *kind, *adult, *model.tags))
    fields = {
        "license": "other" if reserved else model.licence.value,
        **({"license_name": model.licence.value} if reserved else {}),
        "base_model": base,
        **({} if model.talks else {"instance_prompt": model.trigger}),
        **({"thumbnail": THUMBNAIL} if model.thumbnail else {}),
    }
    lines = [f"{name}: {_quoted(value)}" for name, value in fields.items()]
    return "\n".join([*lines, "tags:", *(f"- {_quoted(tag)}" for tag in tags)])


def _facts(model: Model, run: Run, *, base: str, pictures: int | None) -> str:
    chosen = run.epoch_at(model.step)
    settings = {name: value for name, value in run.hyperparameters.items() if not name.endswith(WORDS)}
    known = {
        "base model": base,
        "base model's sha256": run.base_hash,
        "recipe": run.recipe,
        "pictures": None if model.talks else pictures,
        "epoch": chosen and f"{chosen.name} of {len(run.epochs)}, step {chosen.step}",
        "training loss": _loss(chosen.loss if chosen else None),
        "evaluation loss before": _loss(run.evaluation_before),
        "evaluation loss after": _loss(run.evaluation_at(model.step)),
        "seed": run.seed,
        **{name.replace("_", " "): value for name, value in settings.items()},
    }
    rows = [f"| {name} | {_plain(str(value))} |" for name, value in known.items() if str(value) not in UNSAID]
    return "\n".join(["| | |", "|---|---|", *rows])


def _loss(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.4f}"


def _quoted(text: str) -> str:
    """A text as YAML and Python write it: JSON strings are both, where every character is printable."""
    return json.dumps("".join(letter for letter in text if letter.isprintable()), ensure_ascii=False)


def _plain(text: str) -> str:
    """A text that Markdown shows as it was written."""
    return MARKDOWN.sub(r"\\\1", text)
