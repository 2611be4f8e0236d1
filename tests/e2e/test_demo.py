import signal
from pathlib import Path

import pytest
from PIL import Image
from safetensors import safe_open

from tests.e2e.command_line import left_behind, running, seen

# A demo must not care for what the environment or an `.env` say of the house that is in use.
HOUSE = "MONGODB_URI=mongodb://127.0.0.1:1/\nADMINS=console:nobody\n"


@pytest.mark.timeout(400)
def test_a_demo_that_is_interrupted_leaves_nothing_and_the_next_one_runs(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(HOUSE)

    with running(tmp_path, "demo", DAILY_POINTS="0") as interrupted:
        assert interrupted.stdout
        seen(interrupted, "[Confirm]")
        interrupted.send_signal(signal.SIGINT)
        last = interrupted.stdout.read()
        assert interrupted.wait(60) == 130
    assert "Stopped." in last
    assert "Traceback" not in last
    assert left_behind(tmp_path) == []

    with running(tmp_path, "demo", DAILY_POINTS="0") as second:
        shown, _ = second.communicate(timeout=200)
    assert second.returncode == 0, shown
    assert left_behind(tmp_path) == []
    assert "alice  dataset new zorp-2 trigger=zorp" in shown
    assert "alice/zorp-2 is public" in shown
    assert "«zorp» is alice/zorp-2, at 100 %" in shown

    made = {path.suffix: path for path in sorted((tmp_path / "demo" / "alice").iterdir())}
    with safe_open(made[".safetensors"], framework="pt") as lora:
        assert lora.metadata()["ss_output_name"] == "zorp-2"
    pictures = list((tmp_path / "demo" / "bob").iterdir())
    assert len(pictures) == 2
    for picture in pictures:
        with Image.open(picture) as drawn:
            assert drawn.size == (64, 64)
    assert (tmp_path / "demo" / "conversation.svg").read_text().startswith("<svg")
