"""The creator: a dataset step by step. Every step is a page, and how far one is lies in the dataset itself."""

from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from core.domain.address import addresses
from core.domain.character import Character
from core.domain.creation import OPTIONAL, Step, done, following
from core.domain.dataset import Dataset
from core.domain.errors import BadValue, DomainError, NotFound
from core.domain.job import Job, JobState
from core.domain.rating import Rating
from core.domain.readiness import require_ready
from core.domain.upload import LIMIT, PIECE
from core.kinds.intake import Result, Verdict
from web.sandbox.datasets import going_on, mine
from web.sandbox.page import Look, one_of, page

OWN = {  # steps whose page is the feature's own
    Step.DATASET: "/datasets/{}/edit",
    Step.CAPTIONS: "/datasets/{}/captions",
    Step.CHECK: "/datasets/{}/doctor",
}


@page("GET", "/datasets/new")
async def starting(look: Look) -> web.StreamResponse:
    """Who is depicted: a character, a new one, or nobody."""
    known = await look.services.characters.known(look.actor)
    characters = [one for one in known if one.active]
    return look.shown("creator/character.html", characters=characters, **steps(Step.CHARACTER))


@page("POST", "/datasets/new", refused=starting)
async def start(look: Look) -> web.StreamResponse:
    """Take a character, or invent one."""
    chosen = look.field("character")
    if chosen == "none":
        look.leads("/datasets/new/dataset")
    if chosen != "new":
        found = (await look.services.characters.view(look.actor, chosen)).character
    else:
        name, trigger = look.field("name"), look.field("trigger")
        found = (await look.services.characters.create(look.actor, name=name, trigger=trigger)).character
    look.leads(f"/datasets/new/traits?character={found.id}")


@page("GET", "/datasets/new/traits")
async def describing(look: Look) -> web.StreamResponse:
    """What the character looks like, which every caption says."""
    character = await _character(look)
    if character is None:
        look.leads("/datasets/new")
    presets = look.services.characters.presets
    return look.shown(
        "creator/traits.html",
        character=character,
        presets=presets,
        known=known_traits(look),
        **steps(Step.TRAITS, None, character),
    )


@page("POST", "/datasets/new/traits", refused=describing)
async def describe(look: Look) -> web.StreamResponse:
    """Keep the traits, all at once."""
    character = await _character(look)
    if character is None:
        look.leads("/datasets/new")
    wished, expecting = traits(look, character), look.expecting(known_traits(look))
    await look.services.characters.describe(look.actor, character.id, wished, expecting=expecting)
    look.leads(f"/datasets/new/dataset?character={character.id}")


@page("GET", "/datasets/new/dataset")
async def naming(look: Look) -> web.StreamResponse:
    """What the dataset is called, by which word its model, and who it is for."""
    character = await _character(look)
    return look.shown("creator/dataset.html", character=character, **steps(Step.DATASET, None, character))


@page("POST", "/datasets/new/dataset", refused=naming)
async def create(look: Look) -> web.StreamResponse:
    """Open the dataset."""
    character = await _character(look)
    dataset = await look.services.datasets.create(
        look.actor,
        name=look.field("name"),
        trigger=character.trigger if character else look.field("trigger"),
        rating=one_of(Rating, look.field("rating", Rating.SFW.value), what="rating"),
    )
    look.leads(f"/datasets/{dataset.id}/create/pictures")


@page("GET", "/datasets/{dataset}/create")
async def continue_(look: Look) -> web.StreamResponse:
    """Go on where something is missing."""
    dataset = await mine(look)
    look.leads(where(following(dataset), dataset))


@page("GET", "/datasets/{dataset}/create/pictures")
async def filling(look: Look) -> web.StreamResponse:
    """The drop zone, and what became of what came in."""
    dataset, uploads = await mine(look), look.services.uploads
    link = await uploads.going_on(look.actor, dataset, place=look.place)
    jobs = await going_on(look, dataset.id)
    last = await _last_intake(look, dataset)
    return look.shown(
        "creator/pictures.html",
        dataset=dataset,
        address=link,
        link=urlsplit(link).path,
        piece=PIECE,
        limit=LIMIT,
        jobs=jobs,
        last=last,
        outcomes=_outcomes(last),
        taken=Verdict.TAKEN,
        **steps(Step.PICTURES, dataset),
    )


@page("POST", "/datasets/{dataset}/create/pictures", refused=filling)
async def fetch(look: Look) -> web.StreamResponse:
    """Have what links lead to fetched."""
    links = addresses(look.field("links"))
    dataset = await mine(look)
    await look.services.intakes.add(look.actor, dataset, (), links=links, place=look.place, key=look.key)
    look.leads(f"/datasets/{dataset.id}/create/pictures", said="The links are being fetched.")


@page("GET", "/datasets/{dataset}/create/order")
async def ordering(look: Look) -> web.StreamResponse:
    """What will be trained on, and what is in the way of that."""
    dataset = await mine(look)
    return look.shown("creator/order.html", dataset=dataset, refusal=_refusal(dataset), **steps(Step.ORDER, dataset))


@page("GET", "/datasets/{dataset}/create/{step}")
async def stepping(look: Look) -> web.StreamResponse:
    """Go to a step by its name."""
    dataset, named = await mine(look), look.path("step")
    try:
        look.leads(where(Step(named), dataset) or f"/datasets/{dataset.id}/edit")
    except ValueError:
        raise NotFound(noun="step", name=named, hint=f"There are: {', '.join(Step)}.") from None


def steps(
    current: Step, dataset: Dataset | None = None, character: Character | None = None, **more: object
) -> dict[str, object]:
    """What the indicator of the progress is made of."""
    return {
        "steps": tuple(Step),
        "step": current,
        "done": done(dataset, character) | ({Step.CHARACTER, Step.TRAITS} if dataset and dataset.character else set()),
        "optional": OPTIONAL,
        "where": where,
        **more,
    }


def where(step: Step, dataset: Dataset) -> str:
    """The path of a step of a dataset that there is; nothing where it has passed a step by."""
    if step in {Step.CHARACTER, Step.TRAITS}:
        return f"/characters/{dataset.character}" if dataset.character else ""
    return OWN.get(step, "/datasets/{}/create/" + step.value).format(dataset.id)


def traits(look: Look, character: Character) -> dict[str, str]:
    """The traits that were typed: those of presets and of the character's own categories, and new ones."""
    named = {name.removeprefix("trait-"): look.field(name) for name in look.typed if name.startswith("trait-")}
    own = dict(zip(look.fields("category"), look.fields("value"), strict=False))
    wished = named | {category.strip(): value for category, value in own.items() if category.strip()}
    if nameless := [value for category, value in own.items() if value.strip() and not category.strip()]:
        raise BadValue(what="trait", value=nameless[0], why="say what it is about, such as tail")
    known = {trait.category: trait.value for trait in character.traits}
    return {category: value for category, value in wished.items() if value.strip() != known.get(category, "")}


def known_traits(look: Look) -> Callable[[Character], dict[str, str]]:
    """What the form says of a character's traits: nothing, of what could be said and is not."""
    unsaid = dict.fromkeys(look.services.characters.presets, "")
    return lambda character: unsaid | {trait.category: trait.value for trait in character.traits}


async def _character(look: Look) -> Character | None:
    """The character that the query names."""
    named = look.query.get("character", "")
    return (await look.services.characters.view(look.actor, named)).character if named else None


async def _last_intake(look: Look, dataset: Dataset) -> Job | None:
    """The latest intake that has ended, among the latest jobs."""
    jobs = await look.services.jobs.list(look.actor)
    return next((job for job in jobs if job.kind == "intake" and job.subject == dataset.id and job.state.ended), None)


def _outcomes(job: Job | None) -> Result | None:
    return Result.model_validate(job.result) if job and job.state is JobState.SUCCEEDED and job.result else None


def _refusal(dataset: Dataset) -> str:
    """Why nobody can train on it yet, in words; nothing where anybody can."""
    try:
        require_ready(dataset)
    except DomainError as error:
        return str(error)
    return ""
