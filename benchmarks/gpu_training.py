"""The same comparison as `benchmarks.training`, on full-size architectures with random weights, where a GPU is at hand.

Run as `python -m benchmarks.gpu_training [--architecture sd15|sdxl]`; random weights take as long as trained ones.
Without a GPU it says so and ends; `--tiny` measures toy-sized architectures wherever it runs.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import plain
from benchmarks.training import measured_apart, ours, table, theirs
from worker.bases import base_location

PICTURES, RANK, RATE = 20, 16, 1e-4
SIZES = {"sd15": 512, "sdxl": 1024}
BATCHES = {"sd15": 4, "sdxl": 1}


def clip(width: int, layers: int, *, heads: int, act: str, tokenizer: Any, projected: bool) -> Any:
    """Return a text encoder with random weights."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection  # noqa: PLC0415 - heavy

    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=width * 4,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        hidden_act=act,
        projection_dim=width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)


def autoencoder(width: int) -> Any:
    """Return the autoencoder of both architectures with random weights; the first width is 128 in full size."""
    from diffusers import AutoencoderKL  # noqa: PLC0415 - heavy

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(width, 2 * width, 4 * width, 4 * width),
        layers_per_block=2,
        norm_num_groups=min(32, width),
    )


def sd15(folder: Path, *, tiny: bool) -> None:
    """Write Stable Diffusion 1.5 with random weights."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel  # noqa: PLC0415 - heavy
    from transformers import CLIPTokenizer  # noqa: PLC0415 - heavy

    tokenizer = CLIPTokenizer.from_pretrained(Path(base_location("package:tiny-sd")) / "tokenizer")
    width, channel = (64, 32) if tiny else (768, 320)
    StableDiffusionPipeline(
        vae=autoencoder(8 if tiny else 128),
        text_encoder=clip(
            width, 2 if tiny else 12, heads=width // 64, act="quick_gelu", tokenizer=tokenizer, projected=False
        ),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(channel, 2 * channel, 4 * channel, 4 * channel),
            cross_attention_dim=width,
            attention_head_dim=8,
        ),
        scheduler=DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def sdxl(folder: Path, *, tiny: bool) -> None:
    """Write Stable Diffusion XL with random weights."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel  # noqa: PLC0415 - heavy
    from transformers import CLIPTokenizer  # noqa: PLC0415 - heavy

    tokenizer = CLIPTokenizer.from_pretrained(Path(base_location("package:tiny-sd")) / "tokenizer")
    narrow, wide, channel, depth = (64, 128, 32, 1) if tiny else (768, 1280, 320, 10)
    StableDiffusionXLPipeline(
        vae=autoencoder(8 if tiny else 128),
        text_encoder=clip(
            narrow, 2 if tiny else 12, heads=narrow // 64, act="quick_gelu", tokenizer=tokenizer, projected=False
        ),
        text_encoder_2=clip(wide, 2 if tiny else 32, heads=wide // 64, act="gelu", tokenizer=tokenizer, projected=True),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=128,
            block_out_channels=(channel, 2 * channel, 4 * channel),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, depth),
            attention_head_dim=(5, 10, 20) if not tiny else (2, 4, 8),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=6 * 256 + wide,
            cross_attention_dim=narrow + wide,
        ),
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        add_watermarker=False,
    ).save_pretrained(folder)


def pictures(folder: Path, *, side: int) -> list[str]:
    """Write noisy pictures to learn from."""
    import numpy as np  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above

    folder.mkdir()
    luck = np.random.default_rng(0)
    for number in range(PICTURES):
        Image.fromarray(luck.integers(0, 255, (side, side, 3), dtype=np.uint8)).save(folder / f"{number:02}.png")
    return [str(path) for path in sorted(folder.glob("*.png"))]


def main() -> None:
    """Measure both sides in turn, and print medians and ratios."""
    import torch  # noqa: PLC0415 - heavy

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=sorted(SIZES), action="append", help="default: both")
    parser.add_argument("--steps", type=int, default=100, help="steps of each training (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each side (default: %(default)s)")
    parser.add_argument("--tiny", action="store_true", help="measure toy-sized architectures, with or without a GPU")
    parser.add_argument("--side", choices=["ours", "plain"], help="measure this side here and print JSON")
    parser.add_argument("--folder", type=Path, help="where base and pictures of a side lie")
    wish = parser.parse_args()
    if not (wish.tiny or torch.cuda.is_available()):
        print("There is no GPU here; nothing is measured. With --tiny toy-sized architectures are.")
        return
    for architecture in wish.architecture or sorted(SIZES):
        side = 64 if wish.tiny else SIZES[architecture]
        if wish.side:
            order = plain.Order(
                base=str(wish.folder / "base"),
                pictures=tuple(
                    (path, f"zorp {path.stem}") for path in sorted((wish.folder / "pictures").glob("*.png"))
                ),
                steps=wish.steps,
                batch=BATCHES[architecture],
                resolution=side,
                rank=RANK,
                rate=RATE,
            )
            measure = {"ours": ours, "plain": theirs}[wish.side]
            print(json.dumps(measure(wish.folder, order, architecture=architecture)))
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            {"sd15": sd15, "sdxl": sdxl}[architecture](folder / "base", tiny=wish.tiny)
            pictures(folder / "pictures", side=side)
            words = ["benchmarks.gpu_training", "--architecture", architecture, "--steps", str(wish.steps)]
            words += ["--folder", name, *(["--tiny"] if wish.tiny else [])]
            rounds = [measured_apart(*words, "--side", one) for _ in range(wish.rounds) for one in ("plain", "ours")]
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
        print(f"{architecture}: {wish.steps} steps of batch {BATCHES[architecture]} at {side} px on {device}")
        print(table(rounds))
        steps = [1 / one["ours, warm"]["step"] for one in rounds if "ours, warm" in one]
        print(f"ours: {max(steps):.2f} steps/s")


if __name__ == "__main__":
    main()
