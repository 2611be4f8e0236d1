"""What an exported adapter says about its training, in the words of ModelSpec and kohya; captions stay private."""

from datetime import UTC, datetime

from core.domain.adaptation import PictureAdaptation
from worker.pipelines.base import Base
from worker.pipelines.tasks import TrainingTask


def metadata(
    task: TrainingTask, wish: PictureAdaptation, base: Base, *, epoch: int, step: int, optimizer: str, started: datetime
) -> dict[str, object]:
    """Return the metadata that adapters of all architectures have."""
    now = datetime.now(UTC)
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.implementation": "diffusers",
        "modelspec.title": task.title,
        "modelspec.author": task.author,
        "modelspec.date": now.isoformat(timespec="seconds"),
        "modelspec.resolution": f"{wish.resolution}x{wish.resolution}",
        "modelspec.trigger_phrase": task.trigger,
        "modelspec.usage_hint": f"Use {task.trigger} in the prompt." if task.trigger else None,
        "ss_sd_model_name": base.title,
        "ss_sd_model_hash": base.hash,
        "ss_network_module": "networks.lora",
        "ss_network_dim": wish.rank,
        "ss_network_alpha": wish.alpha,
        "ss_network_dropout": wish.dropout or None,
        "ss_output_name": task.title,
        "ss_num_train_images": len(task.items),
        "ss_num_epochs": wish.epochs + len(wish.extra),
        "ss_epoch": epoch,
        "ss_steps": step,
        "ss_max_train_steps": wish.total,
        "ss_batch_size_per_device": wish.batch,
        "ss_gradient_accumulation_steps": wish.accumulation,
        "ss_learning_rate": wish.rates[base.denoiser],
        "ss_text_encoder_lr": wish.rates.get("text_encoder"),
        "ss_optimizer": optimizer,
        "ss_lr_scheduler": wish.schedule.value,
        "ss_lr_warmup_steps": round(wish.warmup * wish.total),
        "ss_caption_dropout_rate": wish.caption_dropout,
        "ss_noise_offset": wish.noise_offset or None,
        "ss_shuffle_caption": wish.shuffle,
        "ss_keep_tokens": wish.keep_tokens if wish.shuffle else None,
        "ss_enable_bucket": wish.buckets,
        "ss_bucket_no_upscale": wish.buckets,
        "ss_gradient_checkpointing": wish.checkpointing,
        "ss_resolution": f"({wish.resolution}, {wish.resolution})",
        "ss_seed": task.seed,
        "ss_training_started_at": started.timestamp(),
        "ss_training_finished_at": now.timestamp(),
    }
