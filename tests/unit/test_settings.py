"""The settings that people may choose are all in `.env.example`, each as it is by default."""

import re
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINE = re.compile(r"# ([A-Z_]+)=(.*)")
SHOWN = {"BASE_MODELS"}  # an example of what it takes: the default says nothing


def examples() -> dict[str, str]:
    found = [LINE.fullmatch(line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines()]
    return {match[1]: match[2] for match in found if match}


def test_every_setting_is_shown() -> None:
    assert set(examples()) == {name.upper() for name in Settings.model_fields}


def test_what_is_shown_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in examples():
        monkeypatch.delenv(name, raising=False)
    chosen = {name: value for name, value in examples().items() if value and name not in SHOWN}
    env = tmp_path / ".env"
    env.write_text("\n".join(f"{name}={value}" for name, value in chosen.items()), encoding="utf-8")
    read: Any = Settings  # the type knows nothing of where settings are read from

    assert read(_env_file=env) == read(_env_file=None)


def test_a_token_of_blanks_is_none() -> None:
    settings = Settings.model_validate({"discord_token": "  ", "telegram_token": " 1:a "})

    assert settings.tokens == {"discord": None, "telegram": "1:a"}
