"""The real pages over the real house, on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Page

from core.domain.account import Actor
from core.domain.dataset import Dataset
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import somebody
from tests.web.browser import browsing, watched
from web.app import application, serve

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


@pytest.fixture
async def site(house: House) -> AsyncIterator[str]:
    """The address of the house's pages as a process serves them, on a port that is free."""
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(services=house.services, blobs=house.blobs, host="127.0.0.1", port=0, stop=stop, started=port.set_result)
    )
    yield f"http://127.0.0.1:{await port}"
    stop.set()
    await serving


@pytest.fixture
async def page(site: str) -> AsyncIterator[Page]:
    """A page of a real browser, in which nothing may go wrong."""
    async with browsing() as browser, watched(browser, site) as context:
        yield await context.new_page()
