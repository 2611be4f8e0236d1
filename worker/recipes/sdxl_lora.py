"""LoRA training for models of the Stable Diffusion XL family."""

from core.domain.recipes.sdxl_lora import Hyperparameters
from worker.pipelines import lesson

train = lesson.training(Hyperparameters)
