"""The operator's doctor: everything a house needs, looked at one by one, each with what to do where it is missing."""

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

from config.catalogue import OfferingBroken, offerings
from config.secrets import FILE, signing_keys
from config.settings import Settings
from core.domain.errors import DomainError, ExtraMissing
from core.domain.offering import Base
from loraguild.composition import ready
from loraguild.machine import TorchBroken, gpu_present, torch_found
from worker.bases import base_location
from worker.stock import downloaded, lacking, on_hub

KB, GB = 2**10, 2**30
ENOUGH, LITTLE = 10 * GB, GB  # bytes of free disk


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
    return [_python(), await _torch(), await _database(settings), *looked(settings), *await _bases(settings)]


def looked(settings: Settings) -> list[Check]:
    """What shows without starting anything: the disk, the key, the pages, the bots."""
    return [_disk(settings), _secret(settings), _pages(settings), *_bots(settings)]


def _python() -> Check:
    good = sys.version_info >= (3, 11)
    remedy = "" if good else "Install Python 3.11 or newer."
    return Check(
        name="Python", health=Health.OK if good else Health.FAIL, seen=platform.python_version(), remedy=remedy
    )


async def _torch() -> Check:
    try:
        torch = await torch_found()
    except TorchBroken as error:
        remedy = "Install it anew: `pip install --force-reinstall 'loraguild[train]'`."
        return Check(name="torch", health=Health.FAIL, seen=f"does not work: {error}", remedy=remedy)
    if torch is None:
        remedy = "Only training workers need it: `pip install 'loraguild[train]'`."
        return Check(name="torch", health=Health.WARN, seen="not installed", remedy=remedy)
    device = f"{torch.device}, {torch.memory / KB:.0f} GB" if torch.device else f"CPU, {torch.threads} threads"
    seen = f"{torch.version} on {device}"
    if not torch.device and gpu_present():
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


async def _bases(settings: Settings) -> list[Check]:
    try:
        offered = offerings(folder=settings.offerings_folder, bases=settings.base_models)
    except OfferingBroken as error:
        return [Check(name="offerings", health=Health.FAIL, seen=str(error), remedy="Mend the file.")]
    bases = {offering.base.id: offering.base for offering in offered.values()}
    why = await lacking(bases.values())
    return [_base(base, why.get(base.id)) for base in bases.values()]


def _base(base: Base, why: str | None) -> Check:
    location, name = base_location(base.location), f"base {base.id}"
    remote = on_hub(location)
    if why:
        elsewhere = f'BASE_MODELS=\'{{"{base.id}": "/path"}}\' says that it lies elsewhere, in diffusers\' layout.'
        health = Health.WARN if remote else Health.FAIL
        return Check(name=name, health=health, seen=why, remedy=f"No worker here takes it. {elsewhere}")
    if remote and not downloaded(location):
        remedy = "The first training downloads it."
        return Check(name=name, health=Health.WARN, seen=f"{location}, not here yet", remedy=remedy)
    return Check(name=name, health=Health.OK, seen=f"{location}, in the hub's cache" if remote else location)
