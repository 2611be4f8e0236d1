"""Logs: what we and our libraries say comes in one form, and names no secret."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from config.settings import Settings
from loraguild.logs import configure

SECRETS = {
    "POST https://api.telegram.org/bot123456:AAE-x_y/sendMessage": "POST https://api.telegram.org/bot123456:…/sendMessage",
    "PATCH https://discord.com/api/v10/webhooks/42/aW50ZXI_-x/messages/@original": (
        "PATCH https://discord.com/api/v10/webhooks/42/…/messages/@original"
    ),
    "POST https://discord.com/api/v10/interactions/42/aW50ZXI/callback": (
        "POST https://discord.com/api/v10/interactions/42/…/callback"
    ),
}


Configured = Callable[[Settings], None]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configured]:
    """Configures logs as in a process of their own."""

    def configured(settings: Settings) -> None:
        monkeypatch.setattr(logging.root, "handlers", [])
        configure(settings)

    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    yield configured
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_libraries_say_what_is_wrong_in_our_form(configured: Configured, capsys: pytest.CaptureFixture[str]) -> None:
    configured(Settings(log_json=True))
    library = logging.getLogger("discord.gateway")
    library.info("Shard %s is here", 1)
    library.warning("Shard %s is away", 1)
    structlog.get_logger().info("ours", job="a")
    library_line, ours = lines(capsys)
    assert {key: library_line[key] for key in ("event", "level", "logger")} == {
        "event": "Shard 1 is away",
        "level": "warning",
        "logger": "discord.gateway",
    }
    assert (ours["event"], ours["level"], ours["job"]) == ("ours", "info", "a")


@pytest.mark.parametrize("as_json", [True, False])
def test_every_line_says_for_which_job_it_is_said(
    configured: Configured, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    configured(Settings(log_json=as_json))
    with structlog.contextvars.bound_contextvars(worker="w1", job="j1", attempt=2):
        logging.getLogger("some.library").warning("slow")
        structlog.get_logger().info("ours")
    fact = '"{}": {}' if as_json else "{}={}"
    for line in capsys.readouterr().err.splitlines():
        quoted = {"worker": '"w1"' if as_json else "w1", "job": '"j1"' if as_json else "j1", "attempt": "2"}
        assert all(fact.format(name, value) in line for name, value in quoted.items()), line


@pytest.mark.parametrize(("said", "shown"), SECRETS.items())
@pytest.mark.parametrize("as_json", [True, False])
def test_no_line_names_a_secret(
    configured: Configured, capsys: pytest.CaptureFixture[str], said: str, shown: str, *, as_json: bool
) -> None:
    configured(Settings(log_json=as_json))
    logging.getLogger("discord.http").warning("%s was slow", said)
    structlog.get_logger().error("broke", exc_info=OSError(said), why=said)
    told = capsys.readouterr().err
    assert (said in told, told.count(shown)) == (False, 3)
