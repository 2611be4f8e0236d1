"""Downloads: a link opens one file for so many days, and nothing else."""

from datetime import timedelta

import pytest

from core.domain.errors import BadLink, LinkExpired
from core.ports.clock import HandClock
from core.services.downloads import Downloads
from loraguild.composition import House
from tests.builders.entities import HOME, a_dataset, an_artifact
from tests.builders.scenes import somebody

KEYS = {"0": b"a key of our own"}
ARTIFACT = an_artifact("zorp – «é».safetensors", sha256="f" * 64)


@pytest.fixture
def downloads(clock: HandClock) -> Downloads:
    return Downloads(clock=clock, keys=KEYS, address="https://example.org")


def token_of(link: str) -> str:
    return link.removeprefix("https://example.org/d/")


def test_a_link_opens_its_file_for_a_week(downloads: Downloads, clock: HandClock) -> None:
    token = token_of(downloads.link(ARTIFACT))

    clock.advance(timedelta(days=7) - timedelta(milliseconds=1))
    assert downloads.opened(token) == ARTIFACT
    clock.advance(timedelta(milliseconds=1))
    with pytest.raises(LinkExpired):
        downloads.opened(token)


def test_it_lasts_as_long_as_is_wished_and_fits_a_button(downloads: Downloads, clock: HandClock) -> None:
    link = downloads.link(ARTIFACT, days=1)
    clock.advance(timedelta(days=1))

    assert len(link) < 512
    with pytest.raises(LinkExpired):
        downloads.opened(token_of(link))


def test_other_keys_open_nothing(downloads: Downloads, clock: HandClock) -> None:
    others = Downloads(clock=clock, keys={"0": b"a key of others"}, address="")

    with pytest.raises(BadLink):
        others.opened(token_of(downloads.link(ARTIFACT)))


async def test_a_link_for_uploads_opens_no_download_and_the_other_way_round(house: House) -> None:
    uploads, downloads = house.services.uploads, house.services.downloads
    ann = await somebody(house)
    await house.store.datasets.add(a_dataset(owner=ann.account))
    up = (await uploads.open(ann, a_dataset(), place=HOME)).rsplit("/", 1)[1]
    down = downloads.link(ARTIFACT).rsplit("/", 1)[1]

    with pytest.raises(BadLink):
        downloads.opened(up)
    with pytest.raises(BadLink):
        await uploads.view(down)
