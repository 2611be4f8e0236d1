"""The wallet: what somebody has, what changed it, what each job has cost, and codes to redeem."""

import asyncio

from aiohttp import web

from core.domain.account import Role
from core.domain.ledger import points, qoints
from core.domain.wording import ACTS, LOTS
from core.services.wallets import OF_A_JOB
from web.months import before, following, month_of
from web.sandbox.page import Look, page
from web.wording import counted

LATEST = 5
SHOWN = 25  # receipts, and rows of a statement, on a page


@page("GET", "/wallet")
async def view(look: Look) -> web.StreamResponse:
    """Balances, a code to redeem, and the latest of everything."""
    wallets = look.services.wallets
    mine, receipts = await asyncio.gather(wallets.overview(look.actor), wallets.receipts(look.actor, limit=LATEST))
    return look.shown(
        "wallet/view.html", mine=mine, receipts=receipts, cap=look.services.accounts.cap, **_worded(look.actor.account)
    )


@page("POST", "/wallet/redeem", refused=view)
async def redeem(look: Look) -> web.StreamResponse:
    """Turn a code into qoints."""
    paid = await look.services.wallets.redeem(look.actor, look.field("code"))
    look.leads("/wallet", said=f"{counted(paid.amount, 'qoint')} came with this code, and are yours.")


@page("GET", "/wallet/statement")
async def statement(look: Look) -> web.StreamResponse:
    """Everything that changed points and qoints in a month, from what was there to what was left."""
    wished = month_of(look.query["month"]) if look.query.get("month") else None
    found = await look.services.wallets.monthly(look.actor, wished)
    number, today = look.page_number(), look.services.wallets.clock.now().date()
    return look.shown(
        "wallet/statement.html",
        found=found,
        entries=found.transactions[(number - 1) * SHOWN :][:SHOWN],
        number=number,
        pages=max(1, -(-len(found.transactions) // SHOWN)),
        before=before(found.month),
        following=following(found.month) if found.month < today.replace(day=1) else None,
        **_worded(found.owner),
    )


@page("GET", "/receipts")
async def receipts(look: Look) -> web.StreamResponse:
    """The receipts of all jobs that had a price."""
    after = look.query.get("after", "")
    found = await look.services.wallets.receipts(look.actor, after=after, limit=SHOWN + 1)
    return look.shown(
        "wallet/receipts.html",
        receipts=found[:SHOWN],
        more=len(found) > SHOWN,
        after=after,
        acts=ACTS,
        of_a_job=OF_A_JOB,
    )


@page("GET", "/receipts/{job}")
async def receipt(look: Look) -> web.StreamResponse:
    """What was held, captured, returned and paid back for one job, and why."""
    found = await look.services.wallets.receipt(look.actor, look.path("job"))
    return look.shown("wallet/receipt.html", receipt=found, acts=ACTS, lots=LOTS, of_a_job=OF_A_JOB)


@page("POST", "/receipts/{job}/dispute", role=Role.USER, refused=receipt)
async def dispute(look: Look) -> web.StreamResponse:
    """Ask for what a job has cost."""
    job = look.path("job")
    await look.services.disputes.open(look.actor, job, why=look.field("why"))
    look.leads(f"/receipts/{job}", said="The admins look at it. You are told what they say.")


def _worded(account: str) -> dict[str, object]:
    """What entries are shown with: how their acts are called, and whose books they change."""
    return {"acts": ACTS, "points": points(account), "qoints": qoints(account)}
