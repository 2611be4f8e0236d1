"""LoRA training for language models, on the assistant's turns of conversations."""

from worker.pipelines.textlesson import train

__all__ = ["train"]
