"""The upload page in a real browser: files that are dropped and pasted, seen as they go up, and handed on."""

import os

from playwright.async_api import Page, expect

from core.domain.upload import PIECE
from core.kinds.intake import Payload
from loraguild.composition import House
from tests.web.browser import handed, prove_it_is_accessible
from tests.worker.pictures import a_picture, encoded

SEEN = """() => {
    window.seen = [];
    const look = () => window.seen.push(...[...document.querySelectorAll("#files progress")].map((one) => one.value));
    new MutationObserver(look).observe(document.getElementById("files"), {subtree: true, attributes: true});
}"""


async def test_files_are_dropped_pasted_seen_going_up_and_handed_on(house: House, page: Page, link: str) -> None:
    content = os.urandom(PIECE + 2**20)
    await page.goto(link)
    await page.evaluate(SEEN)

    await handed(page, "drop", ".drop", [("zorp.zip", "application/zip", content)])
    await handed(page, "paste", "body", [("image.png", "image/png", encoded(a_picture()))])

    await expect(page.locator("#files li.here")).to_have_count(2)
    assert any(0 < value < 1 for value in await page.evaluate("window.seen"))
    await prove_it_is_accessible(page)
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("heading", name="Received: 2 files")).to_be_visible()
    [job] = [job for job in await house.store.jobs.queue(limit=0) if job.kind == "intake"]
    dropped, pasted = Payload.model_validate(job.payload).files
    assert (dropped.name, pasted.name.startswith("pasted ")) == ("zorp.zip", True)
