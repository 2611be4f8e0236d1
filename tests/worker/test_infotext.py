"""What a picture says about itself is read back by the rules of those who read it."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.bases import a_look
from worker.pipelines.infotext import Origin, infotext
from worker.pipelines.tasks import WeightedAdapter

ENTRY = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')  # A1111's own
BASE = Path("base")


def an_origin(*adapter_hashes: str, model: str = "tiny-sd") -> Origin:
    return Origin(
        model=model,
        model_hash="0123456789abcdef",
        sampler="DDIM",
        adapter_hashes=adapter_hashes,
        program="loraguild 1",
    )


def settings(line: str) -> dict[str, str]:
    """Read a line of settings as A1111 does."""
    return {name: json.loads(value) if value[:1] == '"' else value for name, value in ENTRY.findall(line)}


def test_a_plain_picture_says_what_it_must_and_no_more() -> None:
    said = infotext("zorp, on blue", "", seed=7, look=a_look(BASE, guidance=2.5), origin=an_origin())
    assert said == (
        "zorp, on blue\n"
        "Steps: 2, Sampler: DDIM, CFG scale: 2.5, Seed: 7, Size: 64x64, Model hash: 0123456789, Model: tiny-sd, "
        "Version: loraguild 1"
    )


def test_a_variation_with_adapters_is_read_back() -> None:
    worn = [("zorp", 0.8), ("ink", -1)]
    adapters = tuple(WeightedAdapter(artifact=BASE, name=name, weight=weight) for name, weight in worn)
    look = a_look(BASE, adapters=adapters, strength=60, width=128)
    origin = an_origin("a" * 64, "b" * 64, model='my "best", base')
    prompt, negative, line = infotext("ein Zörp 🦔 auf Blau", "grün", seed=3, look=look, origin=origin).split("\n")
    assert prompt == "ein Zörp 🦔 auf Blau <lora:zorp:0.8> <lora:ink:-1>"
    assert negative == "Negative prompt: grün"
    assert settings(line) == {
        "Steps": "2",
        "Sampler": "DDIM",
        "CFG scale": "2",
        "Seed": "3",
        "Size": "128x64",
        "Model hash": "0123456789",
        "Model": 'my "best", base',
        "Lora hashes": f"zorp: {'a' * 12}, ink: {'b' * 12}",
        "Denoising strength": "0.6",
        "Version": "loraguild 1",
    }


@pytest.mark.parametrize("special", [",", ":", '"', "\\", "\n"])
@given(name=st.text(min_size=1).map(str.strip).filter(bool))
def test_whatever_a_base_is_called_is_read_back(special: str, name: str) -> None:
    title = name + special + name
    line = infotext("zorp", "", seed=1, look=a_look(BASE), origin=an_origin(model=title)).removeprefix("zorp\n")
    assert settings(line)["Model"] == title
