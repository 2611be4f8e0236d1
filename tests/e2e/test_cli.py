import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from tests.e2e.command_line import environment, left_behind, ran, running, seen


def said(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Say something with --json; nothing but one object may be printed."""
    run = ran(folder, "say", "--as", "ann", "--json", *words)
    return run.returncode, json.loads(run.stdout)


def offered(card: dict[str, Any]) -> set[str]:
    """The commands of a card's buttons."""
    return {action["command"].rsplit(" ", 1)[0] for action in card["actions"]}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.effect_noise((128, 128), 50).convert("RGB").save(path)
    return path


def test_help_comes_at_once_and_without_torch(tmp_path: Path) -> None:
    def timed(*words: str) -> float:
        before = sum(os.times()[2:4])  # what ended processes have computed, however long they waited for their turn
        assert ran(tmp_path, *words).returncode == 0
        return sum(os.times()[2:4]) - before

    assert min(timed("--help") for _ in range(3)) < 1
    assert min(timed("version") for _ in range(3)) < 1
    trace = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "loraguild", "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [line for line in trace.stderr.splitlines() if line.endswith((" torch", " pymongo", " PIL"))]


def test_the_document_of_the_api_is_printed_without_a_database(tmp_path: Path) -> None:
    run = ran(tmp_path, "web", "--openapi", MONGODB_URI="mongodb://127.0.0.1:1/", PUBLIC_URL="https://example.org")
    document = json.loads(run.stdout)

    assert (run.returncode, document["openapi"]) == (0, "3.1.0")
    assert document["servers"] == [{"url": "https://example.org/api/v1"}]
    assert "/datasets" in document["paths"]
    assert list(tmp_path.iterdir()) == []


def test_a_first_conversation(tmp_path: Path, picture: Path) -> None:
    assert said(tmp_path, "dataset new zorp trigger=zorp")[1]["title"] == "Dataset «zorp» is open"
    status, refused = said(tmp_path, "train order zorp demo-tiny")
    assert (status, refused["code"]) == (2, "dataset_empty")

    status, printed = said(tmp_path, "--file", str(picture), "dataset add zorp")
    assert (status, printed["title"]) == (0, "1 file received for «zorp»")

    status, waited = said(tmp_path, "--wait", f"train view {printed['job']}")
    assert (status, waited["code"], waited["job"]) == (1, "no_worker", printed["job"])

    worker = ran(tmp_path, "worker", "--once", "--kinds", "intake,validation")
    assert (worker.returncode, worker.stdout) == (0, "")

    status, card = said(tmp_path, "--wait", "train", "view", printed["job"])
    assert (status, card["title"]) == (0, "zorp · 1 file coming in · done")
    assert card["lines"] == ["1 picture taken into «zorp».", "The doctor looks at them now."]
    assert card["files"] == []
    assert offered(card) == {"dataset add"}

    status, shown = said(tmp_path, "dataset view zorp")
    assert shown["lines"][0] == "1 picture, 128×128 px, 0 captioned: ready."
    (sheet,) = shown["files"]
    with Image.open(tmp_path / sheet) as drawn:
        assert drawn.format == "PNG"
    assert offered(shown) == {"caption auto", "dataset check"}

    people = ran(tmp_path, "say", "--as", "ann", "dataset view zorp")
    assert people.stdout.count("▸") == 1
    assert "a.png" in people.stdout
    assert left_behind(tmp_path) == []


def test_waiting_with_a_worker(tmp_path: Path, picture: Path) -> None:
    said(tmp_path, "dataset new zorp trigger=zorp")
    with running(tmp_path, "worker", "--kinds", "intake,captioning") as worker:
        seen(worker, "worker.started")
        status, card = said(tmp_path, "--wait", "--file", str(picture), "dataset add zorp")
        assert (status, card["title"]) == (0, "zorp · 1 file coming in · done")
        status, card = said(tmp_path, "--wait", "caption auto zorp")
        assert (status, card["title"]) == (0, "zorp · captions · done")
        assert card["table"]["rows"][0][1].startswith("zorp, ")
    assert worker.returncode == 0
    assert left_behind(tmp_path) == []


def test_a_file_that_is_no_picture_is_told_on_the_card(tmp_path: Path) -> None:
    (tmp_path / "not.png").write_bytes(b"this is no picture")
    said(tmp_path, "dataset new zorp trigger=zorp")
    with running(tmp_path, "worker", "--kinds", "intake") as worker:
        seen(worker, "worker.started")
        status, card = said(tmp_path, "--wait", "--file", "not.png", "dataset add zorp")

    assert status == 0
    assert card["lines"][0] == "Nothing was taken into «zorp»."
    assert card["lines"][1].startswith("not.png: refused.")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DAILY_POINTS": "many"}, "The setting DAILY_POINTS does not fit"),
        ({"DAILY_POINTS": "-1", "WORKER_MEMORY_MB": "1"}, "The setting WORKER_MEMORY_MB does not fit"),
        ({"BASE_MODELS": "sd15"}, "A setting cannot be read"),
        ({"MONGODB_URI": "mongodb://127.0.0.1:1/"}, "CONSOLE_TRUSTED=true"),
    ],
)
def test_wrong_settings_are_said_in_words(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    run = ran(tmp_path, "say", "wallet", **settings)

    said = " ".join((run.stdout + run.stderr).replace("│", " ").split())
    assert (run.returncode, words in said, "Traceback" in said) == (2, True, False)


def test_a_database_that_is_away_is_a_failure(tmp_path: Path) -> None:
    run = ran(tmp_path, "db", "init", MONGODB_URI="mongodb://127.0.0.1:1/")

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("The database does not answer")


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    run = ran(tmp_path, "worker", "--once", "--kinds", "cooking")

    assert run.returncode == 2
    assert "«cooking» is not a valid kind of job: there are captioning, " in run.stderr


def test_the_operator_sees_what_is_there(tmp_path: Path) -> None:
    said(tmp_path, "dataset new zorp trigger=zorp")

    stats, health = ran(tmp_path, "db", "stats"), ran(tmp_path, "doctor")

    assert ["datasets", "1"] in [line.split() for line in stats.stdout.splitlines()]
    assert health.returncode == 0
    for line in ("ok   Python", "ok   torch", "ok   database", "ok   base tiny-sd", "warn base sd15"):
        assert line in health.stdout


def test_the_manual_has_every_command(tmp_path: Path) -> None:
    manual = ran(tmp_path, "docs").stdout

    words = "Open a dataset for pictures of one subject, or for conversations: the first files decide."
    assert f"\n## `dataset new NAME TRIGGER [RATING]`\n\n{words}\n" in manual
    assert "train confirm" not in manual


def test_up_keeps_a_worker_going_and_stops_in_order(tmp_path: Path) -> None:
    with running(tmp_path, "up", WEB_PORT="0") as up:
        seen(up, "loraguild chat")
        seen(up, "worker.started")
        worker = until(lambda: [one for one in psutil.Process(up.pid).children() if "worker" in one.cmdline()])
        worker[0].kill()
        assert "worker-1" in seen(up, "program.ended")
        seen(up, "worker.started")
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    assert left_behind(tmp_path) == []


def until(found: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while not (processes := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return processes
