"""Dropboxes connected by OAuth with PKCE, through Dropbox's own SDK, against a server of ours."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr
from structlog.testing import capture_logs

from core.domain.connection import VALID_FOR
from core.domain.errors import (
    AlreadyConnected,
    BadLink,
    CloudNotSetUp,
    CloudRevoked,
    CloudUnavailable,
    ConnectingOver,
    ExtraMissing,
    NotConnected,
)
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.clouds import connected, with_dropbox
from tests.builders.scenes import everything_in, somebody
from tests.emulators.dropbox import ACCESS, NAME, REFRESH, Dropbox, Refusal, standing_in


@pytest.fixture
async def dropbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dropbox]:
    async with standing_in(tmp_path, monkeypatch) as service:
        with stamina.set_testing(True, attempts=2, cap=True):
            yield service


async def ignored(_: int) -> None:
    """Look away."""


async def test_somebody_connects_and_forgets(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann, connections = await somebody(own), own.services.connections
    before = await connections.of(ann)
    done = await connected(own, ann, dropbox)

    assert (before, done.name, await connections.of(ann)) == (None, NAME, done)
    with pytest.raises(AlreadyConnected, match="the Dropbox of Ann <Doe> already"):
        await connections.begin(ann)
    assert await connections.forget(ann)
    assert (dropbox.revoked, await connections.of(ann)) == (True, None)
    with pytest.raises(NotConnected):
        await connections.forget(ann)


async def test_no_secret_can_be_read_in_the_database_or_the_log(
    house: House, dropbox: Dropbox, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    own = with_dropbox(house)
    ann = await somebody(own)
    link = await own.services.connections.begin(ann)
    begun = str(await everything_in(database))
    back = dropbox.allows(link)
    with capture_logs() as logs:
        done = await own.services.connections.finish(back["state"], back["code"])
    seen = begun + str(await everything_in(database)) + str(logs) + caplog.text + repr(done)

    assert not any(secret in seen for secret in (REFRESH, ACCESS, back["code"]))


async def test_a_link_works_once_for_ten_minutes_and_until_the_next(
    house: House, dropbox: Dropbox, clock: HandClock
) -> None:
    own = with_dropbox(house)
    ann, connections = await somebody(own), own.services.connections
    older = dropbox.allows(await connections.begin(ann), code="older")
    newer = dropbox.allows(await connections.begin(ann), code="newer")
    for given in (older["state"], f"{newer['state']}x", "x"):
        with pytest.raises((ConnectingOver, BadLink)):
            await connections.finish(given, "newer")
    assert await connections.whose(newer["state"]) == "ann"

    ended = await asyncio.gather(
        *(connections.finish(newer["state"], "newer") for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["ConnectingOver", "ConnectingOver", "Connection"]

    await connections.forget(ann)
    dropbox.revoked = False
    late = dropbox.allows(await connections.begin(ann))
    clock.advance(VALID_FOR)
    for refused in (connections.whose(late["state"]), connections.finish(late["state"], late["code"])):
        with pytest.raises(ConnectingOver):
            await refused
    assert await connections.of(ann) is None


async def test_a_state_is_good_for_whoever_began_it_only(house: House, dropbox: Dropbox) -> None:
    """Bob's code, brought to the link of Ann, fails at Dropbox: the proof is Ann's."""
    own = with_dropbox(house)
    ann, bob = await somebody(own), await somebody(own, "bob")
    connections = own.services.connections
    anns = dropbox.allows(await connections.begin(ann), code="anns")
    dropbox.allows(await connections.begin(bob), code="bobs")

    with pytest.raises(ConnectingOver):
        await connections.finish(anns["state"], "bobs")
    assert [await connections.of(one) for one in (ann, bob)] == [None, None]


async def test_who_disconnects_meanwhile_is_not_connected(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann, connections = await somebody(own), own.services.connections
    back = dropbox.allows(await connections.begin(ann))
    dropbox.meanwhile = lambda: connections.forget(ann)

    with pytest.raises(ConnectingOver):
        await connections.finish(back["state"], back["code"])
    assert (await connections.of(ann), dropbox.revoked) == (None, True)


async def test_a_new_key_reads_what_the_old_one_sealed_until_it_goes(
    house: House, dropbox: Dropbox, tmp_path: Path
) -> None:
    def keyed(keys: str) -> House:
        facts = {"secret_key": SecretStr(keys)}
        return with_dropbox(replace(house, settings=house.settings.model_copy(update=facts)))

    old, new = f"a:{'a' * 32}", f"b:{'b' * 32}"
    ann = await somebody(house)
    await connected(keyed(old), ann, dropbox)
    file = tmp_path / "a.zip"
    file.write_bytes(b"content")

    both = keyed(f"{new},{old}").services.connections
    path = await both.upload(ann.account, file, path="/a.zip", progressed=ignored)
    only = keyed(new).services.connections
    with pytest.raises(CloudRevoked):
        await only.upload(ann.account, file, path="/b.zip", progressed=ignored)

    assert (path, dropbox.files) == ("/a.zip", {"/a.zip": b"content"})
    assert await only.of(ann) is None


async def test_a_house_without_an_app_says_so(house: House) -> None:
    ann = await somebody(house)

    with pytest.raises(CloudNotSetUp, match="An operator has to look at DROPBOX_APP_KEY"):
        await house.services.connections.begin(ann)


async def test_a_house_without_the_extra_says_how_to_get_it(
    house: House, dropbox: Dropbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = with_dropbox(house)
    monkeypatch.setitem(sys.modules, "dropbox", None)  # what makes an import fail
    ann = await somebody(own)
    with pytest.raises(ExtraMissing, match=r"pip install 'loraguild\[dropbox\]'"):
        await own.services.connections.begin(ann)
    assert dropbox.asked == []


async def test_what_dropbox_refuses_is_said(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann, connections = await somebody(own), own.services.connections
    other = with_dropbox(house, key="another-app").services.connections
    back = dropbox.allows(await connections.begin(ann))
    with pytest.raises(CloudNotSetUp, match="Dropbox does not accept it"):
        await other.finish(back["state"], back["code"])

    again = dropbox.allows(await connections.begin(ann))
    dropbox.refuses("oauth2/token", Refusal(status=503), Refusal(status=503))
    with pytest.raises(CloudUnavailable):
        await connections.finish(again["state"], again["code"])

    await connected(own, ann, dropbox)
    dropbox.refuses("auth/token/revoke", Refusal(status=500), Refusal(status=500))
    assert (await connections.forget(ann), await connections.of(ann)) == (False, None)
