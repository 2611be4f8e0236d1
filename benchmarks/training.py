"""Compares a training with the plain loop of diffusers' text-to-image LoRA example: same base, pictures, steps.

Run as `python -m benchmarks.training`. Each measurement is a process of its own; times are in seconds, memory in MiB.
The plain loop encodes pictures and captions at every step, reads the loss at every step and makes no evaluation;
ours caches, reads rarely, and evaluates before and after. Neither makes samples.
"""

import argparse
import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from core.domain.value import Value
from worker.bases import base_location
from worker.pipelines.tasks import TrainingItem, TrainingTask

PICTURES = Path(__file__).parents[1] / "loraguild" / "demo" / "pictures"
RANK, RATE, RESOLUTION, BATCH = 16, 1e-3, 64, 4
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]

Measurement = dict[str, float]


class Stopwatch:
    """A channel that notes when each step ended: `stopping` is asked once a step."""

    def __init__(self) -> None:
        """Start with no steps."""
        self.ticks: list[float] = []

    def send(self, event: Value) -> None:
        """Ignore what is reported."""

    def stopping(self) -> bool:
        """Note the time and let the training go on."""
        self.ticks.append(time.perf_counter())
        return False


def ours(folder: Path, *, steps: int) -> dict[str, Measurement]:
    """Train twice in this process: with everything cold, then with a warm base and cache."""
    measured: dict[str, Measurement] = {}
    began = time.perf_counter()
    from worker.pipelines.studio import Studio  # noqa: PLC0415 - importing torch is part of a cold start

    studio = Studio()
    task = TrainingTask(
        folder=folder,
        architecture="sd15",
        base="package:tiny-sd",
        recipe="sd15_lora",
        hyperparameters={
            "steps": steps,
            "epochs": 1,
            "batch": BATCH,
            "resolution": RESOLUTION,
            "rank": RANK,
            "alpha": RANK,
            "unet_lr": RATE,
            "schedule": "constant",
            "warmup": 0,
            "caption_dropout": 0,
            "min_snr_gamma": 0,
            "precision": "fp32",
        },
        items=tuple(TrainingItem(picture=path, caption=f"zorp {path.stem}") for path in sorted(PICTURES.glob("*.png"))),
        trigger="zorp",
        title="zorp",
        author="benchmark",
        seed=0,
        cache=folder / "cache",
    )
    for name in ("ours, cold", "ours, warm"):
        watch = Stopwatch()
        studio.train(task, watch)
        measured[name] = measurement(began, watch.ticks)
        began = time.perf_counter()
    return measured


def plain(folder: Path, *, steps: int) -> dict[str, Measurement]:
    """Do what diffusers' examples/text_to_image/train_text_to_image_lora.py does, without accelerate."""
    began = time.perf_counter()
    import torch  # noqa: PLC0415 - importing is part of a cold start
    from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel  # noqa: PLC0415
    from diffusers.optimization import get_scheduler  # noqa: PLC0415 - the same
    from peft import LoraConfig, get_peft_model_state_dict  # noqa: PLC0415 - the same
    from transformers import CLIPTextModel, CLIPTokenizer  # noqa: PLC0415 - the same

    torch.set_num_threads(1)
    base = base_location("package:tiny-sd")
    levels = DDPMScheduler.from_pretrained(base, subfolder="scheduler")
    loader = plain_loader(CLIPTokenizer.from_pretrained(base, subfolder="tokenizer"))
    text_encoder = CLIPTextModel.from_pretrained(base, subfolder="text_encoder", dtype=torch.float32)
    vae = AutoencoderKL.from_pretrained(base, subfolder="vae", dtype=torch.float32)
    unet = UNet2DConditionModel.from_pretrained(base, subfolder="unet", dtype=torch.float32)
    for module in (text_encoder, vae, unet):
        module.requires_grad_(requires_grad=False)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights="gaussian", target_modules=ATTENTION))
    parameters = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=1e-2)
    rates, ticks, train_loss = get_scheduler("constant", optimizer=optimizer), list[float](), 0.0
    unet.train()
    for batch in itertools.islice(itertools.chain.from_iterable(itertools.repeat(loader)), steps):
        latents = vae.encode(batch["pixels"]).latent_dist.sample() * vae.config.scaling_factor
        noise = torch.randn_like(latents)
        timesteps = torch.randint(0, levels.config.num_train_timesteps, (len(latents),))
        text = text_encoder(batch["ids"], return_dict=False)[0]
        predicted = unet(levels.add_noise(latents, noise, timesteps), timesteps, text, return_dict=False)[0]
        loss = torch.nn.functional.mse_loss(predicted.float(), levels.get_velocity(latents, noise, timesteps).float())
        train_loss += loss.item()
        loss.backward()
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        ticks.append(time.perf_counter())
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(unet))
    return {"plain": measurement(began, ticks)}


def plain_loader(tokenizer: Callable[..., Any]) -> Iterable[dict[str, Any]]:
    """Return the shuffled batches, each picture read and each caption cut into tokens whenever its turn comes."""
    import numpy as np  # noqa: PLC0415 - importing is part of a cold start
    import torch  # noqa: PLC0415 - the same
    from PIL import Image  # noqa: PLC0415 - the same

    def example(path: Path) -> dict[str, torch.Tensor]:
        with Image.open(path) as opened:
            picture = np.array(opened.convert("RGB").resize((RESOLUTION, RESOLUTION), Image.Resampling.LANCZOS))
        ids = tokenizer(
            f"zorp {path.stem}", max_length=77, padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids[0]
        return {"pixels": torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1, "ids": ids}

    class Pictures(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
        def __init__(self) -> None:
            self.paths = sorted(PICTURES.glob("*.png"))

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
            return example(self.paths[number])

    return torch.utils.data.DataLoader(Pictures(), shuffle=True, batch_size=BATCH)


def measurement(began: float, ticks: list[float]) -> Measurement:
    """Return the whole time, the median time of a step and the process's peak memory so far."""
    spans = [after - before for before, after in itertools.pairwise(ticks)]
    return {
        "whole": time.perf_counter() - began,
        "step": statistics.median(spans),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measured_apart(side: str, *, steps: int) -> dict[str, Measurement]:
    """Measure one side in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.training", "--side", side, "--steps", str(steps)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found: dict[str, Measurement] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure both sides in turn, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=120, help="steps of each training (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side (default: %(default)s)")
    parser.add_argument("--side", choices=["ours", "plain"], help="measure this side here and print JSON")
    wish = parser.parse_args()
    if wish.side is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"ours": ours, "plain": plain}[wish.side](Path(folder), steps=wish.steps)))
        return
    rounds = [measured_apart(side, steps=wish.steps) for _ in range(wish.rounds) for side in ("plain", "ours")]
    medians = {
        name: {
            figure: statistics.median(found[name][figure] for found in rounds if name in found)
            for figure in ("whole", "step", "memory")
        }
        for name in ("plain", "ours, cold", "ours, warm")
    }
    reference = medians["plain"]
    print(f"{wish.steps} steps of batch {BATCH} at {RESOLUTION} px, medians of {wish.rounds}")
    for name, found in medians.items():
        ratios = {figure: found[figure] / reference[figure] for figure in found}
        print(
            f"{name:12} step {found['step'] * 1000:6.1f} ms ({ratios['step']:.2f})   "
            f"end to end {found['whole']:6.1f} s ({ratios['whole']:.2f})   "
            f"peak {found['memory']:6.0f} MiB ({ratios['memory']:.2f})"
        )


if __name__ == "__main__":
    main()
