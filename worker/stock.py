"""Which base models can be loaded here, and why the others cannot: folders come and go, and so do hubs."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from core.domain.offering import Base, Offering
from worker.bases import adapter_file, base_location

LAYOUTS = ("model_index.json", "config.json")  # of diffusers, and of transformers
HUB_SECONDS = 60.0
NO_TORCH = "there is no torch here: pip install 'loraguild[train]'"
SILENT = "the model hub does not answer"


async def missing(offerings: Iterable[Offering]) -> dict[str, str]:
    """Why an offering's base cannot be loaded here, by offering; those whose base can are left out."""
    bases = {offering.id: offering.base for offering in offerings}
    if find_spec("torch") is None:
        return dict.fromkeys(bases, NO_TORCH)
    why = await lacking(bases.values())
    return {offering: why[base.id] for offering, base in bases.items() if base.id in why}


async def lacking(bases: Iterable[Base]) -> dict[str, str]:
    """Why bases cannot be loaded here, by base; those that can are left out."""
    bases = tuple(bases)
    known = {base.id: base_location(base.location) for base in bases}
    remote = {name: place for name, place in known.items() if on_hub(place) and not downloaded(place)}
    local = {name: why for name, place in known.items() if not on_hub(place) and (why := _unfit(Path(place)))}
    refused = await _asked(set(remote.values())) if remote else {}
    unworn = {base.id: f"there is no file {file}" for base in bases if (file := _adapter(base)) and not file.is_file()}
    return unworn | local | {name: refused[place] for name, place in remote.items() if place in refused}


def on_hub(location: str) -> bool:
    """Whether a location is an id on the model hub, and no folder."""
    return not Path(location).is_dir() and not location.startswith(("/", "~", "."))


def downloaded(location: str) -> bool:
    """Whether the hub's cache has a base."""
    home = os.environ.get("HF_HOME") or str(Path("~/.cache/huggingface").expanduser())
    folder = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub") / f"models--{location.replace('/', '--')}"
    return any(_laid_out(snapshot) for snapshot in folder.glob("snapshots/*"))


def _adapter(base: Base) -> Path | None:
    """The file of a base's few-step adapter, where it has one that is on no hub."""
    return adapter_file(base.few_steps.adapter) if base.few_steps and base.few_steps.adapter else None


def _unfit(folder: Path) -> str | None:
    if not folder.is_dir():
        return f"there is no folder {folder}"
    return None if _laid_out(folder) else f"{folder} has neither {' nor '.join(LAYOUTS)}"


def _laid_out(folder: Path) -> bool:
    return any((folder / name).is_file() for name in LAYOUTS)


async def _asked(names: Iterable[str]) -> Mapping[str, str]:
    """Why the hub does not give some of these, asked in a process of its own: its library is large."""
    names = sorted(names)
    asked = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker.adapters.hub",
        *names,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(asked.communicate(), HUB_SECONDS)
    except TimeoutError:
        return dict.fromkeys(names, SILENT)
    finally:
        if asked.returncode is None:
            asked.kill()
            await asked.wait()
    refused: Mapping[str, str] = json.loads(out) if asked.returncode == 0 else dict.fromkeys(names, SILENT)
    return refused
