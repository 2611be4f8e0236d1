"""Training and drawing in a browser: prices follow what is typed, pages follow what happens, without a reload."""

import asyncio
import re
from datetime import timedelta

from playwright.async_api import Page, Route, expect

from core.domain.account import Actor
from core.domain.job import Progress
from core.domain.run import MetricsPoint
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.entities import an_epoch
from tests.builders.scenes import a_ready_dataset, a_trained_model, an_order, claimed, finished, stored, well_done
from tests.web.browser import PHONE, prove_it_is_accessible, signed_in

SOON = 60_000  # milliseconds, on a busy machine
READ = """() => new Promise((done) => {
    const look = () => (window.htmx && document.readyState !== "loading" ? setTimeout(done) : setTimeout(look));
    look();
})"""  # all of a page has been read, and what htmx would have begun with at once, it has


async def learned(house: House, job: str, token: str, *steps: int) -> None:
    """Let a worker report the points of these steps."""
    points = [MetricsPoint(step=step, loss=1 / step, lr=1e-3) for step in steps]
    progress = Progress(step=steps[-1], total=200, eta=40.0, doing="training")
    await house.services.jobs.report(job, token, progress=progress, points=points)


async def test_a_price_follows_what_is_typed_until_it_is_ordered(house: House, page: Page, ann: Actor) -> None:
    await a_ready_dataset(house, ann)
    await signed_in(page, house, ann)
    await page.goto("/train?offering=tiny")
    await page.get_by_label("Dataset").select_option(index=1)
    await expect(page.locator("#price")).to_contain_text("20 points", timeout=SOON)
    await page.get_by_text(re.compile("^Settings")).click()
    await page.get_by_label("steps", exact=True).fill("5")
    await expect(page.locator("#steps-wrong")).to_contain_text("takes 10 to 2000", timeout=SOON)
    await page.get_by_label("steps", exact=True).fill("400")
    await expect(page.locator("#price")).to_contain_text("30 points", timeout=SOON)
    await expect(page.locator("#steps-wrong")).to_have_count(0)
    await page.get_by_role("radio", name="slow 30 points", exact=True).check()
    await expect(page.get_by_text("as in «slow»")).to_be_visible(timeout=SOON)
    await expect(page.get_by_label("steps", exact=True)).to_have_value("400")
    await prove_it_is_accessible(page)

    await page.get_by_role("button", name="Get a quote").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Order for 30 points").click()
    await expect(page.get_by_role("status").filter(has_text="is ordered")).to_be_visible(timeout=SOON)
    await expect(page.get_by_role("heading", name="Why it waits")).to_be_visible()


async def opened_slowly(page: Page, where: str, script: str) -> None:
    """Open a page one of whose scripts comes when everything else is there."""
    come = asyncio.Event()

    async def late(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await page.route(script, late)
    await page.goto(where, wait_until="commit")
    await page.evaluate(READ)
    come.set()


async def test_the_page_of_a_job_follows_it_to_its_end_however_late_its_scripts_come(
    house: House, page: Page, ann: Actor, clock: HandClock
) -> None:
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    running, token = await claimed(house, job)
    await learned(house, job.id, token, 10, 20)
    await signed_in(page, house, ann)
    await opened_slowly(page, f"/jobs/{job.id}", "**/hx-sse-*.js")
    chart = page.locator("#chart")
    await expect(chart).to_have_attribute("data-points", "2")
    await expect(chart.locator("canvas")).to_have_count(1)

    await learned(house, job.id, token, 30, 40, 50)
    sample = await stored(house, "sample.png")
    epoch = an_epoch(1, step=50, artifact=await stored(house, "zorp-1.safetensors"), samples=(sample,))
    clock.advance(timedelta(milliseconds=1))  # no two reports are of one moment
    await house.services.runs.passed(job.id, token, epoch, run=job.id)
    await expect(chart).to_have_attribute("data-points", "5", timeout=SOON)
    await expect(page.get_by_text("50 of 200 · 40 s left · training")).to_be_visible(timeout=SOON)
    await expect(page.get_by_alt_text("Sample 1 after step 50")).to_have_count(1, timeout=SOON)
    await prove_it_is_accessible(page)

    await house.services.jobs.finish(job.id, token, await well_done(house, running))
    await expect(page.get_by_role("link", name="See the model")).to_be_visible(timeout=SOON)
    await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    await expect(chart.locator("canvas")).to_have_count(1)


async def test_pictures_appear_when_they_are_drawn(house: House, page: Page, ann: Actor) -> None:
    await a_trained_model(house, ann)
    await signed_in(page, house, ann)
    await page.set_viewport_size(PHONE)
    await page.goto("/generate")
    await page.get_by_role("link", name="zorp").click()
    await expect(page.get_by_label("Prompt")).to_have_value("zorp ")
    await expect(page.locator("#price")).to_contain_text("«zorp» is ann/zorp", timeout=SOON)
    await page.get_by_role("button", name="Draw").click()
    await page.wait_for_url(re.compile(r"/generate/\w+$"))
    await finished(house, await house.store.jobs.get(page.url.rpartition("/")[2]))
    await expect(page.get_by_alt_text("Picture 1 of «zorp»")).to_have_count(1, timeout=SOON)
    await prove_it_is_accessible(page)
