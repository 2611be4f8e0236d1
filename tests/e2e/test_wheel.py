"""The wheel: what is in it and what is not, and that it works where no checkout is."""

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, started
from tests.worker.pictures import a_picture, encoded

pytestmark = pytest.mark.timeout(180)

BASE = "worker/bases/tiny-sd"
SHIPPED = [
    "config/offerings/demo-dreambooth.toml",
    "config/offerings/demo-hyper.toml",
    "config/offerings/demo-tiny.toml",
    "config/offerings/flux-lora.toml",
    "config/offerings/llm.toml",
    "config/offerings/sd15-dreambooth.toml",
    "config/offerings/sd15-hyper.toml",
    "config/offerings/sd15-lora.toml",
    "config/offerings/sdxl-lora.toml",
    "config/traits.toml",
    *(f"loraguild/demo/pictures/{number:02}.png" for number in range(1, 13)),
    "web/static/icon.svg",
    "web/static/page.css",
    "web/static/upload.js",
    "web/templates/base.html",
    "web/templates/connect.html",
    "web/templates/connected.html",
    "web/templates/problem.html",
    "web/templates/received.html",
    "web/templates/terminal.html",
    "web/templates/upload.html",
    f"{BASE}-4-steps/README.md",
    f"{BASE}-4-steps/pytorch_lora_weights.safetensors",
    f"{BASE}/README.md",
    f"{BASE}/model_index.json",
    f"{BASE}/scheduler/scheduler_config.json",
    f"{BASE}/text_encoder/config.json",
    f"{BASE}/text_encoder/model.safetensors",
    f"{BASE}/tokenizer/tokenizer.json",
    f"{BASE}/tokenizer/tokenizer_config.json",
    f"{BASE}/unet/config.json",
    f"{BASE}/unet/diffusion_pytorch_model.safetensors",
    f"{BASE}/vae/config.json",
    f"{BASE}/vae/diffusion_pytorch_model.safetensors",
]
ABOUT = "loraguild-0.1.0.dist-info"
PACKAGES = {"bots", "config", "core", "loraguild", "storage", "web", "worker"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT), folder=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, which borrows what it depends on; return its `bin`."""
    place = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", str(place), folder=place)
    (packages,) = place.glob("lib/python3*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()))
    python = str(place / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index")
    run(*pip, str(wheel), folder=place)
    return place / "bin"


def environment() -> dict[str, str]:
    """What a process gets that knows of no checkout, but where the embedded database is."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return known | {"PATH": f"{Path(sys.executable).parent}:{known['PATH']}"}


def run(*command: str, folder: Path) -> str:
    """Run a program in a folder and return what it prints."""
    ran = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_it_ships_all_that_is_needed_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert sorted(name for name in names if not name.startswith(ABOUT) and not name.endswith(".py")) == SHIPPED
    assert {name.partition("/")[0] for name in names} == PACKAGES | {ABOUT}
    assert [name for name in names if "test" in Path(name).name] == []


def test_it_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    loraguild = str(installed / "loraguild")
    where = run(str(installed / "python"), "-c", "import worker; print(worker.__file__)", folder=tmp_path)
    assert str(ROOT) not in where
    assert run(loraguild, "version", folder=tmp_path).strip().endswith("0.1.0")

    def answered(*words: str) -> dict[str, object]:
        said = run(loraguild, "say", "--as", "ann", "--json", *words, folder=tmp_path)
        answer: dict[str, object] = json.loads(said)
        return answer

    picture = tmp_path / "zorp.png"
    picture.write_bytes(encoded(a_picture()))
    assert "zorp" in str(answered("dataset new zorp trigger=zorp")["title"])
    with started(loraguild, "worker", data=tmp_path, env=environment()) as worker:
        done = answered("--wait", "--file", str(picture), "dataset add zorp")
        looked = answered("--wait", "dataset check zorp")
        worker.terminate()  # the last one out stops the database
        assert worker.wait(30) == 0
    assert done["code"] is None
    assert looked["files"], "no contact sheet"
