"""What a denoiser is trained on: noise put onto latents at random levels, and the loss of predicting it."""

from collections.abc import Callable, Sequence

import torch

from worker import architectures
from worker.pipelines.base import Base
from worker.pipelines.encoding import Bucket, Describe

LEVELS = 8  # noise levels of the fixed evaluation
EVALUATED = 16  # items of the fixed evaluation, at most
NOISE_SEED = 271_828  # of the fixed evaluation: never drawn in training, whose seeds are hashes

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # noised latents and levels → what the model answers


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


def denoising(
    base: Base,
    predict: Predict,
    *,
    latents: torch.Tensor,
    noise: torch.Tensor,
    chance: torch.Tensor,
    gamma: float = 0.0,
) -> torch.Tensor:
    """Return the weighted squared error of predicting noise or velocity (Ho et al., 2020, arXiv:2006.11239).

    Args:
        base: Whose schedule of noise levels it is.
        predict: The denoiser, told everything but the noised latents and the timesteps, [batch] integers.
        latents: [batch, channels, height, width].
        noise: The same shape.
        chance: [batch] in 0…1; chooses the timesteps evenly.
        gamma: See `snr_weights`.

    Returns:
        [batch] in fp32.
    """
    scheduler = base.levels
    prediction = str(scheduler.config.prediction_type)
    timesteps = (chance * scheduler.config.num_train_timesteps).long()
    target = noise if prediction == "epsilon" else scheduler.get_velocity(latents, noise, timesteps)
    predicted = predict(scheduler.add_noise(latents, noise, timesteps), timesteps)
    errors = (predicted.float() - target).square().mean(dim=(1, 2, 3))
    return errors * snr_weights(scheduler.alphas_cumprod[timesteps], prediction=prediction, gamma=gamma)


def logit_normal(chance: torch.Tensor, *, mean: float, std: float) -> torch.Tensor:
    """Return noise levels, 0…1, whose logits are normal (Esser et al., 2024, arXiv:2403.03206), from even chance."""
    return torch.sigmoid(mean + std * torch.special.ndtri(chance))


def flowing(predict: Predict, *, latents: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """Return the squared error of predicting the way from latents to noise (Liu et al., 2022, arXiv:2209.03003).

    Args:
        predict: The denoiser, told everything but the noised latents and their levels.
        latents: [batch, channels, height, width].
        noise: The same shape.
        sigmas: [batch] shares of noise, 0…1.

    Returns:
        [batch] in fp32.
    """
    share = sigmas[:, None, None, None]
    predicted = predict((1 - share) * latents + share * noise, sigmas)
    return (predicted.float() - (noise - latents)).square().mean(dim=(1, 2, 3))


@torch.no_grad()
def evaluate(base: Base, buckets: Sequence[Bucket], describe: Describe, *, batch: int, variants: int = 1) -> float:
    """Return the loss on fixed noise at fixed levels, the same for every adapter of one base and data set.

    `describe` takes numbers of captions, of which every item has `variants`; the first of each is what counts.
    """
    device, errors = base.placement.device, architectures.named(base.architecture).errors
    luck, left, losses = torch.Generator().manual_seed(NOISE_SEED), EVALUATED, []
    levels = torch.linspace(0.02, 0.98, LEVELS, device=device)
    for bucket in buckets:
        count = min(left, len(bucket.items))
        left -= count
        if not count:
            break
        noise = torch.randn((LEVELS, count, *bucket.mean.shape[2:]), generator=luck).to(device)
        for places in torch.arange(LEVELS * count, device=device).split(batch):
            rows = places % count
            with base.placement.autocast():
                found = errors(
                    base,
                    latents=bucket.mean[rows, 0],
                    noise=noise.flatten(0, 1)[places],
                    chance=levels[places // count],
                    text=describe(bucket.items.to(device)[rows] * variants),
                    sizes=bucket.sizes.to(device)[rows],
                )
            losses.append(found)
    return float(torch.cat(losses).mean())
