"""Pictures to latents and captions to embeddings, once: both are kept in memory for a run and on disk between runs."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from core.domain.adaptation import PictureAdaptation
from worker.pipelines.base import Base
from worker.pipelines.buckets import GRAIN, bucket
from worker.pipelines.tasks import BadItem, TrainingItem

Tensors = dict[str, torch.Tensor]
Describe = Callable[[torch.Tensor], Tensors]  # [batch] numbers of captions → what the denoiser is told of them
Embed = Callable[[Tensors], Tensors]  # token numbers → the same


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The autoencoder's view of pictures of one size: a normal distribution each, fp32.

    `items` are their numbers, [n]; `mean` and `std` are [n, views, channels, height, width], the second view mirrored;
    `sizes` are [n, 6]: height and width as it was, top and left of the crop, height and width as it is.
    """

    items: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor
    sizes: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A picture in a size to train at: [1, 3, height, width] in -1…1, and its six numbers as in `Bucket.sizes`."""

    values: torch.Tensor
    sizes: tuple[int, ...]


def opened(picture: Path) -> Image.Image:
    """Return a picture in RGB, upright; transparent parts become white.

    Raises:
        BadItem: The file is no readable picture.
    """
    try:
        with Image.open(picture) as file:
            image = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BadItem(f"The picture {picture.name} cannot be read: {error}") from error
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def pixels(picture: Path, wish: PictureAdaptation, *, grain: int = GRAIN) -> Pixels:
    """Return a picture as it is trained on: scaled to fill its bucket, or a square, and cropped at the centre.

    Raises:
        BadItem: The file is no readable picture.
    """
    image = opened(picture)
    side = wish.resolution
    wide, high = bucket(*image.size, resolution=side, grain=grain) if wish.buckets else (side, side)
    scale = max(wide / image.width, high / image.height)
    crop = [round((scaled * scale - kept) / 2) for scaled, kept in ((image.height, high), (image.width, wide))]
    fitted = np.array(ImageOps.fit(image, (wide, high), method=Image.Resampling.LANCZOS))
    values = torch.from_numpy(fitted).permute(2, 0, 1)[None].float() / 127.5 - 1
    return Pixels(values=values, sizes=(image.height, image.width, *crop, high, wide))


@torch.no_grad()
def latents(
    base: Base, items: Sequence[TrainingItem], wish: PictureAdaptation, *, cache: Path | None
) -> tuple[Bucket, ...]:
    """Encode all pictures, or read them from the cache; those of one size make a bucket, small ones first.

    Raises:
        BadItem: A file is no readable picture.
    """
    how = f"{base.hash} {base.placement} {wish.resolution} {wish.buckets} {wish.flip}"

    def encode(picture: Path) -> Tensors:
        found = pixels(picture, wish, grain=base.grain)
        views = [found.values, found.values.flip(-1)] if wish.flip else [found.values]
        means, stds = zip(*(base.encoded(view) for view in views), strict=True)
        return {
            "mean": torch.cat(means),
            "std": torch.cat(stds),
            "sizes": torch.tensor(found.sizes, device=base.placement.device),
        }

    buckets: dict[tuple[int, ...], list[tuple[int, Tensors]]] = {}
    for number, item in enumerate(items):
        content = hashlib.sha256(item.picture.read_bytes()).hexdigest()
        entry = remembered(cache, f"{how} {content}", partial(encode, item.picture), device=base.placement.device)
        buckets.setdefault(tuple(entry["mean"].shape), []).append((number, entry))
    return tuple(
        Bucket(
            items=torch.tensor([number for number, _ in held]),
            **{name: torch.stack([entry[name] for _, entry in held]) for name in ("mean", "std", "sizes")},
        )
        for _, held in sorted(buckets.items())
    )


def embeddings(base: Base, captions: Sequence[str], embed: Embed, *, cache: Path | None) -> Describe:
    """Encode all captions with frozen text encoders, or read them from the cache; look them up by number."""

    @torch.no_grad()
    def encode(caption: str) -> Tensors:
        with base.placement.autocast():
            return {name: found.float() for name, found in embed(base.tokens([caption])).items()}

    table: dict[str, Tensors] = {}
    for caption in dict.fromkeys(captions):
        key = f"{base.hash} {base.placement} {caption}"
        table[caption] = remembered(cache, key, partial(encode, caption), device=base.placement.device)
    return _rows(table, captions)


def live_embeddings(base: Base, captions: Sequence[str], embed: Embed) -> Describe:
    """Encode captions anew at each call, for text encoders that learn."""
    tokens = _rows({caption: base.tokens([caption]) for caption in dict.fromkeys(captions)}, captions)
    return lambda numbers: embed(tokens(numbers))


def _rows(table: Mapping[str, Tensors], captions: Sequence[str]) -> Describe:
    """Look up a row per caption; those that are alike share theirs."""
    names = table[captions[0]].keys()
    kept = {name: torch.cat([entry[name] for entry in table.values()]) for name in names}
    places = {caption: place for place, caption in enumerate(table)}
    rows = torch.tensor([places[caption] for caption in captions], device=next(iter(kept.values())).device)
    return lambda numbers: {name: tensor[rows[numbers]] for name, tensor in kept.items()}


def remembered(cache: Path | None, key: str, compute: Callable[[], Tensors], *, device: str) -> Tensors:
    """Read an entry, or compute and write it; a damaged one is computed again."""
    if cache is None:
        return compute()
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"
    try:
        return load_file(path, device=device)
    except (FileNotFoundError, SafetensorError):
        found = compute()
    keep(path, save({name: tensor.contiguous() for name, tensor in found.items()}))
    return found


def keep(path: Path, content: bytes) -> None:
    """Write an entry of the cache, whole or not at all: several workers may share the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        part.write(content)
    Path(part.name).replace(path)
