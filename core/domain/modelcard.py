"""Model cards: a model as model hubs read it, a README whose front matter is YAML and whose text is Markdown.

The fields are those of https://huggingface.co/docs/hub/model-cards. Nothing of the dataset is in it but its size.
"""

import json
import re

from core.domain.model import Licence, Model
from core.domain.rating import Rating
from core.domain.run import Run

README = "README.md"
FACTS = ("steps", "batch", "resolution", "rank", "alpha")  # of the hyper-parameters
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&-])")

BODY = """\
# {title}

{description}

- owner: {owner}
- licence: {licence}
- file: `{file}`, sha256 `{sha256}`

## How to use it

The trigger word is `{trigger}`: put it into the prompt. Begin with weight 1.0, and lower it where the model draws too
much of itself. In A1111 and ComfyUI the file goes into `models/Lora` or `models/loras`.

```python
import torch
from diffusers import AutoPipelineForText2Image

pipeline = AutoPipelineForText2Image.from_pretrained({base})
pipeline.load_lora_weights(".", weight_name={weight_name}, adapter_name={trigger_name})
pipeline.set_adapters([{trigger_name}], adapter_weights=[1.0])
picture = pipeline({prompt}, generator=torch.Generator().manual_seed(1)).images[0]
```

## How it was trained

{facts}
"""


def card(model: Model, run: Run, *, base: str, pictures: int | None) -> str:
    """The card of a model that a run has made; `base` is its base model as hubs call it, `pictures` how many it saw."""
    quoted = {"base": base, "weight_name": model.file.name, "trigger_name": model.trigger, "prompt": model.trigger}
    body = BODY.format(
        title=_plain(model.name),
        description=_plain(model.description) or "A LoRA.",
        owner=_plain(model.owner_name),
        licence=model.licence.value,
        file=model.file.name,
        sha256=model.artifact.sha256,
        trigger=model.trigger,
        facts=_facts(run, base=base, pictures=pictures),
        **{name: _quoted(text) for name, text in quoted.items()},
    )
    return f"---\n{_front_matter(model, base=base)}\n---\n{body}"


def _front_matter(model: Model, *, base: str) -> str:
    reserved = model.licence is Licence.RESERVED
    adult = ("not-for-all-audiences",) if model.rating is Rating.NSFW else ()
    tags = dict.fromkeys(("lora", "text-to-image", "diffusers", *adult, *model.tags))
    fields = {
        "license": "other" if reserved else model.licence.value,
        **({"license_name": model.licence.value} if reserved else {}),
        "base_model": base,
        "instance_prompt": model.trigger,
    }
    lines = [f"{name}: {_quoted(value)}" for name, value in fields.items()]
    return "\n".join([*lines, "tags:", *(f"- {_quoted(tag)}" for tag in tags)])


def _facts(run: Run, *, base: str, pictures: int | None) -> str:
    known = {
        "base model": base,
        "pictures": pictures,
        "epochs": len(run.epochs),
        **{name: run.hyperparameters.get(name) for name in FACTS},
        "evaluation loss before": run.evaluation_before and f"{run.evaluation_before:.4f}",
        "evaluation loss after": run.evaluation_after and f"{run.evaluation_after:.4f}",
    }
    rows = [f"| {name} | {_plain(str(value))} |" for name, value in known.items() if value]
    return "\n".join(["| | |", "|---|---|", *rows])


def _quoted(text: str) -> str:
    """A text as YAML and Python write it: JSON strings are both, where every character is printable."""
    return json.dumps("".join(letter for letter in text if letter.isprintable()), ensure_ascii=False)


def _plain(text: str) -> str:
    """A text that Markdown shows as it was written."""
    return MARKDOWN.sub(r"\\\1", text)
