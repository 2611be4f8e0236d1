"""Files with other words and the same tensors: read back by safetensors itself, hashed as kohya's scripts do."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save, save_file

from worker.adapters.weights import content_hash, header, rewritten
from worker.pipelines.tasks import BadAdapter

MEGABYTE = 2**20
WORDS = {"ss_seed": "7", "modelspec.title": "zørp", "modelspec.description": 'a "tin"\nrobot', "other": "1"}


def a_file(path: Path, *, floats: int = 40, metadata: dict[str, str] | None = None) -> Path:
    """Write an adapter of two tensors of different formats."""
    tensors: dict[str, NDArray[Any]] = {
        "a.lora_up": np.arange(floats).astype(np.float32),
        "b.alpha": np.full((), 4.0).astype(np.float16),
    }
    save_file(tensors, path, metadata or {"ss_seed": "1"})
    return path


def kohya_hashes(path: Path, metadata: dict[str, str]) -> tuple[str, str]:
    """Hash a file as `precalculate_safetensors_hashes` does: with the metadata of its training alone."""
    content = save(load_file(path), {name: text for name, text in metadata.items() if name.startswith("ss_")})
    whole = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
    return whole, hashlib.sha256(content[0x100000:0x110000]).hexdigest()[:8]


@pytest.mark.parametrize("floats", [1, 40, MEGABYTE // 4 - 60, MEGABYTE // 4 + 100, MEGABYTE])
def test_a_file_says_something_else_and_has_the_same_tensors(tmp_path: Path, floats: int) -> None:
    path, out = a_file(tmp_path / "a.safetensors", floats=floats), tmp_path / "b.safetensors"
    hashed = rewritten(path, out, WORDS)
    whole, legacy = kohya_hashes(path, WORDS)
    before, after = load_file(path), load_file(out)
    with safe_open(out, "np") as file:
        said = file.metadata()

    assert hashed == whole == content_hash(out) == content_hash(path)
    assert said == WORDS | {
        "modelspec.hash_sha256": f"0x{whole}", "sshs_model_hash": whole, "sshs_legacy_hash": legacy,
    }  # fmt: skip
    assert {name: (one.dtype, one.tobytes()) for name, one in before.items()} == {
        name: (one.dtype, one.tobytes()) for name, one in after.items()
    }
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["a.safetensors", "b.safetensors"]


def test_a_header_is_as_the_format_wants_it(tmp_path: Path) -> None:
    out = tmp_path / "b.safetensors"
    rewritten(a_file(tmp_path / "a.safetensors"), out, WORDS)
    content = out.read_bytes()
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])

    assert length % 8 == 0
    assert content[8:9] == b"{"
    assert all(isinstance(text, str) for text in entries["__metadata__"].values())
    assert max(one["data_offsets"][1] for name, one in entries.items() if name != "__metadata__") == (
        len(content) - 8 - length
    )


def test_the_same_words_give_the_same_bytes_whatever_was_said_before(tmp_path: Path) -> None:
    path = a_file(tmp_path / "a.safetensors")
    paths = [tmp_path / f"{number}.safetensors" for number in range(3)]
    rewritten(path, paths[0], WORDS)
    rewritten(path, paths[1], dict(reversed(WORDS.items())))
    rewritten(paths[0], paths[2], WORDS)

    assert len({one.read_bytes() for one in paths}) == 1


@given(words=st.dictionaries(st.text(), st.text(), max_size=5))
@example(words={"ss_\x00": "\x1f\x7f\u2028", "ss_é": "\\"})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_any_words_come_back_as_they_were_said(tmp_path: Path, words: dict[str, str]) -> None:
    path, out = a_file(tmp_path / "a.safetensors"), tmp_path / "b.safetensors"
    rewritten(path, out, words)
    with safe_open(out, "np") as file:
        said = file.metadata()

    assert words.items() <= said.items()
    assert said["sshs_legacy_hash"] == kohya_hashes(path, words)[1]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no safetensors file",
        (2**62).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}rest",
        (7).to_bytes(8, "little") + b'{"a":1}',
    ],
)
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(broken)

    with pytest.raises(BadAdapter):
        rewritten(path, tmp_path / "b.safetensors", WORDS)
    assert list(tmp_path.iterdir()) == [path]


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = a_file(tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    with suppress(BadAdapter):
        assert header(path).size <= len(content)
