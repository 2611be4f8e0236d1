"""The operator's doctor: everything a house needs, looked at one by one, each with what to do where it is missing."""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from config.catalogue import OfferingBroken, offerings
from config.secrets import FILE, signing_keys
from config.settings import Settings
from core.domain.errors import DomainError, ExtraMissing
from core.domain.offering import Base
from loraguild.composition import ready
from worker.bases import base_location

GB = 2**30
ENOUGH, LITTLE = 10 * GB, GB  # bytes of free disk
TORCH_SECONDS = 120
ASK_TORCH = """\
import torch
name = torch.cuda.get_device_name(0) if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
print(torch.__version__, "on", name)
"""


class Health(StrEnum):
    """How one thing is; only the last makes the doctor fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at: what was seen, and what to do about it."""

    name: str
    health: Health
    seen: str
    remedy: str = ""


async def checks(settings: Settings) -> list[Check]:
    """Everything, looked at."""
    return [_python(), await _torch(), await _database(settings), *looked(settings)]


def looked(settings: Settings) -> list[Check]:
    """What shows without starting anything: the disk, the key, the pages, the bots, the base models."""
    return [_disk(settings), _secret(settings), _pages(settings), *_bots(settings), *_bases(settings)]


def gpu_present() -> bool:
    """Whether this machine seems to have an NVIDIA device, told without torch."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def _python() -> Check:
    good = sys.version_info >= (3, 11)
    remedy = "" if good else "Install Python 3.11 or newer."
    return Check(
        name="Python", health=Health.OK if good else Health.FAIL, seen=platform.python_version(), remedy=remedy
    )


async def _torch() -> Check:
    """Ask a process of its own: importing torch takes seconds, and a broken one may crash."""
    try:
        version("torch")
    except PackageNotFoundError:
        remedy = "Only training workers need it: `pip install 'loraguild[train]'`."
        return Check(name="torch", health=Health.WARN, seen="not installed", remedy=remedy)
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASK_TORCH, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(asked.communicate(), TORCH_SECONDS)
    except TimeoutError:
        asked.kill()
        await asked.wait()
        out, err = b"", b"it does not answer"
    if asked.returncode:
        last = err.decode(errors="replace").strip().splitlines()[-1:]
        remedy = "Install it anew: `pip install --force-reinstall 'loraguild[train]'`."
        return Check(name="torch", health=Health.FAIL, seen=f"cannot be imported: {' '.join(last)}", remedy=remedy)
    seen = out.decode().strip()
    if "CPU" in seen and gpu_present():
        remedy = "There is an NVIDIA device: install a CUDA build of torch, and see that `nvidia-smi` works."
        return Check(name="torch", health=Health.WARN, seen=seen, remedy=remedy)
    return Check(name="torch", health=Health.OK, seen=seen)


async def _database(settings: Settings) -> Check:
    where = f"embedded, in {settings.data_folder / 'database'}" if settings.embedded else "MONGODB_URI"
    try:
        async with ready(settings):
            return Check(name="database", health=Health.OK, seen=where)
    except DomainError as error:
        return Check(name="database", health=Health.FAIL, seen=where, remedy=str(error))
    except OSError as error:
        return Check(
            name="database", health=Health.FAIL, seen=where, remedy=f"Make DATA_FOLDER a folder to write to: {error}."
        )


def _disk(settings: Settings) -> Check:
    folder = next(known for known in (settings.data_folder, *settings.data_folder.absolute().parents) if known.exists())
    free = shutil.disk_usage(folder).free
    seen = f"{free / GB:.1f} GB free in {folder}"
    if free >= ENOUGH:
        return Check(name="disk", health=Health.OK, seen=seen)
    remedy = "Make room, or set DATA_FOLDER to a larger disk: pictures, checkpoints and LoRAs are kept there."
    return Check(name="disk", health=Health.WARN if free >= LITTLE else Health.FAIL, seen=seen, remedy=remedy)


def _secret(settings: Settings) -> Check:
    try:
        keys = signing_keys(settings)
    except (DomainError, OSError) as error:
        return Check(name="SECRET_KEY", health=Health.FAIL, seen="no key to sign links with", remedy=str(error))
    kept = f"made here, in {settings.data_folder / FILE}"
    seen = f"{len(keys)} set, «{next(iter(keys))}» signs" if settings.secret_key else kept
    return Check(name="SECRET_KEY", health=Health.OK, seen=seen)


def _pages(settings: Settings) -> Check:
    if settings.public_url or not any(settings.tokens.values()):
        return Check(name="pages", health=Health.OK, seen=settings.address)
    remedy = "Links in chats lead to this machine only: set PUBLIC_URL to where people reach `loraguild web`."
    return Check(name="pages", health=Health.WARN, seen=f"{settings.address}; PUBLIC_URL is not set", remedy=remedy)


def _bots(settings: Settings) -> Iterator[Check]:
    for bot, token in settings.tokens.items():
        if token is None:
            yield Check(name=f"bot {bot}", health=Health.OK, seen="none: no token")
        elif find_spec(bot) is None:
            remedy = str(ExtraMissing(extra=bot))
            yield Check(name=f"bot {bot}", health=Health.FAIL, seen="a token, but no library", remedy=remedy)
        else:
            yield Check(name=f"bot {bot}", health=Health.OK, seen="a token; whether it is good shows at start")


def _bases(settings: Settings) -> Iterator[Check]:
    try:
        offered = offerings(folder=settings.offerings_folder, bases=settings.base_models)
    except OfferingBroken as error:
        yield Check(name="offerings", health=Health.FAIL, seen=str(error), remedy="Mend the file.")
        return
    for base in {offering.base.id: offering.base for offering in offered.values()}.values():
        yield _base(base)


def _base(base: Base) -> Check:
    location, name = base_location(base.location), f"base {base.id}"
    if Path(location).is_dir():
        return Check(name=name, health=Health.OK, seen=location)
    elsewhere = f'BASE_MODELS=\'{{"{base.id}": "/path"}}\' says that it lies elsewhere, in diffusers\' layout.'
    if base.location.startswith(("package:", "/", "~", ".")):
        return Check(name=name, health=Health.FAIL, seen=f"no folder {location}", remedy=elsewhere)
    if _hub_folder(location).is_dir():
        return Check(name=name, health=Health.OK, seen=f"{location}, in the hub's cache")
    remedy = f"The first training downloads it. {elsewhere}"
    return Check(name=name, health=Health.WARN, seen=f"{location}, not here yet", remedy=remedy)


def _hub_folder(location: str) -> Path:
    home = os.environ.get("HF_HOME") or str(Path("~/.cache/huggingface").expanduser())
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub") / f"models--{location.replace('/', '--')}"
