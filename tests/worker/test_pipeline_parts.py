"""The pure parts of training: course, loss weights, encoding, placement, failures."""

import itertools
import math
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.domain.adaptation import PictureAdaptation, Schedule
from core.domain.recipes.sd15_lora import Hyperparameters
from tests.builders.bases import a_base, some_items
from worker.architectures.sd15 import PARTS, embed, load
from worker.bases import base_location
from worker.pipelines import course, encoding
from worker.pipelines.base import Base, folder_hash
from worker.pipelines.buckets import bucket, grid
from worker.pipelines.objective import snr_weights
from worker.pipelines.placement import LANES, SMALL, WIDE, Placement, lanes, threads

CPU = Placement(device="cpu", dtype=torch.float32)
SQUARE = PictureAdaptation(resolution=64, buckets=False)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return load(str(a_base(tmp_path_factory.mktemp("base"))), CPU)


@given(seed=st.integers(), batch=st.integers(1, 9), items=st.integers(1, 20))
def test_every_pass_takes_every_item_once(seed: int, batch: int, items: int) -> None:
    steps = math.ceil(3 * items / batch)
    taken = [item for step in range(steps) for item in course.order(step, seed=seed, batch=batch, items=items)]
    passes = [sorted(taken[first : first + items]) for first in range(0, 3 * items, items)]
    assert passes == [list(range(items))] * 3


@given(steps=st.integers(1, 20_000), epochs=st.integers(1, 50))
def test_epochs_share_the_steps_evenly(steps: int, epochs: int) -> None:
    epochs = min(epochs, steps)
    ends = (0, *course.epoch_ends(steps, epochs=epochs))
    lengths = {end - start for start, end in itertools.pairwise(ends)}
    assert ends[-1] == steps
    assert lengths <= {steps // epochs, steps // epochs + 1}


@given(total=st.integers(1, 500), warmup=st.floats(0, 0.5), schedule=st.sampled_from(Schedule), data=st.data())
def test_the_learning_rate_rises_then_never_again(
    total: int, warmup: float, schedule: Schedule, data: st.DataObject
) -> None:
    step = data.draw(st.integers(0, total - 1))
    shares = [course.lr_share(at, total=total, warmup=warmup, schedule=schedule) for at in (step, step + 1)]
    assert 0 < shares[0] <= 1
    assert (shares[1] > shares[0]) if step + 1 < round(warmup * total) else (shares[1] <= shares[0])


def test_a_cosine_ends_near_nothing_and_passes_the_middle_at_half() -> None:
    shares = [course.lr_share(step, total=100, warmup=0, schedule=Schedule.COSINE) for step in (0, 50, 100)]
    assert shares == pytest.approx([1, 0.5, 0])


@given(alpha=st.floats(0, 0.9999), gamma=st.floats(0.1, 20))
def test_min_snr_weights_follow_the_paper_and_never_blow_up(alpha: float, gamma: float) -> None:
    snr = alpha / (1 - alpha)
    alphas = torch.tensor([alpha], dtype=torch.float64)
    epsilon = snr_weights(alphas, prediction="epsilon", gamma=gamma).item()
    velocity = snr_weights(alphas, prediction="v_prediction", gamma=gamma).item()
    assert epsilon == pytest.approx(min(snr, gamma) / snr if snr else 1.0)
    assert velocity == pytest.approx(min(snr, gamma) / (snr + 1))


def a_bucket(*items: int, side: int = 2) -> encoding.Bucket:
    numbers = torch.tensor(items)
    mean = numbers[:, None, None, None, None].float().expand(-1, 1, 4, side, side)
    return encoding.Bucket(
        items=numbers, mean=mean, std=torch.zeros_like(mean), sizes=torch.zeros(len(items), 6, dtype=torch.long)
    )


@given(seed=st.integers(), batch=st.integers(1, 5), sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_items_of_all_buckets_are_seen_equally_often(seed: int, batch: int, sizes: list[int]) -> None:
    ends = list(itertools.accumulate(sizes, initial=0))
    buckets = [a_bucket(*range(*ends[place : place + 2]), side=place + 1) for place in range(len(sizes))]
    seen: list[float] = []
    for step in range(sum(sizes)):
        latents = course.draw(step, buckets, seed=seed, examples=batch).latents
        assert len(latents) == batch
        seen += latents[:, 0, 0, 0].tolist()
    assert sorted(seen) == sorted([*range(sum(sizes))] * batch)


def test_the_parts_of_a_draw_are_the_draw_and_so_are_the_shares() -> None:
    drawn = course.draw(3, [a_bucket(0, 1, 2)], seed=1, examples=6)
    assert torch.equal(torch.cat([part.noise for part in drawn.split(4)]), drawn.noise)
    shares = [drawn.share(rank, 2) for rank in range(2)]
    assert torch.equal(torch.stack([share.chance for share in shares], dim=1).flatten(), drawn.chance)


@given(width=st.integers(16, 5000), height=st.integers(16, 5000), resolution=st.sampled_from([64, 512, 768, 1024]))
def test_a_bucket_never_enlarges_a_picture_and_keeps_most_of_it(width: int, height: int, resolution: int) -> None:
    wide, high = bucket(width, height, resolution=resolution)
    step = grid(resolution)
    assert wide * high <= resolution**2
    assert (wide % step, high % step) == (0, 0)
    if min(width, height) >= step:
        assert (wide <= width, high <= height) == (True, True)
    if 0.5 <= width / height <= 2 and min(width, height) >= 16 * step:
        scale = max(wide / width, high / height)
        assert wide * high / (width * height * scale**2) > 0.8


def test_a_draw_is_a_function_of_seed_and_step() -> None:
    def drawn(step: int, seed: int) -> course.Draw:
        return course.draw(step, [a_bucket(0, 1, 2, 3, 4)], seed=seed, examples=4, caption_dropout=0.5)

    assert torch.equal(drawn(3, 1).noise, drawn(3, 1).noise)
    assert not torch.equal(drawn(3, 1).noise, drawn(4, 1).noise)
    assert not torch.equal(drawn(3, 1).noise, drawn(3, 2).noise)
    captions = torch.cat([drawn(step, 1).captions for step in range(200)])
    assert (captions == 5).float().mean().item() == pytest.approx(0.5, abs=0.06)


def test_the_cache_gives_what_encoding_gives_and_heals(base: Base, tmp_path: Path) -> None:
    items, cache = some_items(tmp_path / "items"), tmp_path / "cache"
    (fresh,) = encoding.latents(base, items, SQUARE, cache=None)

    def cached() -> tuple[encoding.Bucket, ...]:
        return encoding.latents(base, items, SQUARE, cache=cache)

    assert torch.equal(cached()[0].mean, fresh.mean)
    entries = sorted(cache.iterdir())
    assert len(entries) == len(items)
    entries[0].write_bytes(b"cut")
    for item in items[1:]:
        item.picture.write_bytes(items[0].picture.read_bytes())
    (again,) = cached()
    assert torch.equal(again.mean[0], fresh.mean[0])
    assert torch.equal(again.mean[1], fresh.mean[0])
    assert sorted(cache.iterdir()) == entries


def test_captions_are_found_by_number_with_and_without_cache(base: Base, tmp_path: Path) -> None:
    captions = ["zorp", "a red circle", "zorp", ""]
    numbers = torch.tensor([3, 0, 1])
    live = encoding.live_embeddings(base, captions, partial(embed, base))(numbers)
    for cache in (None, tmp_path, tmp_path):
        found = encoding.embeddings(base, captions, partial(embed, base), cache=cache)(numbers)
        torch.testing.assert_close(found, live)


def test_pixels_are_cropped_at_the_centre_and_scaled(tmp_path: Path) -> None:
    item = some_items(tmp_path, count=1)[0]
    found = encoding.pixels(item.picture, SQUARE)
    assert found.values.shape == (1, 3, 64, 64)
    assert found.sizes == (64, 70, 0, 3, 64, 64)
    expected = torch.tensor([0, 40, 200]) / 127.5 - 1
    torch.testing.assert_close(found.values, expected[None, :, None, None].expand_as(found.values))


def test_a_base_is_known_by_its_content_not_its_place(tmp_path: Path) -> None:
    here, there = a_base(tmp_path / "here"), a_base(tmp_path / "there")
    assert folder_hash(here, parts=PARTS) == folder_hash(there, parts=PARTS)
    config = there / "unet" / "config.json"
    config.write_text(config.read_text().replace("8", "9", 1))
    assert folder_hash(here, parts=PARTS) != folder_hash(there, parts=PARTS)


def test_a_shipped_base_is_found_and_others_are_left_alone() -> None:
    assert (Path(base_location("package:tiny-sd")) / "model_index.json").is_file()
    assert base_location("package:../../etc") == base_location("package:etc")
    assert base_location("owner/model") == "owner/model"
    assert base_location("~/model") == str(Path.home() / "model")


@pytest.mark.parametrize(
    ("cuda", "bf16", "device", "dtype"),
    [
        (False, False, "cpu", torch.float32),
        (True, True, "cuda", torch.bfloat16),
        (True, False, "cuda", torch.float16),
    ],
)
def test_the_device_decides_the_number_format(*, cuda: bool, bf16: bool, device: str, dtype: torch.dtype) -> None:
    assert Placement.best(cuda=cuda, bf16=bf16) == Placement(device=device, dtype=dtype)


def test_small_models_get_one_thread() -> None:
    assert [threads(count, cores=8) for count in (SMALL - 1, SMALL)] == [1, 8]


def test_pictures_are_made_side_by_side_where_that_costs_little() -> None:
    sizes = [(SMALL - 1, 0), (SMALL, 0), (SMALL, WIDE - 1), (SMALL, WIDE)]
    assert [lanes(count, multiprocessors=width) for count, width in sizes] == [LANES, 1, 1, LANES]


def test_more_epochs_than_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="more epochs than steps"):
        Hyperparameters(steps=3, epochs=4)
