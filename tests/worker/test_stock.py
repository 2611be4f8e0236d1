"""Which bases a worker can load: what is said of those that are not here, and that they are found when they come."""

import socket
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from config.catalogue import offerings
from core.domain.offering import Base, FewSteps, Scheduler
from worker.bases import base_location
from worker.stock import downloaded, lacking, missing


def a_base(location: str, name: str = "b") -> Base:
    return Base(id=name, title="B", family="f", architecture="sd15", location=location)


async def test_a_base_that_ships_is_always_here() -> None:
    assert await lacking([a_base("package:tiny-sd")]) == {}


async def test_a_folder_is_found_once_it_is_there_and_laid_out(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    gone = await lacking([a_base(str(folder))])
    folder.mkdir()
    empty = await lacking([a_base(str(folder))])
    (folder / "model_index.json").touch()

    assert gone == {"b": f"there is no folder {folder}"}
    assert empty == {"b": f"{folder} has neither model_index.json nor config.json"}
    assert await lacking([a_base(str(folder))]) == {}


async def test_a_few_step_adapter_is_looked_for_beside_its_base(tmp_path: Path) -> None:
    base = a_base("package:tiny-sd")
    here, there = (FewSteps(adapter=f"{tmp_path}/{name}") for name in ("here", "there"))
    (tmp_path / "here").touch()

    assert await lacking([base.but(few_steps=here)]) == {}
    assert await lacking([base.but(few_steps=there)]) == {"b": f"there is no file {tmp_path}/there"}
    assert await lacking([base.but(few_steps=FewSteps(scheduler=Scheduler.LCM))]) == {}


async def test_what_the_hub_has_not_given_is_missing_unless_its_cache_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused = await lacking([a_base("a/one"), a_base("package:tiny-sd", "tiny")])
    snapshot = tmp_path / "models--a--one" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "model_index.json").touch()

    assert refused == {"b": "a/one has not been downloaded, and HF_HUB_OFFLINE is set"}
    assert downloaded("a/one")
    assert await lacking([a_base("a/one")]) == {}


async def test_what_is_missing_is_said_by_offering(tmp_path: Path) -> None:
    offered = offerings(bases={"sd15": str(tmp_path / "nowhere")})

    assert await missing([offered["demo-tiny"], offered["sd15-lora"]]) == {
        "sd15-lora": f"there is no folder {tmp_path / 'nowhere'}"
    }


async def answered(request: web.Request) -> web.Response:
    """Answer as the hub does: of an open model, of gated ones with and without a right to them, of one it has not."""
    match request.path.removeprefix("/api/models/a/").split("/"):
        case ["open" | "gated" | "mine" as name]:
            return web.json_response({"id": f"a/{name}", "gated": False if name == "open" else "manual"})
        case ["mine", "auth-check"]:
            return web.Response()
        case ["gated", "auth-check"]:
            return web.Response(status=403, headers={"X-Error-Code": "GatedRepo"})
        case _:
            return web.Response(status=401, headers={"X-Error-Code": "RepoNotFound"})


async def test_the_hub_says_what_it_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = web.Application()
    app.router.add_get("/{rest:.*}", answered)
    bases = [a_base(f"a/{name}", name) for name in ("open", "gated", "mine", "none")]
    async with TestServer(app) as hub:
        for name, value in (("ENDPOINT", str(hub.make_url(""))), ("HUB_CACHE", str(tmp_path)), ("HUB_OFFLINE", "0")):
            monkeypatch.setenv(f"HF_{name}", value)
        told = await lacking(bases)
    with socket.socket() as silent:  # nobody listens, and nobody else can
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", "http://{}:{}".format(*silent.getsockname()))
        away = await lacking(bases[:1])

    assert told == {
        "gated": "a/gated is gated: accept its terms on the hub, and set HF_TOKEN",
        "none": "the hub has no a/none, or not for this HF_TOKEN",
    }
    assert away["open"].startswith("a/open has not been downloaded, and the hub cannot be reached: ")


def test_a_location_in_the_home_folder_is_no_id() -> None:
    assert base_location("~/base") == str(Path("~/base").expanduser())
