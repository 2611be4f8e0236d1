"""The base models that ship with the program, and where a base, or a few-step adapter, named in an offering lies."""

from pathlib import Path

ADAPTER = "pytorch_lora_weights.safetensors"  # as diffusers calls the file of an adapter
_PREFIX = "package:"


def base_location(base: str) -> str:
    """Return where a base lies: a folder's path, or a model hub's id unchanged.

    Args:
        base: `package:<name>` for a shipped base, a folder, or a hub id such as `owner/name`.
    """
    if not base.startswith(_PREFIX):
        return str(Path(base).expanduser()) if base.startswith("~") else base
    return str(Path(__file__).parent / Path(base.removeprefix(_PREFIX)).name)


def adapter_file(adapter: str) -> Path | None:
    """Return the file of a few-step adapter on this machine, whether or not it is there; None for one on a hub.

    Args:
        adapter: `package:<name>`, a folder, a file, or a hub's `owner/name`, with or without a file behind it.
    """
    place = Path(base_location(adapter))
    if place.is_dir():
        return place / ADAPTER
    return place if place.is_file() or adapter.startswith(("/", "~", ".", _PREFIX)) else None
