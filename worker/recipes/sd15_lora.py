"""LoRA training for models of the Stable Diffusion 1.5 family."""

from core.domain.recipes.sd15_lora import Hyperparameters
from worker.pipelines import lesson

train = lesson.training(Hyperparameters)
