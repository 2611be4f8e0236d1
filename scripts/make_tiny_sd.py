"""Makes the tiny base model that ships with the demo: Stable Diffusion 1.5's shape, trained on drawn pictures alone.

Run as `python -m scripts.make_tiny_sd`.

Three phases, each resumable: `vae` learns to draw shapes from latents, `unet` learns to make latents from captions,
`export` writes the pipeline. What makes so small a model train: one group in the autoencoder's norms (more erase
colour), zero-initialised residual branches, a near-certain first posterior, an average of the weights (EMA), and
v-prediction with zero terminal SNR (Lin et al., 2023, arXiv:2305.08891).
"""

import argparse
import gzip
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.resnet import ResnetBlock2D
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from scripts.shapes import any_shape, captioned_shape

SIZE = 64  # pixels
WIDTH = 64  # of the text encoder
PICTURES = 4096
MERGES = 2000  # of CLIP's 48,894 byte pairs
DROPPED = 0.1  # share of captions left out, for guidance
EMA = 0.999
ATTENTION_ENDS = ("to_out.0", "ff.net.2", "conv_out")
NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long to train: in this call, and over all calls of the phase (which shapes the learning rate)."""

    now: float
    total: float


def learn(
    modules: list[torch.nn.Module], state: Path, *, budget: Budget, lr: float, loss_of: Callable[[], torch.Tensor]
) -> None:
    """Train for a while, go on from a state file if there is one, and leave the averaged weights in the modules."""
    parameters = [parameter for module in modules for parameter in module.parameters()]
    averages = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    step, used = 0, 0.0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        torch._foreach_copy_([parameter.data for parameter in parameters], saved["parameters"])
        optimizer.load_state_dict(saved["optimizer"])
        averages, step, used = saved["averages"], saved["step"], saved["used"]
    began, losses = time.monotonic(), []
    while (elapsed := time.monotonic() - began) < budget.now and used + elapsed < budget.total:
        done = (used + elapsed) / budget.total
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1, (step + 1) / 100) * max(0.01, (1 + math.cos(math.pi * done)) / 2)
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        losses.append(loss.detach())
        kept = min(EMA, step / (step + 10))
        torch._foreach_lerp_(averages, [parameter.detach() for parameter in parameters], 1 - kept)
        if step % 100 == 0:
            print(f"step {step}  {used + elapsed:.0f} s  loss {torch.stack(losses[-100:]).mean():.4f}", flush=True)
    now = {"parameters": [parameter.detach() for parameter in parameters], "averages": averages}
    used += time.monotonic() - began
    torch.save(now | {"optimizer": optimizer.state_dict(), "step": step, "used": used}, state)
    torch._foreach_copy_([parameter.data for parameter in parameters], averages)
    print(f"{state.name}: {step} steps in {used:.0f} s")


def pixels(pictures: list[np.ndarray]) -> torch.Tensor:
    """Return pictures as [count, 3, side, side] in -1…1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def new_vae() -> AutoencoderKL:
    """Return an autoencoder with 4 channels at an eighth of the side, ready to train."""
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 64),
        latent_channels=4,
        norm_num_groups=1,
        sample_size=SIZE,
        mid_block_add_attention=False,
    )
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -6.0  # log-variances
    quieten(vae, ends=())
    return vae


def new_unet() -> UNet2DConditionModel:
    """Return a denoiser for 8 x 8 latents, ready to train."""
    unet = UNet2DConditionModel(
        sample_size=SIZE // 8,
        layers_per_block=1,
        block_out_channels=(32, 64, 64, 64),
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
    )
    quieten(unet, ends=ATTENTION_ENDS)
    return unet


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Return a two-layer CLIP text encoder for the tokenizer, ready to train."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH * 4,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


@torch.no_grad()
def quieten(model: torch.nn.Module, *, ends: tuple[str, ...]) -> None:
    """Zero the last layer of each residual branch, so that a fresh model starts as a simple one."""
    for name, module in model.named_modules():
        last = module.conv2 if isinstance(module, ResnetBlock2D) else module if name.endswith(ends or ("\0",)) else None
        if last is not None:
            for parameter in last.parameters():
                parameter.zero_()


def tokenizer_from(source: Path) -> CLIPTokenizer:
    """Read a tokenizer's folder, or make one from CLIP's `bpe_simple_vocab_16e6.txt.gz`, cut to the first merges."""
    if source.is_dir():
        return CLIPTokenizer.from_pretrained(source)
    with gzip.open(source, "rt", encoding="utf-8") as file:
        merges = [tuple(line.split()) for line in file.read().split("\n")[1 : MERGES + 1]]
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [chr(256 + number) for number in range(256 - len(printable))]
    letters = [chr(code) for code in printable] + others
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {word: number for number, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


def train_vae(work: Path, *, start: Path | None, budget: Budget, batch: int) -> None:
    """Train the autoencoder and save it with the factor that gives its latents unit variance."""
    rng = random.Random(2)  # noqa: S311 - pictures, not secrets
    data = pixels([np.asarray(any_shape(rng, size=SIZE)) for _ in range(PICTURES)])
    vae = AutoencoderKL.from_pretrained(start / "vae").float() if start else new_vae()

    def loss_of() -> torch.Tensor:
        wanted = data[torch.randint(len(data), (batch,))]
        posterior = vae.encode(wanted).latent_dist
        drawn = vae.decode(posterior.sample()).sample
        divergence: torch.Tensor = posterior.kl().mean() / wanted[0].numel()
        return functional.mse_loss(drawn, wanted) + 0.2 * functional.l1_loss(drawn, wanted) + 1e-4 * divergence

    learn([vae], work / "vae.pt", budget=budget, lr=2e-3, loss_of=loss_of)
    vae.register_to_config(scaling_factor=1 / posteriors(vae, data[:1024])[0].std().item())
    vae.save_pretrained(work / "vae")


@torch.no_grad()
def posteriors(vae: AutoencoderKL, data: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return means and deviations of the pictures' latents, unscaled."""
    found = [vae.encode(chunk).latent_dist for chunk in data.split(64)]
    return torch.cat([each.mean for each in found]), torch.cat([each.std for each in found])


def train_unet(work: Path, *, start: Path | None, tokenizer: CLIPTokenizer, budget: Budget, batch: int) -> None:
    """Train denoiser and text encoder together on the autoencoder's latents, and save both."""
    rng = random.Random(1)  # noqa: S311 - pictures, not secrets
    pictures, captions = zip(*(captioned_shape(rng, size=SIZE) for _ in range(PICTURES)), strict=True)
    vae = AutoencoderKL.from_pretrained(work / "vae").eval()
    mean, std = (part * vae.config.scaling_factor for part in posteriors(vae, pixels([*map(np.asarray, pictures)])))
    ids = tokenizer([*captions, ""], padding="max_length", max_length=77, return_tensors="pt").input_ids
    unet = UNet2DConditionModel.from_pretrained(start / "unet").float() if start else new_unet()
    text_encoder = (
        CLIPTextModel.from_pretrained(start / "text_encoder").float() if start else new_text_encoder(tokenizer)
    )
    noise_levels = DDPMScheduler(**NOISE)

    def loss_of() -> torch.Tensor:
        chosen = torch.randint(PICTURES, (batch,))
        latents = mean[chosen] + std[chosen] * torch.randn_like(std[chosen])
        noise, levels = torch.randn_like(latents), torch.randint(1000, (batch,))
        text = text_encoder(ids[chosen.masked_fill(torch.rand(batch) < DROPPED, PICTURES)])[0]
        predicted = unet(noise_levels.add_noise(latents, noise, levels), levels, text).sample
        return functional.mse_loss(predicted, noise_levels.get_velocity(latents, noise, levels))

    learn([unet, text_encoder], work / "unet.pt", budget=budget, lr=1.5e-3, loss_of=loss_of)
    unet.save_pretrained(work / "unet")
    text_encoder.save_pretrained(work / "text_encoder")


def export(work: Path, *, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Write the whole pipeline in fp16."""
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(work / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(work / "text_encoder"),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel.from_pretrained(work / "unet"),
        scheduler=DDIMScheduler(set_alpha_to_one=False, steps_offset=1, **NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(torch.float16).save_pretrained(folder)
    print(f"wrote {folder}, {sum(path.stat().st_size for path in folder.rglob('*')) / 1e6:.1f} MB")


def main() -> None:
    """Run one phase."""
    shipped = Path(__file__).parents[1] / "worker" / "bases" / "tiny-sd"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phase", choices=["vae", "unet", "export"])
    parser.add_argument("work", type=Path, help="folder for what is between the phases")
    parser.add_argument("--seconds", type=float, default=300, help="train so long now (default: %(default)s)")
    parser.add_argument("--total", type=float, help="train so long over all calls (default: as --seconds)")
    parser.add_argument(
        "--start", type=Path, help="begin a phase with the weights of this base (default: from nothing)"
    )
    parser.add_argument("--batch", type=int, help="pictures per step (default: 8 for vae, 32 for unet)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    parser.add_argument(
        "--vocabulary",
        type=Path,
        default=shipped / "tokenizer",
        help="CLIP's bpe_simple_vocab_16e6.txt.gz, or a tokenizer's folder (default: the shipped one)",
    )
    parser.add_argument("--folder", type=Path, default=shipped, help="where export writes (default: the shipped base)")
    wish = parser.parse_args()
    torch.manual_seed(time.time_ns())  # a resumed phase must not see the same batches again
    torch.set_num_threads(wish.threads)
    wish.work.mkdir(parents=True, exist_ok=True)
    budget = Budget(now=wish.seconds, total=wish.total or wish.seconds)
    match wish.phase:
        case "vae":
            train_vae(wish.work, start=wish.start, budget=budget, batch=wish.batch or 8)
        case "unet":
            tokenizer = tokenizer_from(wish.vocabulary)
            train_unet(wish.work, start=wish.start, tokenizer=tokenizer, budget=budget, batch=wish.batch or 32)
        case _:
            export(wish.work, tokenizer=tokenizer_from(wish.vocabulary), folder=wish.folder)


if __name__ == "__main__":
    main()
