"""What the pages bring along is what others have published, to the byte, and its licences are here."""

import hashlib
import re

from web.pages import STATIC

VENDOR = STATIC / "vendor"
ROW = re.compile(r"^\| `([^`]+)` \| .* \| `([0-9a-f]{64})` \|$", re.MULTILINE)
LICENCES = {"htmx-4.0.1.LICENSE", "uPlot-1.6.32.LICENSE"}


def test_every_file_is_as_it_was_published() -> None:
    stated = dict(ROW.findall((VENDOR / "README.md").read_text()))
    others = {path.name for path in VENDOR.iterdir()} - LICENCES - {"README.md"}
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in others} == stated


def test_every_licence_is_kept() -> None:
    assert {path.name for path in VENDOR.glob("*.LICENSE")} == LICENCES
    assert all("WARRANT" in (VENDOR / name).read_text() for name in LICENCES)
