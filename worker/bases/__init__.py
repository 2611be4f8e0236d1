"""The base models that ship with the program, and where a base named in an offering lies."""

from pathlib import Path

_PREFIX = "package:"


def base_location(base: str) -> str:
    """Return where a base lies: a folder's path, or a model hub's id unchanged.

    Args:
        base: `package:<name>` for a shipped base, a folder, or a hub id such as `owner/name`.
    """
    if not base.startswith(_PREFIX):
        return str(Path(base).expanduser()) if base.startswith("~") else base
    return str(Path(__file__).parent / Path(base.removeprefix(_PREFIX)).name)
