"""Characters: who is depicted, with the traits that every caption says."""

from aiohttp import web

from core.domain.character import Character
from core.domain.consent import ADULT, WORDS
from web.sandbox.creator import known_traits, traits
from web.sandbox.page import Look, page


@page("GET", "/characters")
async def list_(look: Look) -> web.StreamResponse:
    """All of them, and those that can be brought back."""
    characters = look.services.characters
    known, deleted = await characters.list(look.actor), await characters.deleted(look.actor)
    return look.shown("characters/list.html", characters=known, deleted=deleted)


@page("GET", "/characters/new")
async def inventing(look: Look) -> web.StreamResponse:
    """The form of a new one."""
    return look.shown("characters/new.html")


@page("POST", "/characters/new", refused=inventing)
async def invent(look: Look) -> web.StreamResponse:
    """Invent it."""
    made = await look.services.characters.create(look.actor, name=look.field("name"), trigger=look.field("trigger"))
    look.leads(
        f"/characters/{made.character.id}", said=f"«{made.character.name}» is there. Now say what it looks like."
    )


@page("GET", "/characters/{character}")
async def view(look: Look) -> web.StreamResponse:
    """One with its traits, its datasets and its models, each in a form of its own."""
    seen = await look.services.characters.view(look.actor, look.path("character"))
    presets = look.services.characters.presets
    return look.shown(
        "characters/view.html",
        view=seen,
        character=seen.character,
        presets=presets,
        words=WORDS[ADULT],
        version=ADULT,
        facts=_facts,
        known=known_traits(look),
    )


@page("POST", "/characters/{character}", refused=view)
async def edit(look: Look) -> web.StreamResponse:
    """Call it otherwise, or put it aside."""
    changed = await look.services.characters.edit(
        look.actor,
        look.path("character"),
        name=look.field("name"),
        trigger=look.field("trigger"),
        active=look.field("active") == "on",
        expecting=look.expecting(_facts),
    )
    look.leads(f"/characters/{changed.character.id}", said=f"«{changed.character.name}» is changed.")


@page("POST", "/characters/{character}/traits", refused=view)
async def describe(look: Look) -> web.StreamResponse:
    """Keep the traits, all at once."""
    seen = await look.services.characters.view(look.actor, look.path("character"))
    wished, name = traits(look, seen.character), seen.character.id
    expecting = look.expecting(known_traits(look))
    changed = await look.services.characters.describe(look.actor, name, wished, expecting=expecting)
    said = ", ".join((changed.character.trigger, *changed.character.phrases))
    look.leads(f"/characters/{changed.character.id}", said=f"Captions say: {said}.")


@page("POST", "/characters/{character}/attest", refused=view)
async def attest(look: Look) -> web.StreamResponse:
    """Attest that it is somebody of age."""
    words = look.field("words")
    changed = await look.services.characters.attest(look.actor, look.path("character"), words=words)
    look.leads(f"/characters/{changed.character.id}", said="You have attested to it.")


@page("GET", "/characters/{character}/delete")
async def leaving(look: Look) -> web.StreamResponse:
    """Ask before it goes, and say what goes along."""
    seen = await look.services.characters.view(look.actor, look.path("character"))
    return look.shown("characters/delete.html", view=seen, character=seen.character)


@page("POST", "/characters/{character}/delete", refused=leaving)
async def delete(look: Look) -> web.StreamResponse:
    """Delete it with its datasets."""
    gone = await look.services.characters.delete(look.actor, look.path("character"))
    said = f"«{gone.character.name}» is deleted, and datasets with it: {len(gone.datasets)}. It can be brought back."
    look.leads("/characters", said=said)


@page("POST", "/characters/{character}/restore", refused=list_)
async def restore(look: Look) -> web.StreamResponse:
    """Bring it back."""
    back = await look.services.characters.restore(look.actor, look.path("character"))
    look.leads(f"/characters/{back.character.id}", said=f"«{back.character.name}» is back.")


def _facts(character: Character) -> dict[str, str]:
    """What the form says of a character, beside its traits."""
    active = "yes" if character.active else "no"
    return {"name": character.name, "trigger word": character.trigger, "open for new datasets": active}
