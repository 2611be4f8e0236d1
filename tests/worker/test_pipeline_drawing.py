"""What a studio draws: the same picture in any company, variations, and files that say what they were made of."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from config.catalogue import offerings
from core.domain.errors import BadValue
from core.domain.recipes.sd15_lora import Hyperparameters
from tests.builders.bases import Line, a_base, a_drawing, a_generation, a_look
from worker import architectures
from worker.architectures.sd15 import exported, load, targets
from worker.pipelines import kohya, lora
from worker.pipelines.placement import LANES, Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import BadItem, BaseMissing, Drawing, Drawn, GenerationTask, Look, WeightedAdapter

CPU = Placement(device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


def a_task(look: Look, *drawings: Drawing) -> GenerationTask:
    return GenerationTask(look=look, drawings=drawings)


def made(studio: Studio, look: Look, *drawings: Drawing) -> list[list[bytes]]:
    """Draw, and return the files' content by drawing."""
    generated = studio.generate(a_task(look, *drawings), Line())
    return [[path.read_bytes() for path in paths] for paths in generated.pictures]


def test_a_picture_is_the_same_bytes_in_any_company(studio: Studio, base: Path, tmp_path: Path) -> None:
    look = a_look(base, width=128, height=128)
    wanted = [
        a_drawing(tmp_path / "a", count=1),
        a_drawing(tmp_path / "b", prompt="a red circle", negative="blue", seed=9, count=3),
        a_drawing(tmp_path / "c", seed=5, count=LANES + 1),
    ]
    alone = [made(studio, look, drawing)[0] for drawing in wanted]
    assert made(studio, look, *wanted) == alone
    assert made(studio, look, *reversed(wanted)) == alone[::-1]
    assert alone[0] == made(studio, look, wanted[2].but(seed=0))[0][3:4]
    assert len({picture for pictures in alone for picture in pictures}) == 9


def test_each_picture_is_announced_with_those_before_it(studio: Studio, base: Path, tmp_path: Path) -> None:
    line, drawings = Line(), (a_drawing(tmp_path / "a"), a_drawing(tmp_path / "b", count=1))
    generated = studio.generate(a_task(a_look(base), *drawings), line)
    (first, second), (other,) = generated.pictures
    assert [path.relative_to(tmp_path).as_posix() for path in (first, second, other)] == [
        "a/picture-01.png",
        "a/picture-02.png",
        "b/picture-01.png",
    ]
    assert line.events == [
        Drawn(drawing=0, pictures=(first,)),
        Drawn(drawing=0, pictures=(first, second)),
        Drawn(drawing=1, pictures=(other,)),
    ]


def distance(one: Path, other: Path) -> float:
    """Return how far the pixels of two pictures are apart on average."""
    with Image.open(one) as first, Image.open(other) as second:
        return float(np.abs(np.asarray(first, dtype=float) - np.asarray(second, dtype=float)).mean())


def test_the_more_of_a_picture_may_change_the_less_is_left_and_it_repeats(studio: Studio, tmp_path: Path) -> None:
    look = a_look(Path("package:tiny-sd"), steps=10)
    prompt = "a red circle on a white background"
    ((source,),) = studio.generate(a_task(look, a_drawing(tmp_path, prompt=prompt, seed=1, count=1)), Line()).pictures
    apart = []
    for strength in (1, 50, 100):
        drawing = a_drawing(tmp_path / f"{strength}", prompt=prompt, source=source)
        ((one, other),) = studio.generate(a_task(look.but(strength=strength), drawing), Line()).pictures
        (again,) = made(studio, look.but(strength=strength), drawing.but(folder=tmp_path, seed=4, count=1))
        assert again == [other.read_bytes()] != [one.read_bytes()]
        apart.append(distance(one, source))
    assert apart[0] < 5 < apart[1] < apart[2]


def test_a_variation_has_the_size_that_was_ordered(studio: Studio, base: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.new("RGBA", (100, 90), (255, 0, 0, 128)).save(source)
    made(studio, a_look(base, width=128, strength=1), a_drawing(tmp_path, source=source, count=1))
    with Image.open(tmp_path / "picture-01.png") as opened:
        assert opened.size == (128, 64)


def test_after_a_variation_pictures_are_what_they_were(studio: Studio, base: Path, tmp_path: Path) -> None:
    before = made(studio, a_look(base), a_drawing(tmp_path / "a"))
    source = tmp_path / "a" / "picture-01.png"
    varied = made(studio, a_look(base, strength=40), a_drawing(tmp_path / "b", source=source))
    assert made(studio, a_look(base), a_drawing(tmp_path / "a")) == before != varied


def test_a_picture_to_start_from_that_cannot_be_read_is_refused(studio: Studio, base: Path, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"junk")
    with pytest.raises(BadItem, match="The picture source cannot be read"):
        made(studio, a_look(base, strength=40), a_drawing(tmp_path, source=tmp_path / "source"))


def test_a_picture_says_what_it_was_made_of(studio: Studio, base: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "zorp.safetensors"
    loaded = load(str(base), CPU)
    wish = Hyperparameters(rank=2, alpha=2.0)
    with lora.attached(loaded, wish, targets(wish), seed=1) as modules:
        kohya.write(adapter, exported(lora.weights(modules), wish), {"ss_seed": 1})
    content = adapter.read_bytes()
    tensors = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
    look = a_look(base, adapters=(WeightedAdapter(artifact=adapter, name="zorp", weight=0.5),))
    drawing = a_drawing(tmp_path, prompt="ein Zörp 🦔", negative="目", seed=11)
    made(studio, look, drawing)
    for number in range(2):
        with Image.open(tmp_path / f"picture-0{number + 1}.png") as opened:
            assert opened.info == {
                "parameters": "ein Zörp 🦔 <lora:zorp:0.5>\nNegative prompt: 目\n"
                f"Steps: 2, Sampler: DDIM, CFG scale: 2, Seed: {11 + number}, Size: 64x64, "
                f"Model hash: {loaded.hash[:10]}, Model: {base.name}, "
                f'Lora hashes: "zorp: {tensors[:12]}", Version: loraguild 0.1.0'
            }


def test_a_studio_changes_its_base_and_back(studio: Studio, base: Path, tmp_path: Path) -> None:
    other = a_base(tmp_path / "other", prediction="v_prediction")
    first = made(studio, a_look(base), a_drawing(tmp_path))
    assert made(studio, a_look(other), a_drawing(tmp_path)) != first
    assert made(studio, a_look(base), a_drawing(tmp_path)) == first


def test_an_architecture_nobody_knows_is_refused_at_start_and_later(studio: Studio, base: Path, tmp_path: Path) -> None:
    architectures.require(one.base.architecture for one in offerings().values())
    with pytest.raises(BadValue, match=r"«sd1» is not a valid architecture: this worker knows .*sd15"):
        architectures.require(["sd15", "sd1"])
    with pytest.raises(BaseMissing, match="no architecture 'sd1'"):
        studio.generate(a_generation(tmp_path, base=base, architecture="sd1"), Line())


@pytest.mark.parametrize("name", sorted({*architectures.names()} - {"causal_lm"}))  # which draws nothing
def test_every_architecture_has_all_its_parts(name: str) -> None:
    found = architectures.named(name)
    assert all(callable(part) for part in (found.load, found.wearing, found.pictures, found.sampler))


def test_finding_architectures_needs_no_torch() -> None:
    code = (
        "import sys, worker.loop; from worker import architectures as found;"
        "found.require(found.names()); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
