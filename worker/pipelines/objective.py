"""What a denoiser is trained on: noise put onto latents at random levels, and the loss of predicting it."""

import torch
from diffusers import DDPMScheduler

from worker.pipelines.base import Base
from worker.pipelines.encoding import Describe, Latents

LEVELS = 8  # noise levels of the fixed evaluation
EVALUATED = 16  # items of the fixed evaluation, at most
NOISE_SEED = 271_828  # of the fixed evaluation: never drawn in training, whose seeds are hashes


def snr_weights(alphas: torch.Tensor, *, prediction: str, gamma: float) -> torch.Tensor:
    """Return the weight of each sample's squared error: Min-SNR (Hang et al., 2023, arXiv:2303.09556).

    Args:
        alphas: [batch] shares of signal (cumulative), 0…1. At 0, the end of a schedule with zero terminal SNR, the
            weight is the limit, never a division by zero.
        prediction: `epsilon` or `v_prediction`.
        gamma: Cap of the signal-to-noise ratio; 0 weighs all levels alike.
    """
    if gamma == 0:
        return torch.ones_like(alphas)
    snr = alphas / (1 - alphas)
    if prediction == "epsilon":
        return (gamma / snr).clamp(max=1.0)
    return snr.clamp(max=gamma) / (snr + 1)


def loss(
    base: Base,
    scheduler: DDPMScheduler,
    *,
    latents: torch.Tensor,
    noise: torch.Tensor,
    timesteps: torch.Tensor,
    text: torch.Tensor,
    gamma: float = 0,
) -> torch.Tensor:
    """Return the mean weighted denoising loss of a batch, a scalar in fp32.

    Args:
        base: Whose UNet predicts.
        scheduler: The base's noise schedule.
        latents: [batch, channels, height, width].
        noise: The same shape.
        timesteps: [batch], integers.
        text: [batch, tokens, width].
        gamma: See `snr_weights`.
    """
    prediction = str(scheduler.config.prediction_type)
    target = noise if prediction == "epsilon" else scheduler.get_velocity(latents, noise, timesteps)
    noised = scheduler.add_noise(latents, noise, timesteps)
    predicted: torch.Tensor = base.pipeline.unet(noised, timesteps, text).sample
    errors = (predicted.float() - target).square().mean(dim=(1, 2, 3))
    alphas = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    return (errors * snr_weights(alphas, prediction=prediction, gamma=gamma)).mean()


@torch.no_grad()
def evaluate(base: Base, latents: Latents, describe: Describe, *, batch: int) -> float:
    """Return the denoising loss on fixed noise at fixed levels, the same for every adapter of one base and data set."""
    scheduler = base.noise_scheduler()
    count = min(EVALUATED, len(latents.mean))
    levels = torch.linspace(0.02, 0.98, LEVELS) * scheduler.config.num_train_timesteps
    noise = torch.randn((LEVELS, *latents.mean[:count].shape), generator=torch.Generator().manual_seed(NOISE_SEED))
    device, losses = base.placement.device, []
    for level, drawn in zip(levels.long().tolist(), noise.to(device), strict=True):
        for numbers in torch.arange(count, device=device).split(batch):
            with base.placement.autocast():
                found = loss(
                    base,
                    scheduler,
                    latents=latents.mean[numbers],
                    noise=drawn[numbers],
                    timesteps=torch.full_like(numbers, level),
                    text=describe(numbers),
                )
            losses.append(found * len(numbers))
    return float(torch.stack(losses).sum() / (count * LEVELS))
