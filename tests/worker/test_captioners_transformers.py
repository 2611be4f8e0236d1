"""The captioner that runs a model itself: a tiny one with random weights, loaded from where a test has saved it."""

import json
from pathlib import Path

import pytest
import structlog
import torch
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipProcessor
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from config.settings import Settings
from tests.worker.pictures import a_zorp, encoded, stored
from worker.adapters import captioners
from worker.adapters.captioners import CaptionerFailed, NotDescribed, scene_of
from worker.adapters.describing import Model

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "cat", "dog", "hat", "on", "the", "red", "blue")
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def a_model(folder: Path) -> Path:
    """Save a BLIP that knows a dozen words and nothing of the world."""
    torch.manual_seed(0)
    ends = {"bos_token_id": 5, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    text = {**SIZES, **ends, "vocab_size": len(WORDS), "encoder_hidden_size": 16, "max_position_embeddings": 128}
    config = BlipConfig(text_config=text, vision_config={**SIZES, "image_size": 32, "patch_size": 16})
    pictures = BlipImageProcessorPil(size={"height": 32, "width": 32})
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipProcessor(pictures, BertTokenizer(vocab={word: n for n, word in enumerate(WORDS)})).save_pretrained(folder)
    return folder


async def test_a_local_model_says_the_same_of_a_picture_each_time(tmp_path: Path) -> None:
    picture, model = stored(tmp_path, encoded(a_zorp("red"))), str(a_model(tmp_path / "model"))
    async with captioners.captioner("transformers", Settings(caption_model=model)) as captioner:
        await captioner.check()
        said = [await captioner.caption(picture)]
        with structlog.testing.capture_logs() as logs, pytest.raises(NotDescribed, match="could not describe this"):
            await captioner.caption(stored(tmp_path, b"no picture", "broken"))
        assert [entry["event"] for entry in logs] == ["picture.not_described"]
        said.append(await captioner.caption(picture))
    said.append(scene_of(Model(model).said(picture)))
    assert len(set(said)) == 1
    assert {word.casefold() for word in said[0].split()} <= {word.casefold() for word in WORDS}


async def test_a_model_that_cannot_be_loaded_is_said_without_its_place(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "model")
    weights = torch.nn.Linear(1, 1).state_dict()
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with structlog.testing.capture_logs() as logs, pytest.raises(CaptionerFailed) as failed:
        async with captioners.captioner("transformers", Settings(caption_model=str(folder))) as captioner:
            await captioner.check()
    assert failed.value.words == "The model of CAPTION_MODEL cannot be loaded. The log of the worker says why."
    assert "safetensors" in str(logs[0]["why"])


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "model")
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    own = {"AutoConfig": "own.Config", "AutoModelForImageTextToText": "own.Model"}
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": own, "model_type": "own"}))
    with pytest.raises(ValueError, match="trust_remote_code"):
        Model(str(folder))
    assert not ran.exists()


async def test_without_a_model_there_is_no_such_captioner() -> None:
    with pytest.raises(CaptionerFailed, match="This worker has no CAPTION_MODEL"):
        async with captioners.captioner("transformers", Settings(caption_model=None)):
            pass
