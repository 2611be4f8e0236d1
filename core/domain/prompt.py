"""Prompts: which models a prompt calls, at which weight and why, and what is left to draw.

Models are called by trigger word (`zorp`, `zorp:0.5`, `zorp:0` for off), by name or id (`ann/zorp`) or by the tag that
other programs use (`<lora:zorp:0.8>`, `<lora:ann/zorp>`). Nothing is ever added to a prompt but the trigger word of a
model in the place of its name. What an asker may not use is as if it did not exist.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from core.domain.errors import BadValue, NotFound, WrongFamily
from core.domain.model import Model
from core.domain.speech import FULL, Said, heard, keyed, redrawn
from core.domain.value import Value

MOST = 5  # models in one picture
HINT = "See `model list`; a model of somebody else is called `owner/slug`."


class Precedence(StrEnum):
    """Why something that was said means its model, the best right first; or why it means none."""

    OWN = "own"
    NAMED = "named"
    SHARED = "shared"
    PINNED = "pinned"
    PUBLIC = "public"
    FAMILY = "family"


ORDER = {rule: place for place, rule in enumerate(Precedence)}
CONTESTED = frozenset({Precedence.NAMED, Precedence.SHARED})  # among equals nobody comes first
OPEN = frozenset({Precedence.PINNED, Precedence.PUBLIC})  # by which no unlisted model is called
Right = tuple[Precedence, Model]


class Called(Value):
    """A model (its id) that a prompt calls, and at how many percent; 0 is off."""

    model: str
    percent: int


class Step(Value):
    """One line of the trace: what was said, which model (`owner/slug`) that means at how many percent, and why."""

    said: str
    model: str
    percent: int
    rule: Precedence


class Conflict(Value):
    """What several models (ids) answer to with equal right: the first was taken."""

    said: str
    models: tuple[str, ...]


class Resolution(Value):
    """What a prompt means: the text to draw, the models, one trace line for each thing said, and what is unclear.

    Of models that are on, the first decides the base family.
    """

    text: str
    calls: tuple[Called, ...] = ()
    trace: tuple[Step, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


class Index:
    """Models by trigger word, by slug, and by what names exactly one: id or `owner/slug`. All keys are folded."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.words: defaultdict[str, list[Model]] = defaultdict(list)
        self.slugs: defaultdict[str, list[Model]] = defaultdict(list)
        self.names: defaultdict[str, list[Model]] = defaultdict(list)
        for model in models:
            self.words[model.trigger].append(model)
            for slug in set(model.names):
                self.slugs[slug].append(model)
            for name in {model.id, *(keyed(f"{model.owner_name}/{slug}") for slug in model.names)}:
                self.names[name].append(model)


class _Thing(NamedTuple):
    """What is said once or often: the models that it may mean, the best right first; the trigger word if it is one."""

    rights: Sequence[Right]
    said: Sequence[Said]
    word: str | None = None


_Meaning = Sequence[tuple[_Thing, Sequence[Right]]]  # with those of its models that fit: it means the first


def spoken(prompt: str) -> tuple[frozenset[str], frozenset[str]]:
    """What the models of a prompt are found by: trigger words, and slugs (old ones too) or ids; all folded."""
    said = [one for whole in heard(prompt) for one in whole]
    return frozenset(one.word for one in said if one.word), frozenset(one.slug for one in said if one.slug)


def replaced(prompt: str, said: str, name: str) -> str:
    """Put an id, or a name without blanks, in the place of the first tag or word that was typed so; weights stay."""
    read = list(heard(prompt))
    for one in [whole for whole, *_ in read] + [part for _, *parts in read for part in parts]:
        if one.text == said:
            called = name if one.weight is None else f"{name}:{one.weight}"
            return prompt[: one.start] + (f"<lora:{called}>" if one.tag else called) + prompt[one.end :]
    return prompt


def resolved(
    prompt: str, index: Index, *, asker: str, family: str | None = None, pins: Mapping[str, str] | None = None
) -> Resolution:
    """Say which models a prompt calls, and what remains to be drawn.

    Names count before words, and a word that is the trigger of a named model means that one. Otherwise a word, or a
    slug in a tag, means the asker's own newest model, else one that is shared with them, else the one that is pinned
    here (`pins`: model ids by word), else the public one that was registered first. The first weight that is given
    for a model counts. All models that are on are of one base family: `family`, or that of the first one called. The
    time is linear in the prompt and does not depend on the size of the index.

    Raises:
        NotFound: A tag names a model that is not there for the asker.
        WrongFamily: A tag or a name means a model of another base family.
        BadValue: A weight is no number from 0 to 2, or there are too many models.
    """
    things = _things(prompt, _Asking(index=index, asker=asker, pins=pins or {}))
    everything = {model.id for thing in things for _, model in thing.rights}
    off = {model for model, percent in _percents(_meant(things, None, off=everything)).items() if not percent}
    meant = _meant(things, family, off=off)
    percents = {model: 0 if model in off else percent for model, percent in _percents(meant).items()}
    if (on := sum(percent > 0 for percent in percents.values())) > MOST:
        raise BadValue(what="prompt", value=prompt, why=f"it calls {on} models, and a picture takes {MOST} at most")
    changes = [(said, said.text if word else model.trigger) for said, word, model in _places(meant)]
    return Resolution(
        text=redrawn(prompt, changes),
        calls=tuple(Called(model=model, percent=percent) for model, percent in percents.items()),
        trace=tuple(_traced(meant, percents)),
        conflicts=tuple(_contested(meant, percents)),
    )


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """Who asks, and where: which models a name or a word may mean for them, the best right first."""

    index: Index
    asker: str
    pins: Mapping[str, str]

    def tagged(self, name: str) -> list[Right]:
        rights = self.named(name) or self._ranked(self.index.slugs.get(name, ()), name, slug=name)
        if not rights:
            raise NotFound(noun="model", name=name, hint=HINT)
        return rights

    def named(self, name: str) -> list[Right]:
        return self._ranked(self.index.names.get(name, ()), name, slug=name.rpartition("/")[2], exact=True)

    def triggered(self, word: str) -> list[Right]:
        return self._ranked(self.index.words.get(word, ()), word)

    def _ranked(self, models: Iterable[Model], said: str, *, slug: str = "", exact: bool = False) -> list[Right]:
        """Those that may be called so; an unlisted model of somebody else only by what names it exactly."""
        rights = [(self._right(model, said, exact=exact), model) for model in models if model.usable_by(self.asker)]
        rights = [right for right in rights if right[1].listed or right[0] not in OPEN]
        return sorted(rights, key=lambda right: _rank(*right, slug=slug))

    def _right(self, model: Model, said: str, *, exact: bool) -> Precedence:
        if model.owner == self.asker:
            return Precedence.OWN
        if exact:
            return Precedence.NAMED
        if self.asker in model.shared:
            return Precedence.SHARED
        return Precedence.PINNED if self.pins.get(said) == model.id else Precedence.PUBLIC


def _rank(rule: Precedence, model: Model, *, slug: str) -> tuple[int, bool, float, str]:
    """What orders models: the right; a slug that is still in use; one's own newest first, others' earliest first."""
    public = model.published_at or model.created_at
    moment = -model.created_at.timestamp() if rule is Precedence.OWN else public.timestamp()
    return ORDER[rule], bool(slug) and slug != model.slug, moment, model.id


def _things(prompt: str, asking: _Asking) -> list[_Thing]:
    """What is said in a prompt that may mean a model: names, then words, each in order."""
    tagged, named, triggered = cache(asking.tagged), cache(asking.named), cache(asking.triggered)

    def rights(said: Said) -> Sequence[Right]:
        return tagged(said.key) if said.tag else named(said.key) if said.slug else ()

    names, words = defaultdict[tuple[str, bool], list[Said]](list), defaultdict[str, list[Said]](list)
    rest: list[Said] = []
    for whole, *parts in heard(prompt):
        for said in [whole] if rights(whole) else parts or [whole]:
            (names[said.key, said.tag] if rights(said) else rest).append(said)
    things = [_Thing(rights(said[0]), said) for said in names.values()]
    triggers = {model.trigger for thing in things for _, model in thing.rights}
    for said in rest:
        if said.key in triggers or triggered(said.key):
            words[said.key].append(said)
    return things + [_Thing(triggered(word), said, word) for word, said in words.items()]


def _meant(things: Iterable[_Thing], family: str | None, *, off: Container[str]) -> _Meaning:
    """What is meant by all that is said: models of one base family, or such that are off and need not fit."""
    named: dict[str | None, Sequence[Right]] = {}
    meant = []
    for thing in things:
        rights = named.get(thing.word) or thing.rights
        fitting = [(rule, model) for rule, model in rights if model.id in off or family in {None, model.family}]
        meant.append((thing, fitting))
        if fitting:
            model = fitting[0][1]
            if thing.word is None:
                named.setdefault(model.trigger, [(Precedence.NAMED, model)])
            if model.id not in off:
                family = family or model.family
        elif thing.word is None:
            model = rights[0][1]
            raise WrongFamily(name=model.name, family=model.family, wanted=str(family))
    return meant


def _places(meant: _Meaning) -> list[tuple[Said, str | None, Model]]:
    """Where models are called, in order, by which word (if by one), and which."""
    return sorted((said, thing.word, rights[0][1]) for thing, rights in meant if rights for said in thing.said)


def _percents(meant: _Meaning) -> dict[str, int]:
    """At how many percent the models (ids) draw: the first weight that is given for each counts."""
    weights: dict[str, int] = {}
    for said, _, model in _places(meant):
        if (percent := said.percent) is not None:
            weights.setdefault(model.id, percent)
    return {rights[0][1].id: weights.get(rights[0][1].id, FULL) for _, rights in meant if rights}


def _traced(meant: _Meaning, percents: Mapping[str, int]) -> Iterator[Step]:
    for thing, rights in meant:
        said = thing.said[0].text
        if rights:
            rule, model = rights[0]
            why = Precedence.NAMED if thing.word is None else rule
            yield Step(said=said, model=model.name, percent=percents[model.id], rule=why)
        elif thing.rights:
            yield Step(said=said, model=thing.rights[0][1].name, percent=0, rule=Precedence.FAMILY)


def _contested(meant: _Meaning, percents: Mapping[str, int]) -> Iterator[Conflict]:
    for thing, rights in meant:
        equal = tuple(model.id for rule, model in rights if rule is rights[0][0] and rule in CONTESTED)
        if len(equal) > 1 and percents[equal[0]]:
            yield Conflict(said=thing.said[0].text, models=equal)
