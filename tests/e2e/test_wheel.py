"""The wheel: what is in it and what is not, and that it works where no checkout is."""

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.processes import ALONE, ROOT, started
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
    "web/static/app.css",
    "web/static/app.js",
    "web/static/captions.js",
    "web/static/chart.js",
    "web/static/datasets.css",
    "web/static/drop.js",
    "web/static/frame.js",
    "web/static/icon.svg",
    "web/static/login.css",
    "web/static/page.css",
    "web/static/quote.js",
    "web/static/upload.js",
    "web/static/vendor/README.md",
    "web/static/vendor/htmx-4.0.1.LICENSE",
    "web/static/vendor/htmx-4.0.1.min.js",
    "web/static/vendor/hx-sse-4.0.1.min.js",
    "web/static/vendor/uPlot-1.6.32.LICENSE",
    "web/static/vendor/uPlot-1.6.32.iife.min.js",
    "web/static/vendor/uPlot-1.6.32.min.css",
    "web/templates/account/issued.html",
    "web/templates/account/view.html",
    "web/templates/admin/audit.html",
    "web/templates/admin/codes.html",
    "web/templates/admin/community.html",
    "web/templates/admin/costs.html",
    "web/templates/admin/dataset.html",
    "web/templates/admin/dispute.html",
    "web/templates/admin/disputes.html",
    "web/templates/admin/frame.html",
    "web/templates/admin/moderation.html",
    "web/templates/admin/news.html",
    "web/templates/admin/offerings.html",
    "web/templates/admin/payout.html",
    "web/templates/admin/payouts.html",
    "web/templates/admin/people.html",
    "web/templates/admin/person.html",
    "web/templates/admin/reports.html",
    "web/templates/admin/settings.html",
    "web/templates/admin/view.html",
    "web/templates/admin/vouchers.html",
    "web/templates/admin/workers.html",
    "web/templates/api.html",
    "web/templates/base.html",
    "web/templates/captions/auto.html",
    "web/templates/captions/card.html",
    "web/templates/captions/editor.html",
    "web/templates/captions/one.html",
    "web/templates/captions/rewrite.html",
    "web/templates/captions/sets.html",
    "web/templates/characters/delete.html",
    "web/templates/characters/list.html",
    "web/templates/characters/new.html",
    "web/templates/characters/traits.html",
    "web/templates/characters/view.html",
    "web/templates/connect.html",
    "web/templates/connected.html",
    "web/templates/connections/connect.html",
    "web/templates/creator/character.html",
    "web/templates/creator/dataset.html",
    "web/templates/creator/order.html",
    "web/templates/creator/pictures.html",
    "web/templates/creator/steps.html",
    "web/templates/creator/traits.html",
    "web/templates/datasets/card.html",
    "web/templates/datasets/consent.html",
    "web/templates/datasets/crumbs.html",
    "web/templates/datasets/delete.html",
    "web/templates/datasets/delete_many.html",
    "web/templates/datasets/edit.html",
    "web/templates/datasets/export.html",
    "web/templates/datasets/found.html",
    "web/templates/datasets/list.html",
    "web/templates/datasets/page.html",
    "web/templates/datasets/parts.html",
    "web/templates/datasets/purge.html",
    "web/templates/datasets/remove.html",
    "web/templates/datasets/sharing.html",
    "web/templates/datasets/view.html",
    "web/templates/datasets/work.html",
    "web/templates/doctor/findings.html",
    "web/templates/doctor/preview.html",
    "web/templates/drop.html",
    "web/templates/earnings/view.html",
    "web/templates/expired.html",
    "web/templates/frame.html",
    "web/templates/generations/form.html",
    "web/templates/generations/price.html",
    "web/templates/generations/view.html",
    "web/templates/home.html",
    "web/templates/jobs/epochs.html",
    "web/templates/jobs/extend.html",
    "web/templates/jobs/fresh.html",
    "web/templates/jobs/list.html",
    "web/templates/jobs/log.html",
    "web/templates/jobs/news.html",
    "web/templates/jobs/sample.html",
    "web/templates/jobs/standing.html",
    "web/templates/jobs/stop.html",
    "web/templates/jobs/view.html",
    "web/templates/jobs/why.html",
    "web/templates/login.html",
    "web/templates/login_as.html",
    "web/templates/login_telegram.html",
    "web/templates/models/list.html",
    "web/templates/models/view.html",
    "web/templates/notices/list.html",
    "web/templates/parts.html",
    "web/templates/payouts/list.html",
    "web/templates/problem.html",
    "web/templates/received.html",
    "web/templates/terminal.html",
    "web/templates/trainings/form.html",
    "web/templates/trainings/price.html",
    "web/templates/trainings/quote.html",
    "web/templates/upload.html",
    "web/templates/wallet/parts.html",
    "web/templates/wallet/receipt.html",
    "web/templates/wallet/receipts.html",
    "web/templates/wallet/statement.html",
    "web/templates/wallet/view.html",
    "web/templates/webhooks/list.html",
    "web/templates/webhooks/parts.html",
    "web/templates/webhooks/secret.html",
    "web/templates/webhooks/view.html",
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
    return known | ALONE | {"PATH": f"{Path(sys.executable).parent}:{known['PATH']}"}


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
