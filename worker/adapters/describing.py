"""What the describing child does: keep one image-to-text model of transformers and say what is on a picture."""

from pathlib import Path
from typing import Any

from PIL import Image

from core.domain.value import Value
from worker.channel import Channel

PROMPT = "Describe this picture in short phrases, separated by commas: pose, clothing, surroundings, light, style."
TOKENS = 80  # of a description, at most


class DescribingTask(Value):
    """Describe a picture with the model in a folder or of a hub id; without a picture, only load it."""

    model: str
    picture: Path | None = None


class Described(Value):
    """What the model said; nothing of no picture."""

    text: str


class Describing:
    """The object that a describing child holds: one model, loaded when the first task comes."""

    def __init__(self) -> None:
        self._loaded: Model | None = None

    def describe(self, task: DescribingTask, channel: Channel) -> Described:  # noqa: ARG002 - every task has one
        """Say what is on a picture, the same words each time."""
        self._loaded = self._loaded or Model(task.model)
        return Described(text=self._loaded.said(task.picture) if task.picture else "")


class Model:
    """An image-to-text model on the best device of this machine: safetensors only, and no code that came with it."""

    def __init__(self, name: str) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: PLC0415 - only the child pays
        from transformers.utils import logging  # noqa: PLC0415 - as above

        from worker.pipelines.placement import Placement  # noqa: PLC0415 - as above

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._place = Placement.of_this_machine()
        own: dict[str, Any] = {"trust_remote_code": False, "local_files_only": Path(name).is_dir()}
        self._processor: Any = AutoProcessor.from_pretrained(name, **own)
        model: Any = AutoModelForImageTextToText.from_pretrained(
            name, use_safetensors=True, dtype=self._place.dtype, **own
        )
        self._model = model.to(self._place.device).eval()

    def said(self, picture: Path) -> str:
        """Return what the model says of a picture, without sampling."""
        with Image.open(picture) as opened:
            asked = self._asked(opened.convert("RGB"))
        said = self._model.generate(**asked, do_sample=False, max_new_tokens=TOKENS)
        echoed = 0 if self._model.config.is_encoder_decoder or "input_ids" not in asked else asked["input_ids"].shape[1]
        text: str = self._processor.batch_decode(said[:, echoed:], skip_special_tokens=True)[0]
        return text

    def _asked(self, picture: Image.Image) -> dict[str, Any]:
        """What the model is given: a chat where it holds chats, else the picture alone."""
        if getattr(self._processor, "chat_template", None):
            content = [{"type": "image", "image": picture}, {"type": "text", "text": PROMPT}]
            given = self._processor.apply_chat_template(
                [{"role": "user", "content": content}],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        else:
            given = self._processor(images=picture, return_tensors="pt")
        device, dtype = self._place.device, self._place.dtype
        return {
            name: tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)
            for name, tensor in given.items()
        }
