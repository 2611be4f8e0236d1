"""The real pages over the real house, on a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Actor
from core.domain.dataset import Dataset
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import somebody
from web.app import application

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(services=house.services, blobs=house.blobs))) as client:
        yield client


@pytest.fixture
async def ann(house: House) -> Actor:
    return await somebody(house)


@pytest.fixture
async def dataset(house: House, ann: Actor) -> Dataset:
    return await house.services.datasets.create(ann, name="<b>zorp</b> & «co»", trigger="zorp")


@pytest.fixture
async def link(house: House, ann: Actor, dataset: Dataset) -> str:
    """The path of an upload link."""
    opened = await house.services.uploads.open(ann, dataset, place=HOME)
    return opened.removeprefix(house.services.uploads.address)


@pytest.fixture
def html() -> dict[str, Any]:
    """What a browser sends and a program does not."""
    return {"headers": {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}}
