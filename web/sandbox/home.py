"""Home: what somebody has, what goes on, and what to do next."""

import asyncio

from aiohttp import web

from web.sandbox.page import Look, page


@page("GET", "/")
async def home(look: Look) -> web.StreamResponse:
    """Figures, running jobs, and the road for newcomers."""
    services, actor = look.services, look.actor
    datasets, jobs, models, balance, usage = await asyncio.gather(
        services.datasets.list(actor, limit=4),
        services.jobs.list(actor),
        services.models.list(actor, limit=4),
        services.wallets.view(actor),
        services.datasets.usage(actor),
    )
    return look.shown(
        "home.html",
        datasets=datasets,
        jobs=[job for job in jobs if not job.state.ended],
        lately=[job for job in jobs if job.state.ended][:5],
        models=models,
        balance=balance,
        usage=usage,
        quota=services.datasets.quota,
    )
