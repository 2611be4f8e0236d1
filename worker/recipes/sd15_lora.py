"""LoRA training for models of the Stable Diffusion 1.5 family: encode once, then steps that only touch the UNet.

Pictures are resized by their shorter side and cropped at the centre; there are no aspect buckets yet.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import torch
from diffusers import DDPMScheduler

from core.domain.recipes.sd15_lora import Hyperparameters, Precision, Targets
from worker.channel import Channel
from worker.pipelines import checkpoints, course, encoding, kohya, lora, objective, sampling
from worker.pipelines.base import Base
from worker.pipelines.checkpoints import LoopState, RunIdentity
from worker.pipelines.encoding import Describe, Latents
from worker.pipelines.journal import Journal
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import Checkpointed, EpochEnded, Look, Stopped, Trained, TrainingTask

DTYPES = {Precision.FP16: torch.float16, Precision.FP32: torch.float32}
UNGRADED = 4  # times as many items fit in memory where no gradients are kept
SAMPLE_SEED = 1  # the same for every run, so that pictures can be compared


def train(task: TrainingTask, channel: Channel, *, base: Base) -> Trained | Stopped:
    """Train one adapter; see `TrainingTask` for what goes in and `worker.pipelines.tasks` for what comes out.

    Raises:
        TaskFailed: An item or the checkpoint is unusable, or the loss is no number.
        pydantic.ValidationError: The hyper-parameters do not fit the recipe.
    """
    wish = Hyperparameters.model_validate(task.hyperparameters)
    latents = encoding.latents(base, task.items, resolution=wish.resolution, cache=task.cache)
    captions = [*(item.caption for item in task.items), ""]  # the last stands in for captions that are left out
    frozen = encoding.embeddings(base, captions, cache=task.cache)
    evaluation_before = objective.evaluate(base, latents, frozen, batch=UNGRADED * wish.batch)
    before = _samples(base, task, wish, stem="before")
    with lora.attached(base, _targets(wish), rank=wish.rank, alpha=wish.alpha, seed=task.seed) as modules:
        describe = encoding.live_embeddings(base, captions) if "text_encoder" in modules else frozen
        loop = Loop(
            task=task, channel=channel, base=base, wish=wish, modules=modules, latents=latents, describe=describe
        )
        if task.checkpoint is not None:
            _resume(loop, task.checkpoint)
        last = _run(loop)
        if isinstance(last, Stopped):
            return last
        return Trained(
            artifact=last.artifact,
            step=last.step,
            base_hash=base.hash,
            evaluation_before=evaluation_before,
            evaluation_after=objective.evaluate(base, latents, describe, batch=UNGRADED * wish.batch),
            before=before,
            after=last.samples,
        )


@dataclass(kw_only=True)
class Loop:
    """Everything that the steps of one run share, and the number of steps done."""

    task: TrainingTask
    channel: Channel
    base: Base
    wish: Hyperparameters
    modules: lora.Modules
    latents: Latents
    describe: Describe
    step: int = 0
    started: float = field(default_factory=time.time)
    scheduler: DDPMScheduler = field(init=False)
    parameters: list[torch.nn.Parameter] = field(init=False)
    optimizer: torch.optim.AdamW = field(init=False)
    scaler: torch.amp.GradScaler = field(init=False)
    journal: Journal = field(init=False)
    identity: RunIdentity = field(init=False)

    def __post_init__(self) -> None:
        """Build what follows from the rest."""
        wish, place = self.wish, self.base.placement
        rates = {"unet": wish.unet_lr, "text_encoder": wish.text_encoder_lr}
        groups = [
            {"params": lora.trainable(module), "lr": rates[part], "initial_lr": rates[part]}
            for part, module in self.modules.items()
        ]
        self.scheduler = self.base.noise_scheduler()
        self.parameters = [parameter for module in self.modules.values() for parameter in lora.trainable(module)]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=wish.weight_decay, fused=True)
        self.scaler = torch.amp.GradScaler(place.device, enabled=place.dtype is torch.float16)
        self.journal = Journal(self.channel, total=wish.steps)
        self.identity = RunIdentity(
            recipe=self.task.recipe,
            base_hash=self.base.hash,
            seed=self.task.seed,
            items=len(self.task.items),
            hyperparameters=wish.model_dump(mode="json"),
        )


def _run(loop: Loop) -> EpochEnded | Stopped:
    """Go on until the last epoch ends, or until the parent asks to stop."""
    saved_at = time.monotonic()
    ends = course.epoch_ends(loop.wish.steps, epochs=loop.wish.epochs)
    while True:
        loss, lr = _step(loop)
        loop.step += 1
        loop.journal.note(loop.step, loss, lr=lr)
        if loop.step in ends:
            ended = _end_epoch(loop, ends.index(loop.step) + 1)
            if loop.step == loop.wish.steps:
                return ended
        if loop.channel.stopping():
            return Stopped(checkpoint=_checkpoint(loop), step=loop.step)
        if time.monotonic() - saved_at >= loop.task.checkpoint_every:
            _checkpoint(loop)
            saved_at = time.monotonic()


def _step(loop: Loop) -> tuple[torch.Tensor, float]:
    """Do one optimizer step; return its loss, still on the device, and the UNet's learning rate."""
    wish = loop.wish
    share = course.lr_share(loop.step, total=wish.steps, warmup=wish.warmup, schedule=wish.schedule)
    for group in loop.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * share
    drawn = course.draw(
        loop.step,
        loop.latents,
        seed=loop.task.seed,
        batch=wish.batch,
        timesteps=loop.scheduler.config.num_train_timesteps,
        caption_dropout=wish.caption_dropout,
    )
    with loop.base.placement.autocast():
        loss = objective.loss(
            loop.base,
            loop.scheduler,
            latents=drawn.latents,
            noise=drawn.noise,
            timesteps=drawn.timesteps,
            text=loop.describe(drawn.captions),
            gamma=wish.min_snr_gamma,
        )
    loop.scaler.scale(loss).backward()
    loop.scaler.unscale_(loop.optimizer)
    torch.nn.utils.clip_grad_norm_(loop.parameters, wish.max_grad_norm)
    loop.scaler.step(loop.optimizer)
    loop.scaler.update()
    loop.optimizer.zero_grad()
    return loss, wish.unet_lr * share


def _end_epoch(loop: Loop, number: int) -> EpochEnded:
    """Export the adapter, make samples, and announce both."""
    ends = (0, *course.epoch_ends(loop.wish.steps, epochs=loop.wish.epochs))
    loss = loop.journal.mean_of(ends[number] - ends[number - 1])
    adapter = kohya.tensors(lora.weights(loop.modules), alpha=loop.wish.alpha, dtype=DTYPES[loop.wish.precision])
    artifact = loop.task.folder / f"epoch-{number:02}.safetensors"
    kohya.write(artifact, adapter, _metadata(loop, number))
    samples = _samples(loop.base, loop.task, loop.wish, stem=f"epoch-{number:02}")
    ended = EpochEnded(number=number, step=loop.step, loss=loss, artifact=artifact, samples=samples)
    loop.channel.send(ended)
    return ended


def _samples(base: Base, task: TrainingTask, wish: Hyperparameters, *, stem: str) -> tuple[Path, ...]:
    look = Look(
        architecture=task.architecture,
        base=task.base,
        steps=wish.sample_steps,
        guidance=wish.sample_guidance,
        width=wish.resolution,
        height=wish.resolution,
    )
    shots = [Shot(prompt=prompt, seed=SAMPLE_SEED + n) for n, prompt in enumerate(task.sample_prompts)]
    return sampling.save(sampling.pictures(base, shots, look), task.folder / "samples", stem=stem)


def _targets(wish: Hyperparameters) -> dict[str, tuple[str, ...]]:
    unet = {"unet": lora.UNET_ALL if wish.targets is Targets.ALL else lora.UNET_ATTENTION}
    return unet | ({"text_encoder": lora.TEXT_ENCODER} if wish.text_encoder_lr > 0 else {})


def _checkpoint(loop: Loop) -> Path:
    """Save the loop's state and announce it."""
    loop.journal.flush()
    tensors = {
        f"adapter.{part}.{name}": tensor
        for part, layers in lora.weights(loop.modules).items()
        for name, tensor in layers.items()
    }
    for number, parameter in enumerate(loop.parameters):
        for name, tensor in loop.optimizer.state[parameter].items():
            tensors[f"optimizer.{number}.{name}"] = tensor
    state = LoopState(
        identity=loop.identity, step=loop.step, loss_sum=loop.journal.loss_sum, scale=loop.scaler.state_dict()
    )
    path = checkpoints.write(loop.task.folder / "checkpoints", state, tensors)
    loop.channel.send(Checkpointed(path=path, step=loop.step))
    return path


def _resume(loop: Loop, checkpoint: Path) -> None:
    """Set the loop to where a checkpoint of the same run left it."""
    state, tensors = checkpoints.read(checkpoint, loop.identity)
    weights: lora.Weights = {part: {} for part in loop.modules}
    for key, tensor in tensors.items():
        kind, owner, name = key.split(".", 2)
        if kind == "adapter":
            weights[owner][name] = tensor
        else:
            parameter = loop.parameters[int(owner)]
            loop.optimizer.state[parameter][name] = tensor.to(parameter.device)
    lora.restore(loop.modules, weights)
    loop.scaler.load_state_dict(state.scale)
    loop.journal.loss_sum = state.loss_sum
    loop.step = state.step


def _metadata(loop: Loop, number: int) -> dict[str, object]:
    """Return what the artifact says about itself; captions stay private."""
    task, wish = loop.task, loop.wish
    velocity = loop.scheduler.config.prediction_type == "v_prediction"
    now = datetime.now(UTC)
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": task.title,
        "modelspec.author": task.author,
        "modelspec.date": now.isoformat(timespec="seconds"),
        "modelspec.resolution": f"{wish.resolution}x{wish.resolution}",
        "modelspec.trigger_phrase": task.trigger,
        "modelspec.usage_hint": f"Use {task.trigger} in the prompt." if task.trigger else None,
        "modelspec.prediction_type": "v" if velocity else "epsilon",
        "ss_v2": False,
        "ss_base_model_version": "sd_v1_v" if velocity else "sd_v1",
        "ss_sd_model_name": loop.base.title,
        "ss_sd_model_hash": loop.base.hash,
        "ss_network_module": "networks.lora",
        "ss_network_dim": wish.rank,
        "ss_network_alpha": wish.alpha,
        "ss_output_name": task.title,
        "ss_num_train_images": len(task.items),
        "ss_num_epochs": wish.epochs,
        "ss_epoch": number,
        "ss_steps": loop.step,
        "ss_max_train_steps": wish.steps,
        "ss_unet_lr": wish.unet_lr,
        "ss_text_encoder_lr": wish.text_encoder_lr or None,
        "ss_optimizer": "torch.optim.AdamW",
        "ss_lr_scheduler": wish.schedule.value,
        "ss_min_snr_gamma": wish.min_snr_gamma,
        "ss_caption_dropout_rate": wish.caption_dropout,
        "ss_resolution": f"({wish.resolution}, {wish.resolution})",
        "ss_seed": task.seed,
        "ss_training_started_at": loop.started,
        "ss_training_finished_at": now.timestamp(),
    }
