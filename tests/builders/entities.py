"""Entities as examples: every builder makes a sound one, and takes what the test is about."""

from datetime import UTC, datetime
from typing import Any

from core.domain.account import Actor, Place, Platform, Role
from core.domain.artifact import Artifact
from core.domain.caption import CaptionSource, CaptionVersion
from core.domain.character import Character
from core.domain.dataset import Dataset
from core.domain.item import Item
from core.domain.job import Job, asked
from core.domain.model import Model
from core.domain.notice import Card, Notice, Topic, card_id
from core.domain.offering import Offering
from core.domain.quote import OPEN_FOR, Quote
from core.domain.run import Epoch, Run
from core.domain.webhook import Post, Secret, Webhook, trial

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = Place(platform=Platform.CONSOLE, chat="home")


def an_actor(account: str = "ann", *, role: Role = Role.USER) -> Actor:
    return Actor(account=account, name=account, role=role)


def an_artifact(name: str = "a.png", *, sha256: str | None = None) -> Artifact:
    return Artifact(name=name, sha256=sha256 or f"sha of {name}", size=100, media_type="image/png")


def a_dataset(**facts: Any) -> Dataset:
    wished: dict[str, Any] = {"id": "d1", "owner": "ann", "name": "zorp", "folded": "zorp", "trigger": "zorp"}
    return Dataset(**(wished | {"created_at": NOON, "updated_at": NOON} | facts))


def an_item(number: int = 0, **facts: Any) -> Item:
    """Make an item; pictures of different numbers look different to the doctor (their hashes are 16 bits apart)."""
    wished: dict[str, Any] = {
        "id": f"i{number}",
        "dataset": "d1",
        "position": number,
        "artifact": an_artifact(f"{number}.png"),
        "original_sha256": f"raw {number}",
        "width": 512,
        "height": 512,
        "phash": f"{0xFFFF << (number % 4 * 16):016x}",
        "sharpness": 100.0,
    }
    return Item(**(wished | facts))


def a_caption(text: str, *, item: str = "i0", version: int = 1) -> CaptionVersion:
    return CaptionVersion(
        id=f"{item}:{version}",
        item=item,
        version=version,
        text=text,
        author="ann",
        source=CaptionSource.HAND,
        at=NOON,
    )


def a_job(**facts: Any) -> Job:
    wished = asked("training", id="j1", key="k1", owner="ann", subject="d1", title="zorp · Demo", now=NOON)
    return wished.but(**({"eligible": True} | facts))


def an_offering(**facts: Any) -> Offering:
    wished: dict[str, Any] = {
        "id": "tiny",
        "title": "Tiny",
        "description": "For tests.",
        "base": {
            "id": "base",
            "title": "Base",
            "family": "sd15",
            "architecture": "sd15",
            "location": "package:tiny-sd",
        },
        "recipe": "sd15_lora",
        "presets": {"fast": {"steps": 10, "epochs": 2}, "slow": {"steps": 1500}},
        "bounds": {"steps": (10, 2000), "epochs": (1, 20), "unet_lr": (1e-5, 1e-2)},
        "least_items": 2,
        "most_items": 50,
        "price": {"base": 10, "per_thousand_steps": 50},
        "generation": {
            "price": 1,
            "size": 64,
            "steps": 4,
            "guidance": 3.0,
            "most": 4,
            "sides": (64, 128),
            "step_range": (1, 50),
            "guidance_range": (0, 10),
        },
        "samples": ("{trigger}",),
        "seconds_per_step": 0.1,
        "seconds_around": 5.0,
    }
    return Offering(**(wished | facts))


def a_quote(**facts: Any) -> Quote:
    wished: dict[str, Any] = {
        "id": "q1",
        "owner": "ann",
        "dataset": "d1",
        "offering": "tiny",
        "offering_version": "v1",
        "preset": "fast",
        "hyperparameters": {"steps": 10},
        "parts": {"base": 10, "10 steps": 1},
        "seconds": 6.0,
        "created_at": NOON,
        "expires_at": NOON + OPEN_FOR,
    }
    return Quote(**(wished | facts))


def a_run(**facts: Any) -> Run:
    wished: dict[str, Any] = {
        "id": "j1",
        "owner": "ann",
        "dataset": "d1",
        "snapshot": "s1",
        "offering": "tiny",
        "offering_version": "v1",
        "recipe": "sd15_lora",
        "hyperparameters": {},
        "seed": 7,
        "base": "base",
        "created_at": NOON,
    }
    return Run(**(wished | facts))


def an_epoch(number: int = 1, **facts: Any) -> Epoch:
    artifact = an_artifact(f"zorp-{number:02}.safetensors")
    return Epoch(**({"number": number, "step": number, "loss": 0.5, "artifact": artifact} | facts))


def a_model(**facts: Any) -> Model:
    wished: dict[str, Any] = {
        "id": "m1",
        "owner": "ann",
        "owner_name": "ann",
        "slug": "zorp",
        "trigger": "zorp",
        "family": "sd15",
        "base": "base",
        "offering": "tiny",
        "run": "j1",
        "artifact": an_artifact("zorp.safetensors"),
        "created_at": NOON,
    }
    return Model(**(wished | facts))


def a_notice(**facts: Any) -> Notice:
    wished: dict[str, Any] = {"id": "n1", "account": "ann", "place": HOME, "topic": Topic.GRANTED, "created_at": NOON}
    return Notice(**(wished | facts))


def a_card(job: str = "j1", *, place: Place = HOME, **facts: Any) -> Card:
    return Card(
        **({"id": card_id(job, place), "job": job, "account": "ann", "place": place, "created_at": NOON} | facts)
    )


def a_character(**facts: Any) -> Character:
    wished: dict[str, Any] = {"id": "c1", "owner": "ann", "name": "Zorp", "folded": "zorp", "trigger": "zorp"}
    return Character(**(wished | {"created_at": NOON, "updated_at": NOON} | facts))


def a_webhook(**facts: Any) -> Webhook:
    wished: dict[str, Any] = {"id": "h1", "account": "ann", "url": "https://hooks.example/in", "created_at": NOON}
    return Webhook(**(wished | {"secrets": (Secret(name="s1", key="0"),)} | facts))


def a_post(**facts: Any) -> Post:
    wished: dict[str, Any] = {"id": "msg_p1", "webhook": "h1", "account": "ann", "created_at": NOON, "due_at": NOON}
    return Post(**(wished | {"event": trial(a_webhook(), now=NOON)} | facts))
