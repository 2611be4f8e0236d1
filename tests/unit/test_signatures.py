"""Signed texts and the keys behind them: what was changed, or made elsewhere or for something else, opens nothing."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.secrets import FILE, derived, signing_keys
from config.settings import Settings
from core.domain.errors import BadLink, SecretMissing, SecretUnfit
from core.domain.signature import signed, verified

OLD, NEW = {"0": b"an old key of ours"}, {"1": b"a new key of ours"}
LONG, OTHER = "k" * 32, "o" * 32


def settings(folder: Path = Path(), **facts: Any) -> Settings:
    return Settings(data_folder=folder, **facts)


@given(st.text())
def test_what_was_signed_comes_back(text: str) -> None:
    link = signed(text, purpose="upload", keys=OLD)

    assert verified(link, purpose="upload", keys=OLD) == text
    assert link.isascii()
    assert not set(link) & set("/+=?&# ")


@given(st.text(min_size=1), st.data())
def test_a_changed_link_opens_nothing(text: str, data: st.DataObject) -> None:
    link = signed(text, purpose="upload", keys=OLD)
    place = data.draw(st.integers(0, len(link) - 1))
    put = data.draw(st.characters().filter(lambda character: character != link[place]))

    with pytest.raises(BadLink):
        verified(link[:place] + put + link[place + 1 :], purpose="upload", keys=OLD)


@given(st.text())
def test_anything_else_is_no_link(text: str) -> None:
    with pytest.raises(BadLink):
        verified(text, purpose="upload", keys=OLD)


def test_a_link_opens_only_what_it_was_made_for() -> None:
    with pytest.raises(BadLink):
        verified(signed("x", purpose="upload", keys=OLD), purpose="download", keys=OLD)


def test_while_keys_are_replaced_both_open_and_the_first_signs() -> None:
    old, both = signed("x", purpose="p", keys=OLD), NEW | OLD
    new = signed("x", purpose="p", keys=both)

    assert [verified(link, purpose="p", keys=both) for link in (old, new)] == ["x", "x"]
    assert verified(new, purpose="p", keys=NEW) == "x"
    with pytest.raises(BadLink):
        verified(old, purpose="p", keys=NEW)


@pytest.mark.parametrize(
    ("secret", "keys"),
    [
        (LONG, {"0": LONG.encode()}),
        (f" 7:{LONG} ,", {"7": LONG.encode()}),
        (f"b:{OTHER},a:{LONG}", {"b": OTHER.encode(), "a": LONG.encode()}),
        (f"1:{OTHER},{LONG}", {"1": OTHER.encode(), "0": LONG.encode()}),
    ],
)
def test_keys_come_from_the_settings_the_signing_one_first(secret: str, keys: dict[str, bytes]) -> None:
    assert list(signing_keys(settings(secret_key=secret)).items()) == list(keys.items())


@pytest.mark.parametrize(
    "secret", ["short", "a:short", f":{LONG}", f"a.b:{LONG}", f"a:{LONG},a:{OTHER}", f"{LONG},{OTHER}"]
)
def test_keys_that_would_not_do_are_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(SecretUnfit) as refused:
        signing_keys(settings(secret_key=secret))

    assert not any(part in str(refused.value) for part in ("short", LONG, OTHER))


def test_a_shared_house_needs_a_key() -> None:
    for secret in (None, "", " , "):
        with pytest.raises(SecretMissing):
            signing_keys(settings(mongodb_uri="mongodb://db", secret_key=secret))


def test_an_embedded_house_makes_one_once_that_only_its_owner_reads(tmp_path: Path) -> None:
    here = settings(tmp_path / "data", secret_key="")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: signing_keys(here), range(16)))

    [file] = (tmp_path / "data").iterdir()
    assert file.name == FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert found == [{"0": file.read_bytes()}] * 16
    assert len(file.read_bytes()) == 64


def test_a_purpose_has_a_secret_of_its_own(tmp_path: Path) -> None:
    here = settings(tmp_path)

    assert derived(here, "a") == derived(here, "a")
    assert len({derived(here, "a"), derived(here, "b"), signing_keys(here)["0"].decode()}) == 3
