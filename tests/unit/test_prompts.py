"""Which models a prompt calls: a table of hard prompts, and what holds for every prompt and every index."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import BadValue, DomainError, NotFound, WrongFamily
from core.domain.model import Model, Visibility
from core.domain.prompt import MOST, Called, Conflict, Index, Precedence, Resolution, Step, replaced, resolved, spoken
from tests.builders.entities import NOON, a_model

PUBLIC, UNLISTED, PRIVATE = Visibility.PUBLIC, Visibility.UNLISTED, Visibility.PRIVATE
OWN, NAMED, SHARED, PINNED, FIRST, FAMILY = Precedence
DAY = timedelta(days=1)


def model(name: str, *, day: int = 0, **facts: Any) -> Model:
    """Make somebody's public model: `owner/slug`, called by its slug, published on a day."""
    owner, slug = name.split("/")
    wished = {"id": name, "owner": owner, "owner_name": owner, "slug": slug, "trigger": slug, "visibility": PUBLIC}
    return a_model(**(wished | {"created_at": NOON + day * DAY, "published_at": NOON + day * DAY} | facts))


MODELS = [
    model("ann/zorp-1", trigger="zorp", visibility=PRIVATE, published_at=None),
    model("ann/zorp", day=1, visibility=PRIVATE, published_at=None),
    model("bob/zorp", day=-1),
    model("bob/zorp-x1"),
    model("bob/zorp_y"),
    model("bob/blip", day=-2),
    model("cid/blip", day=-3),
    model("dan/blip", day=-4, family="pony"),
    model("dan/hoof", family="pony"),
    model("ann/mine", trigger="glim", family="pony"),
    model("bob/glim", trigger="glim"),
    model("bob/fizz", day=1, visibility=PRIVATE, shared=("ann",)),
    model("cid/fizz", visibility=PRIVATE, shared=("ann", "dan")),
    model("dan/fizz", day=-9),
    model("bob/gift", visibility=PRIVATE, shared=("ann",)),
    model("cid/gift"),
    model("bob/hush", visibility=UNLISTED),
    model("bob/secret", visibility=PRIVATE),
    model("bob/gone", deleted_at=NOON),
    model("bob/new", trigger="renamed", names=("former", "new")),
    model("bo1/twin", day=2, owner_name="Bo", trigger="twina"),
    model("bo2/twin", day=1, owner_name="Bo", trigger="twinb"),
    model("eve/far", owner_name="Eve  van Ö/Ö"),
    model("eve/coded", id="abcdefgh2345", visibility=UNLISTED),
]
INDEX = Index(MODELS)


def meaning(text: str, *steps: tuple[str, str, int, Precedence], unclear: Iterable[tuple[str, ...]] = ()) -> Resolution:
    """Put together what is expected; models are named by their ids, and all but those of a wrong family are called."""
    ids = {one.name: one.id for one in MODELS}  # of two of one name the one that comes first, which is the last
    called = {ids.get(name, name): percent for _, name, percent, rule in steps if rule is not FAMILY}
    return Resolution(
        text=text,
        calls=tuple(Called(model=name, percent=percent) for name, percent in called.items()),
        trace=tuple(Step(said=said, model=name, percent=percent, rule=rule) for said, name, percent, rule in steps),
        conflicts=tuple(Conflict(said=said, models=models) for said, *models in unclear),
    )


HARD = {
    # Words and their weights.
    "nothing of that": meaning("nothing of that"),
    "": meaning(""),
    "a zorp": meaning("a zorp", ("zorp", "ann/zorp", 100, OWN)),
    "A  ZORP,\n red ": meaning("A ZORP, red", ("ZORP", "ann/zorp", 100, OWN)),
    "zorp:0.5 and zorp:1": meaning("zorp and zorp", ("zorp", "ann/zorp", 50, OWN)),
    "zorp, Zorp:.5": meaning("zorp, Zorp", ("zorp", "ann/zorp", 50, OWN)),
    "zorp:1. And": meaning("zorp. And", ("zorp", "ann/zorp", 100, OWN)),
    "zorp:1,red": meaning("zorp,red", ("zorp", "ann/zorp", 100, OWN)),
    "zorp: 2 hats": meaning("zorp: 2 hats", ("zorp", "ann/zorp", 100, OWN)),
    "zorp:10am": meaning("zorp:10am", ("zorp", "ann/zorp", 100, OWN)),
    "zorp:2-x1": meaning("zorp:2-x1", ("zorp", "ann/zorp", 100, OWN)),
    "red:9 (hat:1.2)": meaning("red:9 (hat:1.2)"),
    "((zorp:1.2), red)": meaning("((zorp), red)", ("zorp", "ann/zorp", 120, OWN)),
    "_zorp:0.5_ zorp's **zorp**": meaning("_zorp_ zorp's **zorp**", ("zorp", "ann/zorp", 50, OWN)),
    "zorp-x1 zorpy azorp zorp-": meaning(
        "zorp-x1 zorpy azorp zorp-", ("zorp-x1", "bob/zorp-x1", 100, FIRST), ("zorp", "ann/zorp", 100, OWN)
    ),
    "zorp_y, zorp_z": meaning("zorp_y, zorp_z", ("zorp_y", "bob/zorp_y", 100, FIRST)),
    "zorp/glim:0": meaning("zorp/glim", ("zorp", "ann/zorp", 100, OWN), ("glim", "ann/mine", 0, OWN)),
    # Letters of the world.
    "zоrp zοrp zorp\u0301 zo\u200brp": meaning("zоrp zοrp zorp\u0301 zo\u200brp"),
    "zorp\u200b ❤️blip": meaning(
        "zorp\u200b ❤️blip", ("zorp", "ann/zorp", 100, OWN), ("blip", "cid/blip", 100, FIRST)
    ),
    "ｚｏｒｐ－ｘ１：０．５，red": meaning("ｚｏｒｐ－ｘ１，red", ("ｚｏｒｐ－ｘ１", "bob/zorp-x1", 50, FIRST)),
    "猫zorp:0.5公園": meaning("猫zorp公園", ("zorp", "ann/zorp", 50, OWN)),
    "zorp가 사진": meaning("zorp가 사진", ("zorp", "ann/zorp", 100, OWN)),
    "＜ＬＯＲＡ：ｂｏｂ／ｂｌｉｐ＞ x": meaning("x", ("＜ＬＯＲＡ：ｂｏｂ／ｂｌｉｐ＞", "bob/blip", 100, NAMED)),
    # Tags.
    "<lora:zorp:0.8>, a cat": meaning("a cat", ("<lora:zorp:0.8>", "ann/zorp", 80, NAMED)),
    "a cat, <LoRA: bob/zorp : 2 > , red": meaning("a cat, red", ("<LoRA: bob/zorp : 2 >", "bob/zorp", 200, NAMED)),
    "a<lora:zorp>b": meaning("a b", ("<lora:zorp>", "ann/zorp", 100, NAMED)),
    "(red, <lora:zorp>, <lora:zorp:0.3>)": meaning("(red)", ("<lora:zorp>", "ann/zorp", 30, NAMED)),
    ",a, ,b <lora:zorp>": meaning(",a, ,b", ("<lora:zorp>", "ann/zorp", 100, NAMED)),
    "<lora:bob/zorp:0.8> zorp:0.1": meaning(
        "zorp", ("<lora:bob/zorp:0.8>", "bob/zorp", 80, NAMED), ("zorp", "bob/zorp", 80, NAMED)
    ),
    "zorp:0.1 <lora:bob/zorp:0.8>": meaning(
        "zorp", ("<lora:bob/zorp:0.8>", "bob/zorp", 10, NAMED), ("zorp", "bob/zorp", 10, NAMED)
    ),
    "hush <lora:bob/hush> hush_:0.4 hush:0.4": meaning(
        "hush hush_:0.4 hush", ("<lora:bob/hush>", "bob/hush", 40, NAMED), ("hush", "bob/hush", 40, NAMED)
    ),
    "<lora:Eve van ö/Ö/far>": meaning("", ("<lora:Eve van ö/Ö/far>", "Eve  van Ö/Ö/far", 100, NAMED)),
    "<lora:former> <lora:bob/former>": meaning(
        "", ("<lora:former>", "bob/new", 100, NAMED), ("<lora:bob/former>", "bob/new", 100, NAMED)
    ),
    "<lora:abcdefgh2345:0.7>": meaning("", ("<lora:abcdefgh2345:0.7>", "eve/coded", 70, NAMED)),
    "<lyco:zorp>, <lora zorp": meaning("<lyco:zorp>, <lora zorp", ("zorp", "ann/zorp", 100, OWN)),
    # Names.
    "a bob/blip:0.5, red": meaning("a blip, red", ("bob/blip", "bob/blip", 50, NAMED)),
    "a zorp by bob/zorp": meaning(
        "a zorp by zorp", ("bob/zorp", "bob/zorp", 100, NAMED), ("zorp", "bob/zorp", 100, NAMED)
    ),
    "_bob/new_": meaning("_renamed_", ("bob/new", "bob/new", 100, NAMED)),
    "bob/hush, hush": meaning("hush, hush", ("bob/hush", "bob/hush", 100, NAMED), ("hush", "bob/hush", 100, NAMED)),
    "x/ABCDEFGH2345:0.5": meaning("x/coded", ("ABCDEFGH2345", "eve/coded", 50, NAMED)),
    "hush secret gone bob/secret, and/or": meaning("hush secret gone bob/secret, and/or"),
    # Who comes first.
    "blip": meaning("blip", ("blip", "dan/blip", 100, FIRST)),
    "gift <lora:gift>": meaning("gift", ("<lora:gift>", "bob/gift", 100, NAMED), ("gift", "bob/gift", 100, NAMED)),
    "fizz": meaning("fizz", ("fizz", "cid/fizz", 100, SHARED), unclear=[("fizz", "cid/fizz", "bob/fizz")]),
    "fizz:0": meaning("fizz", ("fizz", "cid/fizz", 0, SHARED)),
    "bo/twin": meaning("twinb", ("bo/twin", "Bo/twin", 100, NAMED), unclear=[("bo/twin", "bo2/twin", "bo1/twin")]),
    "bo1:0 <lora:Bo/twin:0>": meaning("bo1:0", ("<lora:Bo/twin:0>", "Bo/twin", 0, NAMED)),
    # One base family.
    "zorp hoof:0.5": meaning("zorp hoof:0.5", ("zorp", "ann/zorp", 100, OWN), ("hoof", "dan/hoof", 0, FAMILY)),
    "zorp <lora:dan/hoof>": meaning(
        "zorp", ("<lora:dan/hoof>", "dan/hoof", 100, NAMED), ("zorp", "ann/zorp", 0, FAMILY)
    ),
    "zorp bob/hush hoof": meaning(
        "zorp hush hoof",
        ("bob/hush", "bob/hush", 100, NAMED), ("zorp", "ann/zorp", 100, OWN), ("hoof", "dan/hoof", 0, FAMILY),
    ),
    "glim zorp": meaning("glim zorp", ("glim", "ann/mine", 100, OWN), ("zorp", "ann/zorp", 0, FAMILY)),
    "zorp glim": meaning("zorp glim", ("zorp", "ann/zorp", 100, OWN), ("glim", "bob/glim", 100, FIRST)),
    "glim:0 zorp glim": meaning("glim zorp glim", ("glim", "ann/mine", 0, OWN), ("zorp", "ann/zorp", 100, OWN)),
    "<lora:dan/hoof> zorp hoof:0": meaning(
        "zorp hoof",
        ("<lora:dan/hoof>", "dan/hoof", 0, NAMED), ("zorp", "ann/zorp", 100, OWN), ("hoof", "dan/hoof", 0, NAMED),
    ),
    "zorp <lora:dan/hoof:0>": meaning(
        "zorp", ("<lora:dan/hoof:0>", "dan/hoof", 0, NAMED), ("zorp", "ann/zorp", 100, OWN)
    ),
}  # fmt: skip


@pytest.mark.parametrize("prompt", HARD)
def test_a_hard_prompt(prompt: str) -> None:
    assert resolved(prompt, INDEX, asker="ann") == HARD[prompt]


def called(prompt: str, asker: str = "ann", index: Index = INDEX, **facts: Any) -> list[str]:
    """Name the models that are on, or the category of what is wrong."""
    try:
        read = resolved(prompt, index, asker=asker, **facts)
    except DomainError as refused:
        return [refused.code]
    return [call.model for call in read.calls if call.percent]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"asker": "ann"}, "ann/zorp"),
        ({"asker": "bob"}, "bob/zorp"),
        ({"asker": "cid"}, "bob/zorp"),
        ({"asker": "cid", "pins": {"zorp": "eve/zorp"}}, "eve/zorp"),
        ({"asker": "cid", "pins": {"zorp": "ann/zorp"}}, "bob/zorp"),
        ({"asker": "dan", "pins": {"zorp": "eve/zorp"}}, "dan/zorp"),
        ({"asker": "fay", "pins": {"zorp": "eve/zorp"}}, "dan/zorp"),
    ],
)
@pytest.mark.parametrize("prompt", ["a zorp", "<lora:zorp>", "猫zorp:0.5"])
def test_own_comes_before_shared_before_pinned_before_public(prompt: str, facts: dict[str, Any], name: str) -> None:
    given_to_fay = model("dan/zorp", day=-9, visibility=PRIVATE, shared=("fay",))

    assert called(prompt, index=Index([*MODELS, given_to_fay, model("eve/zorp")]), **facts) == [name]


def test_a_slug_in_use_comes_before_an_old_one_and_a_word_knows_no_slugs() -> None:
    renamed = model("bob/zap", trigger="zorp", names=("zorp", "zap"), day=2)
    older = model("bob/zorp", day=1)
    index = Index([renamed, older])

    assert called("<lora:zorp>", "bob", index) == called("<lora:bob/zorp>", "bob", index) == ["bob/zorp"]
    assert called("zorp", "bob", index) == ["bob/zap"]


def test_an_old_name_of_one_and_the_name_of_another_of_one_display_name_are_asked_about() -> None:
    renamed = model("bo1/zap", owner_name="bo", names=("zorp", "zap"))
    other = model("bo2/zorp", owner_name="bo", day=1)

    read = resolved("bo/zorp", Index([renamed, other]), asker="ann")

    assert read.conflicts == (Conflict(said="bo/zorp", models=("bo2/zorp", "bo1/zap")),)
    assert called("bo/zorp", "bo1", Index([renamed, other])) == ["bo1/zap"]


def test_the_wished_family_decides_what_a_word_means_and_what_may_be_named() -> None:
    found = {prompt: called(prompt, family="pony") for prompt in ("glim", "zorp", "fizz", "<lora:zorp>", "bob/blip")}

    assert found == {
        "glim": ["ann/mine"],
        "zorp": [],
        "fizz": [],
        "<lora:zorp>": ["wrong_family"],
        "bob/blip": ["wrong_family"],
    }
    assert called("<lora:zorp:0> blip", family="pony") == ["dan/blip"]


def test_models_that_are_equal_are_asked_about_though_they_fit_different_bases() -> None:
    mine = [model("bob/fizz", shared=("ann",)), model("cid/fizz", shared=("ann",), family="pony")]

    assert [one.models for one in resolved("fizz", Index(mine), asker="ann").conflicts] == [("bob/fizz", "cid/fizz")]
    assert resolved("fizz", Index(mine), asker="ann", family="sd15").conflicts == ()


@pytest.mark.parametrize(
    "name", ["nobody", "ann/nothing", "bob/secret", "secret", "gone", "bob/gone", "hush", "", "a b"]
)
def test_a_tag_says_the_same_of_what_is_hidden_and_what_is_not_there(name: str) -> None:
    with pytest.raises(NotFound) as refused:
        resolved(f"<lora:{name}:0.8> zorp", INDEX, asker="ann")

    hint = "See `model list`; a model of somebody else is called `owner/slug`."
    assert str(refused.value) == f"There is no model «{name}». {hint}"


@pytest.mark.parametrize("named", ["<lora:dan/hoof>", "dan/hoof", "dan/hoof:0.5"])
def test_what_is_named_of_another_family_is_refused_in_words(named: str) -> None:
    with pytest.raises(WrongFamily) as refused:
        resolved(f"<lora:zorp> {named}", INDEX, asker="ann")

    assert str(refused.value) == (
        "dan/hoof is made for pony, and this picture is drawn with sd15. Use one kind at a time."
    )


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("zorp:2.01", "zorp:2.01"),
        ("zorp, Zorp:-1", "Zorp:-1"),
        ("zorp:0,5", "zorp:0,5"),
        ("bob/blip:9", "bob/blip:9"),
        ("zorp:" + "9" * 50, "zorp:" + "9" * 50),
        ("<lora:zorp:>", "<lora:zorp:>"),
        ("<lora:zorp:x>", "<lora:zorp:x>"),
        ("<lora:zorp:1:2>", "<lora:zorp:1:2>"),
        ("zorp:0 <lora:zorp:-0.5>", "<lora:zorp:-0.5>"),
    ],
)
def test_a_weight_that_cannot_be_is_refused_with_advice(prompt: str, said: str) -> None:
    with pytest.raises(BadValue) as refused:
        resolved(prompt, INDEX, asker="ann")

    advice = "it takes 0 (off) to 2, as in zorp:0.8 or <lora:zorp:0.8>"
    assert str(refused.value) == f"«{said}» is not a valid weight: {advice}."


def test_a_picture_takes_five_models_that_are_on() -> None:
    many = Index([model(f"bob/many{number}") for number in range(MOST + 1)])
    prompt = " ".join(f"many{number}" for number in range(MOST + 1))

    assert called(f"{prompt}:0", index=many) == [f"bob/many{number}" for number in range(MOST)]
    with pytest.raises(BadValue, match="it calls 6 models, and a picture takes 5 at most"):
        resolved(prompt, many, asker="ann")


@pytest.mark.parametrize(
    ("prompt", "said", "better"),
    [
        ("a Fizz:0.50, fizz", "Fizz", "a ID:0.50, fizz"),
        ("猫fizz公園", "fizz", "猫ID公園"),
        ("x/fizz:1", "fizz", "x/ID:1"),
        ("x/fizz fizz", "fizz", "x/fizz ID"),
        ("bo/twin:2 bo/twin", "bo/twin", "ID:2 bo/twin"),
        ("a <LoRA: fizz : 0.8>", "<LoRA: fizz : 0.8>", "a <lora:ID:0.8>"),
        ("<lora:fizz>", "<lora:fizz>", "<lora:ID>"),
        ("fizzy", "fizz", "fizzy"),
    ],
)
def test_something_clearer_takes_the_place_of_what_was_said(prompt: str, said: str, better: str) -> None:
    assert replaced(prompt, said, "ID") == better


def test_what_is_spoken_is_folded() -> None:
    words, slugs = spoken("Zorp_, ＢＬＩＰ bo/Twin's <lora: Eve  van Ö/Far : 1> <lora:ABC> Abcdefgh2345")

    assert words == {"zorp", "blip", "bo", "twin", "s", "abcdefgh2345"}
    assert slugs == {"twin", "far", "abc", "abcdefgh2345"}


@pytest.mark.parametrize(
    "part",
    ["<lora:", "(((", "a/", ":", "a:1", "1a:", "a:1-,", ",", ", ", "-", "zorp:1 ", "<lora:zorp>,", "猫", "a\u0301 "],
)
def test_a_prompt_of_any_length_is_read(part: str) -> None:
    prompt = part * (100_000 // len(part))

    assert called(prompt) == (["ann/zorp"] if "zorp" in part else [])


# What holds for every prompt and every index.

names = st.sampled_from(["zorp", "zorp-x1", "blip", "red"])
people = st.sampled_from(["ann", "bob", "cid", "dan"])
days = st.integers(-2, 2).map(lambda day: NOON + day * DAY)


@st.composite
def registered(draw: st.DrawFn) -> list[Model]:
    """Draw models of few words, names and people; two of those have one name."""
    owners = {"ann": "ann", "bob": "bob", "cid": "bob", "dan": "D. Ö"}
    models = []
    for number in range(draw(st.integers(0, 6))):
        owner, old, new = draw(st.tuples(people, names, names))
        facts = {
            "id": f"modelmodel2{number + 2}",
            "owner": owner,
            "owner_name": owners[owner],
            "slug": new,
            "names": (old, new),
            "trigger": draw(names),
            "family": draw(st.sampled_from(["sd15", "pony"])),
            "visibility": draw(st.sampled_from(Visibility)),
            "shared": tuple(draw(st.sets(people, max_size=2))),
            "created_at": draw(days),
            "published_at": draw(days | st.none()),
            "deleted_at": draw(st.sampled_from([None, None, None, NOON])),
        }
        models.append(a_model(**facts))
    return models


def said(weights: Sequence[str], *, owners: Sequence[str] = ("ann", "bob", "D. Ö", "red")) -> st.SearchStrategy[str]:
    """Draw words, names and tags; where nobody is called `red`, that is a word of its own, without a weight."""
    slugs = names | names.map(str.upper) | st.sampled_from(["modelmodel22", "MODELMODEL23"])
    full = st.tuples(st.sampled_from(owners), slugs).map("/".join)
    words = st.builds("{}{}".format, slugs | full, st.sampled_from(weights))
    return words | words.map("<lora:{}>".format)


def prompts(weights: Sequence[str] = ("", "", "", ":0", ":0.5", ":2", ":3", ":1,5")) -> st.SearchStrategy[str]:
    """Draw prompts that say much that may mean something."""
    rest = st.sampled_from([" ", " ", ", ", "(", ")", " a hat", "猫", "/", "-", "_", "\u0301", "\n"])
    parts = st.lists(said(weights) | rest, max_size=9)
    return parts.map(" ".join) | parts.map("".join)


def outcome(prompt: str, models: Iterable[Model], **facts: Any) -> Resolution | tuple[type[DomainError], str]:
    """What comes out, be it an error."""
    try:
        return resolved(prompt, Index(models), asker="ann", **facts)
    except DomainError as refused:
        return type(refused), str(refused)


@settings(max_examples=60)
@given(prompts(), registered(), st.sampled_from([None, "pony"]), st.randoms(use_true_random=False))
def test_only_what_the_asker_may_use_and_says_counts_in_any_order(
    prompt: str, models: list[Model], family: str | None, chance: Any
) -> None:
    words, slugs = spoken(prompt)
    usable = [one for one in models if one.usable_by("ann")]
    asked = [one for one in models if one.trigger in words or slugs & {one.id, *one.names}]
    mixed = chance.sample(models, len(models))

    found = [outcome(prompt, some, family=family) for some in (models, usable, asked, mixed)]

    assert found == [found[0]] * 4


@settings(max_examples=60)
@given(prompts() | st.text(), registered(), st.sampled_from([None, "pony"]))
def test_what_is_called_is_usable_and_of_one_family_and_nothing_is_put_into_the_text(
    prompt: str, models: list[Model], family: str | None
) -> None:
    read = outcome(prompt, models, family=family)
    if not isinstance(read, Resolution):
        return
    known = {one.id: one for one in models}
    on = [known[call.model] for call in read.calls if call.percent]
    named = {step.model for step in read.trace if step.rule is NAMED}

    assert all(one.usable_by("ann") for one in on)
    assert len({one.family for one in on} | ({family} - {None} if on else set())) <= 1
    assert len(on) <= MOST
    assert all(step.said in prompt for step in read.trace)
    assert spoken(read.text)[0] <= spoken(prompt)[0] | {one.trigger for one in models if one.name in named}
    assert read.text == " ".join(read.text.split())


@settings(max_examples=60)
@given(st.lists(said([":0", ":0.0"], owners=["ann", "bob", "D. Ö"])).map(" ".join), registered())
def test_what_is_turned_off_is_not_on(prompt: str, models: list[Model]) -> None:
    read = outcome(prompt, models, family="pony")

    assert not isinstance(read, Resolution) or [call.percent for call in read.calls] == [0] * len(read.calls)


@settings(max_examples=60)
@given(prompts(weights=["", ":0.5"]), registered())
def test_a_conflict_ends_when_one_of_its_models_is_named(prompt: str, models: list[Model]) -> None:
    read = outcome(prompt, models)
    if not isinstance(read, Resolution):
        return
    for conflict in read.conflicts:
        for name in conflict.models:
            clear = prompt
            for _ in range(prompt.count(conflict.said)):
                clear = replaced(clear, conflict.said, name)
            again = outcome(clear, models)
            if isinstance(again, Resolution):
                assert name in {call.model for call in again.calls}
                assert conflict not in again.conflicts
