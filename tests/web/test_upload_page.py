"""The upload page in a real browser: files that are dropped and pasted, seen as they go up, and handed on."""

import asyncio
import os

import pytest
from playwright.async_api import Page, Route, expect

from core.kinds.intake import Payload
from loraguild.composition import House
from tests.web.browser import handed, prove_it_is_accessible
from tests.worker.pictures import a_picture, encoded
from web import uploads

SEEN = """() => {
    window.seen = [];
    const look = () => window.seen.push(...[...document.querySelectorAll("#files progress")].map((one) => one.value));
    new MutationObserver(look).observe(document.getElementById("files"), {subtree: true, attributes: true});
}"""


async def test_files_are_dropped_pasted_seen_going_up_and_handed_on(
    house: House, page: Page, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PIECE", 2**16)
    content, chosen, told = os.urandom(100_000), asyncio.Event(), list[str]()

    async def asked(route: Route) -> None:  # what is here already, which is old as soon as something more is sent
        await chosen.wait()
        told.append("asked")
        await route.continue_()

    page.on("request", lambda request: told.append("sent") if request.method == "PUT" else None)
    await page.route("**/files", asked)
    await page.goto(link)
    await page.evaluate(SEEN)

    await handed(page, "drop", ".drop", [("zorp.zip", "application/zip", content)])
    await handed(page, "paste", "body", [("image.png", "image/png", encoded(a_picture()))])
    chosen.set()

    await expect(page.locator("#files li.here")).to_have_count(2)
    assert told[0] == "asked"
    assert any(0 < value < 1 for value in await page.evaluate("window.seen"))
    await prove_it_is_accessible(page)
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("heading", name="Received: 2 files")).to_be_visible()
    [job] = [job for job in await house.store.jobs.queue(limit=0) if job.kind == "intake"]
    dropped, pasted = Payload.model_validate(job.payload).files
    assert (dropped.name, pasted.name.startswith("pasted ")) == ("zorp.zip", True)
