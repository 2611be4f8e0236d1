"""Publications: who may use a model of one's own, what it is called, how it presents itself, which epoch it is."""

from aiohttp import web

from core.domain.errors import BadValue
from core.domain.model import Licence, Visibility
from web.sandbox.models import card_facts, name_facts, sample_facts, use_facts, view
from web.sandbox.page import Look, one_of, page
from web.sandbox.sharings import person

MEANS = {
    Visibility.PRIVATE: "Only you can use it, and those whom you share it with.",
    Visibility.UNLISTED: "Who knows its name can use it.",
    Visibility.PUBLIC: "Everyone finds it, and can use it by its trigger word.",
}


@page("POST", "/models/{model}/visibility", refused=view)
async def publish(look: Look) -> web.StreamResponse:
    """Open it to everyone, to who knows its name, or to nobody."""
    visibility = one_of(Visibility, look.field("visibility"), what="visibility")
    model = await look.services.models.publish(
        look.actor, look.path("model"), visibility=visibility, expecting=look.expecting(use_facts)
    )
    look.leads(f"/models/{model.id}", said=f"{model.name} is {visibility} now. {MEANS[visibility]}")


@page("POST", "/models/{model}/edit", refused=view)
async def edit(look: Look) -> web.StreamResponse:
    """Change what is said of it, what others may do with its file, and by which words it is found."""
    model = await look.services.models.edit(
        look.actor,
        look.path("model"),
        description=look.field("description"),
        licence=one_of(Licence, look.field("licence"), what="licence"),
        tags=look.field("tags").replace(",", " ").split(),
        expecting=look.expecting(card_facts),
    )
    look.leads(f"/models/{model.id}", said=f"The card of {model.name} is written anew.")


@page("POST", "/models/{model}/rename", refused=view)
async def rename(look: Look) -> web.StreamResponse:
    """Call it otherwise; its old name goes on to lead to it."""
    model = await look.services.models.rename(
        look.actor, look.path("model"), look.field("name"), expecting=look.expecting(name_facts)
    )
    look.leads(f"/models/{model.id}", said=f"It is called {model.name} now; its old names still lead to it.")


@page("POST", "/models/{model}/share", refused=view)
async def share(look: Look) -> web.StreamResponse:
    """Let somebody use it."""
    account = await person(look, look.field("user"))
    model = await look.services.models.share(look.actor, look.path("model"), account)
    look.leads(f"/models/{model.id}#sharing", said=f"{account.name} can use {model.name} now.")


@page("POST", "/models/{model}/unshare", refused=view)
async def unshare(look: Look) -> web.StreamResponse:
    """Take it back from somebody; whoever does not have it loses nothing."""
    name = look.path("model")
    readers = await look.services.models.readers(look.actor, name)
    for account in (one for one in readers if one.id == look.field("account")):
        await look.services.models.unshare(look.actor, name, account)
    look.leads(f"/models/{name}#sharing", said="It is not shared with them any more.")


@page("POST", "/models/{model}/samples", refused=view)
async def show(look: Look) -> web.StreamResponse:
    """Choose the pictures that it presents itself with, in the order of their making; none for those of its epoch."""
    numbers = look.fields("number")
    if wrong := [one for one in numbers if not (one.isascii() and one.isdigit())]:
        raise BadValue(what="number", value=wrong[0], why="choose from the pictures that are shown")
    wished, expecting = [int(one[:6]) for one in numbers], look.expecting(sample_facts)
    model = await look.services.models.show(look.actor, look.path("model"), wished, expecting=expecting)
    look.leads(f"/models/{model.id}", said=f"{model.name} presents itself with these pictures now.")


@page("POST", "/models/{model}/epoch", refused=view)
async def choose(look: Look) -> web.StreamResponse:
    """Make another epoch of its training the model."""
    step = look.number("step")
    if step is None:
        raise BadValue(what="step", value="", why="choose an epoch")
    model = await look.services.publications.choose(look.actor, look.path("model"), step)
    look.leads(f"/models/{model.id}#epochs", said=f"{model.name} is the epoch of step {step} from now on.")


@page("POST", "/models/{model}/delete", refused=view)
async def delete(look: Look) -> web.StreamResponse:
    """Put it out of everybody's sight."""
    if look.field("confirm") != "yes":
        raise BadValue(what="confirmation", value="", why="tick the box: nobody can bring a model back")
    gone = await look.services.models.delete(look.actor, look.path("model"))
    look.leads("/models", said=f"{gone.name} is deleted; what it has earned stays yours.")
