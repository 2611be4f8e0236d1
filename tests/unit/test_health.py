"""What the operator's doctor says of the key, the pages and the bots."""

from pathlib import Path

import pytest

from config.settings import Settings
from loraguild.health import Health, looked

KEY = "k" * 32


def said(folder: Path, **chosen: str) -> dict[str, tuple[Health, str, str]]:
    settings = Settings.model_validate({"data_folder": folder, **chosen})
    return {check.name: (check.health, check.seen, check.remedy) for check in looked(settings)}


def test_a_house_without_bots_lacks_nothing(tmp_path: Path) -> None:
    found = said(tmp_path)

    assert found["SECRET_KEY"] == (Health.OK, f"made here, in {tmp_path / 'secret.key'}", "")
    assert found["pages"] == (Health.OK, "http://127.0.0.1:8642", "")
    assert found["bot discord"] == found["bot telegram"] == (Health.OK, "none: no token", "")


def test_a_bot_wants_pages_that_people_reach(tmp_path: Path) -> None:
    here, there = (
        said(tmp_path, telegram_token="1:a"),
        said(tmp_path, telegram_token="1:a", public_url="https://b.org/"),
    )

    assert here["pages"] == (
        Health.WARN,
        "http://127.0.0.1:8642; PUBLIC_URL is not set",
        "Links in chats lead to this machine only: set PUBLIC_URL to where people reach `loraguild web`.",
    )
    assert there["pages"] == (Health.OK, "https://b.org", "")
    assert here["bot telegram"][0] is Health.OK
    assert "1:a" not in str(here)


@pytest.mark.parametrize(
    ("key", "health"), [("", Health.FAIL), ("short", Health.FAIL), (f"b:{KEY},a:{KEY}", Health.OK)]
)
def test_a_shared_house_wants_a_key(tmp_path: Path, key: str, health: Health) -> None:
    found = said(tmp_path, mongodb_uri="mongodb://nowhere", secret_key=key)

    assert (found["SECRET_KEY"][0], KEY in str(found)) == (health, False)
    assert found["SECRET_KEY"][1] == ("2 set, «b» signs" if health is Health.OK else "no key to sign links with")
    assert ("openssl rand -hex 32" in found["SECRET_KEY"][2]) is (health is Health.FAIL)
