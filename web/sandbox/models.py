"""Models, one's own and those of others: the list in tabs, one of them with all that is known of it, its files."""

import asyncio
from http import HTTPStatus

from aiohttp import web

from core.domain.account import Role
from core.domain.artifact import Artifact
from core.domain.errors import BadValue
from core.domain.model import SAMPLES, Licence, Model, Scope, Search, Visibility
from core.domain.rating import Rating
from core.domain.royalty import shown
from core.domain.run import Run
from web.sandbox.page import Look, one_of, page

CARDS = 24  # on a page
DEEPEST = 40  # pages


@page("GET", "/models")
async def list_(look: Look) -> web.StreamResponse:
    """Models with their covers: one's own, those that are shared with one, or those for everyone."""
    scope = one_of(Scope, look.query.get("scope", "") or Scope.MINE.value, what="scope")
    text, base, number = look.query.get("text", "").strip(), look.query.get("base", ""), look.page_number()
    if number > DEEPEST:
        raise BadValue(what="page", value=str(number), why=f"it takes 1 to {DEEPEST}; search for something narrower")
    search = Search(scope=scope, text=text, base=base or None, adult=look.actor.adult)
    found = await look.services.models.list(look.actor, search, skip=(number - 1) * CARDS, limit=CARDS + 1)
    runs = await asyncio.gather(*(look.services.runs.find(model.run) for model in found[:CARDS]))
    offerings = look.services.trainings.offerings.values()
    return look.shown(
        "models/list.html",
        cards=[
            (model, cover(model, run) if _is_fit(look, model) else None)
            for model, run in zip(found[:CARDS], runs, strict=True)
        ],
        more=len(found) > CARDS and number < DEEPEST,
        number=number,
        scope=scope,
        scopes=list(Scope),
        text=text,
        base=base,
        bases=sorted({one.base.id: one.base.title for one in offerings}.items()),
    )


@page("GET", "/models/{model}")
async def view(look: Look) -> web.StreamResponse:
    """A model: what it draws, how to call it, how it was made; to its owner also what can be done with it."""
    services, actor, name = look.services, look.actor, look.path("model")
    seen, stats = await asyncio.gather(services.models.view(actor, name), services.models.stats(actor, name))
    model, run = seen.model, seen.run
    mine = model.owner == actor.account
    _require_fit(look, model)
    offering = services.trainings.offerings.get(model.offering)
    return look.shown(
        "models/view.html",
        seen=seen,
        model=model,
        run=run,
        mine=mine,
        stats=stats,
        earned=None if stats.earned is None else shown(stats.earned),
        epoch=run.epoch_at(model.step),
        samples=presented(model, run),
        base=offering.base.title if offering else model.base,
        prompts=[one.replace("{trigger}", model.trigger) for one in offering.samples] if offering else [],
        known=await services.models.samples(actor, name) if mine else [],
        readers=await services.models.readers(actor, name) if mine else [],
        most=SAMPLES,
        licences=list(Licence),
        visibilities=list(Visibility),
        card_facts=card_facts,
        name_facts=name_facts,
        sample_facts=sample_facts,
        use_facts=use_facts,
    )


@page("GET", "/models/{model}/download")
async def download(look: Look) -> web.StreamResponse:
    """The model's file, for other programs."""
    _require_fit(look, (await look.services.models.view(look.actor, look.path("model"))).model)
    file, *_ = await look.services.publications.download(look.actor, look.path("model"))
    return _away(look, file)


@page("GET", "/models/{model}/card")
async def card(look: Look) -> web.StreamResponse:
    """The model's card as model hubs read it."""
    _require_fit(look, (await look.services.models.view(look.actor, look.path("model"))).model)
    return _away(look, await look.services.publications.card(look.actor, look.path("model")))


def cover(model: Model, run: Run | None) -> Artifact | None:
    """The picture that a model is known by."""
    made = [model.thumbnail, *model.samples, *(presented(model, run) if run else ())]
    return next((one for one in made if one and one.is_picture), None)


def presented(model: Model, run: Run) -> tuple[Artifact, ...]:
    """The samples that a model presents itself with: those that were chosen, or those of its epoch."""
    epoch = run.epoch_at(model.step)
    return model.samples or (epoch.samples if epoch else ())


def card_facts(model: Model) -> dict[str, str]:
    """What the form says of how a model presents itself."""
    return {"description": model.description, "tags": " ".join(model.tags), "licence": model.licence}


def name_facts(model: Model) -> dict[str, str]:
    """What the form says of how it is called."""
    return {"name": model.slug}


def sample_facts(model: Model) -> dict[str, str]:
    """What the form says of the pictures that were chosen for it."""
    return {"chosen pictures": ", ".join(f"{one.name} {one.sha256[:6]}" for one in model.samples)}


def use_facts(model: Model) -> dict[str, str]:
    """What the form says of who may use it."""
    return {"visibility": model.visibility}


def _is_fit(look: Look, model: Model) -> bool:
    """Whether it may be shown to whoever looks: to its owner, to moderators, and of those for adults to adults."""
    mine = model.owner == look.actor.account or look.actor.role.covers(Role.MODERATOR)
    return mine or look.actor.adult or model.rating is Rating.SFW


def _require_fit(look: Look, model: Model) -> None:
    if not _is_fit(look, model):
        look.actor.require_adult(model.rating)


def _away(look: Look, file: Artifact) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": look.download(file)})
