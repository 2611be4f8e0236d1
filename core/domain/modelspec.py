"""What a published file says of itself: ModelSpec's fields (Stability-AI/ModelSpec 1.0.1) beside those of its training.

The training's own `ss_*` fields (kohya-ss/sd-scripts) stay, apart from those that would tell of the dataset.
"""

import base64
from collections.abc import Mapping

from core.domain.model import Model

VERSION = "1.0.1"
PRIVATE = frozenset(
    {"ss_tag_frequency", "ss_dataset_dirs", "ss_reg_dataset_dirs", "ss_datasets", "ss_bucket_info", "ss_session_id"}
)  # what kohya's scripts write of captions and folders


def told(known: Mapping[str, str], model: Model, *, thumbnail: bytes | None) -> Mapping[str, str]:
    """The metadata of a model's file, made from those it has; `thumbnail` is a JPEG. All is text, and nothing empty.

    Said twice it is the same.
    """
    picture = base64.b64encode(thumbnail).decode() if thumbnail else ""
    spec = {
        "sai_model_spec": VERSION,
        "title": model.slug,
        "author": model.owner_name,
        "description": model.description,
        "date": model.created_at.isoformat(timespec="seconds"),
        "license": model.licence.value,
        "tags": ", ".join(model.tags),
        "usage_hint": f"Use {model.trigger} in the prompt.",
        "trigger_phrase": model.trigger,
        "thumbnail": f"data:image/jpeg;base64,{picture}" if picture else "",
    }
    kept = {name: text for name, text in known.items() if name not in PRIVATE}
    said = {f"modelspec.{name}": text for name, text in spec.items()} | {"ss_output_name": model.slug}
    return {name: text for name, text in {**kept, **said}.items() if text}
