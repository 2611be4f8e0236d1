"""What this machine computes on. Torch is asked in a process of its own: it takes seconds, and may crash."""

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

TORCH_SECONDS = 120
ASK_TORCH = """\
import json, torch
found = torch.cuda.is_available() and torch.cuda.get_device_properties(0)
device, memory = (found.name, found.total_memory // 2**20) if found else ("", 0)
facts = {"version": torch.__version__, "device": device, "memory": memory, "threads": torch.get_num_threads()}
print(json.dumps(facts))
"""


class TorchBroken(Exception):  # noqa: N818 - a past participle, as every result here
    """Torch cannot be imported, or does not answer; the words are its last."""


@dataclass(frozen=True, kw_only=True)
class Torch:
    """What torch says: its version, the device it computes on ("" for a CPU) and its memory in MB, CPU threads."""

    version: str
    device: str
    memory: int
    threads: int


def gpu_present() -> bool:
    """Whether this machine seems to have an NVIDIA device, told without torch."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


async def torch_found() -> Torch | None:
    """What torch says, or None where it is not installed.

    Raises:
        TorchBroken: It is, and does not work.
    """
    if find_spec("torch") is None:
        return None
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASK_TORCH, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(asked.communicate(), TORCH_SECONDS)
    except TimeoutError as error:
        raise TorchBroken("it does not answer") from error
    finally:
        if asked.returncode is None:
            asked.kill()
            await asked.wait()
    if asked.returncode:
        raise TorchBroken(" ".join(err.decode(errors="replace").strip().splitlines()[-1:]))
    return Torch(**json.loads(out))
