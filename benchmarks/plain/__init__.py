"""The loop of diffusers' own LoRA examples, without accelerate: what our training is measured against.

Sources: examples/text_to_image/train_text_to_image_lora.py and train_text_to_image_lora_sdxl.py of diffusers 0.42.
Pictures and captions are encoded at every step, the loss is read at every step, nothing is evaluated or sampled.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ATTENTION = ["to_k", "to_q", "to_v", "to_out.0"]

Batch = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What both sides train: pictures with captions on a base, with these hyper-parameters."""

    base: str
    pictures: tuple[tuple[Path, str], ...]
    steps: int
    batch: int
    resolution: int
    rank: int
    rate: float


@dataclass
class Marks:
    """When the loop began, when each of its steps ended, and when all was written."""

    loop: float = 0.0
    ticks: list[float] = field(default_factory=list)
    written: float = 0.0


def train(order: Order, folder: Path, *, xl: bool) -> Marks:
    """Train and write the adapter; importing and loading are part of what is measured."""
    import torch  # noqa: PLC0415 - importing is part of a cold start
    from diffusers import DiffusionPipeline  # noqa: PLC0415 - the same
    from diffusers.optimization import get_scheduler  # noqa: PLC0415 - the same
    from peft import LoraConfig, get_peft_model_state_dict  # noqa: PLC0415 - the same

    device = "cuda" if torch.cuda.is_available() else "cpu"
    narrow = torch.bfloat16 if device == "cuda" else torch.float32
    torch.set_num_threads(1 if device == "cpu" else torch.get_num_threads())  # what is so small is slower with more
    pipeline = DiffusionPipeline.from_pretrained(order.base, dtype=torch.float32, local_files_only=True)
    for name, module in pipeline.components.items():
        if isinstance(module, torch.nn.Module):
            module.requires_grad_(requires_grad=False)
            module.to(device, torch.float32 if name == "vae" and xl else narrow)
    pipeline.unet.add_adapter(
        LoraConfig(r=order.rank, lora_alpha=order.rank, init_lora_weights="gaussian", target_modules=ATTENTION)
    )
    parameters = [parameter for parameter in pipeline.unet.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.data = parameter.data.float()
    optimizer = torch.optim.AdamW(parameters, lr=order.rate, weight_decay=1e-2)
    rates, loader = get_scheduler("constant", optimizer=optimizer), batches(order, pipeline, xl=xl)
    marks, train_loss = Marks(loop=time.perf_counter()), 0.0
    pipeline.unet.train()
    for batch in itertools.islice(itertools.chain.from_iterable(itertools.repeat(loader)), order.steps):
        with torch.autocast(device, dtype=narrow, enabled=device == "cuda"):
            loss = denoised(pipeline, batch, device=device, xl=xl)
        train_loss += loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        marks.ticks.append(time.perf_counter())
    pipeline.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(pipeline.unet))
    marks.written = time.perf_counter()
    return marks


def denoised(pipeline: Any, batch: Batch, *, device: str, xl: bool) -> Any:
    """Return the loss of a batch."""
    import torch  # noqa: PLC0415 - as above
    from diffusers import DDPMScheduler  # noqa: PLC0415 - as above

    levels = DDPMScheduler.from_config(pipeline.scheduler.config)
    vae = pipeline.vae
    latents = vae.encode(batch["pixels"].to(device, vae.dtype)).latent_dist.sample() * vae.config.scaling_factor
    noise = torch.randn_like(latents)
    timesteps = torch.randint(0, levels.config.num_train_timesteps, (len(latents),), device=device)
    told: dict[str, Any] = {}
    if xl:
        encoders = (pipeline.text_encoder, pipeline.text_encoder_2)
        said = [
            encoder(batch[name].to(device), output_hidden_states=True)
            for encoder, name in zip(encoders, ("ids", "ids_2"), strict=True)
        ]
        text = torch.cat([one.hidden_states[-2] for one in said], dim=-1)
        told = {"added_cond_kwargs": {"text_embeds": said[1][0], "time_ids": batch["sizes"].to(device)}}
    else:
        text = pipeline.text_encoder(batch["ids"].to(device), return_dict=False)[0]
    noised = levels.add_noise(latents, noise, timesteps)
    predicted = pipeline.unet(noised, timesteps, text, return_dict=False, **told)[0]
    velocity = levels.config.prediction_type == "v_prediction"
    target = levels.get_velocity(latents, noise, timesteps) if velocity else noise
    return torch.nn.functional.mse_loss(predicted.float(), target.float())


def batches(order: Order, pipeline: Any, *, xl: bool) -> Iterable[Batch]:
    """Return the shuffled batches, each picture read and each caption cut into tokens whenever its turn comes."""
    import torch  # noqa: PLC0415 - as above

    tokenizers: Sequence[tuple[str, Callable[..., Any]]] = [("ids", pipeline.tokenizer)]
    if xl:
        tokenizers = [*tokenizers, ("ids_2", pipeline.tokenizer_2)]

    class Pictures(torch.utils.data.Dataset[Batch]):
        def __len__(self) -> int:
            return len(order.pictures)

        def __getitem__(self, number: int) -> Batch:
            path, caption = order.pictures[number]
            return example(path, caption, tokenizers, side=order.resolution)

    return torch.utils.data.DataLoader(Pictures(), shuffle=True, batch_size=order.batch)


def example(path: Path, caption: str, tokenizers: Sequence[tuple[str, Callable[..., Any]]], *, side: int) -> Batch:
    """Return one picture with its caption."""
    import numpy as np  # noqa: PLC0415 - as above
    import torch  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above

    with Image.open(path) as opened:
        picture = np.array(opened.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
    how = {"max_length": 77, "padding": "max_length", "truncation": True, "return_tensors": "pt"}
    return {
        "pixels": torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1,
        "sizes": torch.tensor([side, side, 0, 0, side, side]),
        **{name: tokenizer(caption, **how).input_ids[0] for name, tokenizer in tokenizers},
    }
