"""Settings: what admins chose for servers and groups, what is turned off, and what the configuration says."""

from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import web

from core.domain.account import Platform, Role
from core.domain.community import WORDS, Community, Setting
from core.domain.rating import Rating
from core.domain.switch import QUEUE, Switch, of_offering, of_worker
from web.sandbox.page import Look, page
from web.wording import counted, size

RATINGS = ((Rating.SFW, "everyone"), (Rating.NSFW, "adults"))


@page("GET", "/admin/settings", role=Role.ADMIN)
async def list_(look: Look) -> web.StreamResponse:
    """The servers and groups, what is off, and the house as it was set up; or on to the one that is named."""
    if named := look.query.get("community", "").strip():
        found = await look.services.communities.view(look.actor, named)
        look.leads(_path(found))
    off = await look.services.operations.off(look.actor)
    return look.shown(
        "admin/settings.html",
        communities=await look.services.communities.list(look.actor),
        settings=list(Setting),
        path=_path,
        off=[(one, *_switched(look, one.switch)) for one in off],
        configured=_configured(look),
    )


@page("GET", "/admin/settings/{community}", role=Role.ADMIN)
async def view(look: Look) -> web.StreamResponse:
    """What may be done in one of them."""
    community = await look.services.communities.view(look.actor, look.path("community"))
    return look.shown(
        "admin/community.html",
        community=community,
        facts=_facts,
        ratings=RATINGS,
        roles=[(role, role) for role in Role],
        answers=[(word, word) for word in WORDS.values()],
        takes_adults=community.id.startswith(Platform.TELEGRAM),
    )


@page("POST", "/admin/settings/{community}", role=Role.ADMIN, refused=view)
async def edit(look: Look) -> web.StreamResponse:
    """Change all of it at once."""
    wished = {setting: look.field(setting) for setting in Setting if setting in look.typed}
    changed = await look.services.communities.edit(
        look.actor, look.path("community"), wished, expecting=look.expecting(_facts)
    )
    look.leads(_path(changed), said="It is changed, and holds from now on.")


def _path(community: Community) -> str:
    return f"/admin/settings/{quote(community.id, safe=':')}"


def _facts(community: Community) -> dict[str, str]:
    """What the form says of a community."""
    return {setting.value: community.value(setting) for setting in Setting}


def _switched(look: Look, switch: Switch) -> tuple[str, str]:
    """What a switch that is off means, and the page where it is turned on again."""
    name = switch.id.partition(":")[2]
    if switch.id == QUEUE:
        return "The queue is paused", "/admin"
    if switch.id == of_worker(name):
        return f"Worker {name} ends what it does, and leaves", "/admin/workers"
    if switch.id == of_offering(name):
        return f"{look.offering(name)} cannot be ordered", "/admin/offerings"
    return f"Jobs of {look.offering(name)} are paused", "/admin"


def _configured(look: Look) -> Sequence[tuple[str, str, str]]:
    """What the configuration says that is no secret: what it is about, what it says, and what sets it."""
    services = look.services
    quota = services.datasets.quota
    return (
        ("Address", services.sessions.address, "PUBLIC_URL"),
        ("First admins", ", ".join(sorted(services.accounts.admins)), "ADMINS"),
        ("Daily points", f"{services.accounts.cap:,}", "DAILY_POINTS"),
        ("Storage each", f"{size(quota.bytes)} in {counted(quota.items, 'item')}", "QUOTA_MB, QUOTA_ITEMS"),
        ("Kept in the bin", counted(services.purges.retention_days, "day"), "RETENTION_DAYS"),
        ("Spare epochs kept", counted(services.publications.epochs_days, "day"), "EPOCHS_DAYS"),
        ("Royalties a day", f"{counted(services.generations.cap, 'qoint')} from one person", "ROYALTY_DAILY_CAP"),
        ("Royalties held", counted(services.generations.holding_days, "day"), "ROYALTY_HOLDING_DAYS"),
        ("Least payout", counted(services.payouts.minimum, "qoint"), "PAYOUT_MINIMUM"),
        ("Two admins above", f"{counted(services.payouts.four_eyes, 'qoint')} in 30 days", "PAYOUT_FOUR_EYES"),
        ("Captioner", services.captionings.captioner, "CAPTIONER"),
        ("Dropbox", "exports can go there" if services.connections.offered else "not set up", "DROPBOX_APP_KEY"),
    )
