"""Models as they are called, renamed and described; the card that model hubs read."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.errors import BadValue, NotPublished
from core.domain.model import NAMES, Licence, Model, Scope, Search, Visibility, described, meant, tagged
from core.domain.modelcard import card
from core.domain.rating import Rating
from tests.builders.entities import NOON, a_model, a_run, an_artifact, an_epoch

LATER = NOON + timedelta(hours=1)
PUBLIC: dict[str, Any] = {"owner": "bob", "owner_name": "Bob", "visibility": Visibility.PUBLIC, "published_at": NOON}
RUN = a_run(
    hyperparameters={"steps": 200, "unet_lr": 1e-4, "flip": False, "class_prompt": "a secret"},
    base_hash="bbbb",
    epochs=(an_epoch(1, step=100, loss=0.2, evaluation=0.375), an_epoch(2, step=200, loss=0.1)),
    evaluation_before=0.5,
    evaluation_after=0.25,
)


def a_card(model: Model, *, base: str = "hub/base", pictures: int | None = 12) -> tuple[Any, str]:
    """Write a card, and read its front matter as YAML."""
    yaml = pytest.importorskip("yaml")
    text = card(model, RUN, base=base, pictures=pictures)
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_what_was_public_once_keeps_its_moment() -> None:
    first = a_model().shown_as(Visibility.PUBLIC, now=NOON)
    again = first.shown_as(Visibility.PRIVATE, now=LATER).shown_as(Visibility.PUBLIC, now=LATER)
    unlisted = a_model().shown_as(Visibility.UNLISTED, now=NOON)

    assert (again, unlisted.published_at) == (first, None)
    with pytest.raises(NotPublished, match="already public"):
        first.shown_as(Visibility.PUBLIC, now=LATER)


def test_every_name_that_a_model_had_leads_to_it() -> None:
    model = a_model().renamed("My Hero!").renamed("third").renamed("zorp")

    assert (model.slug, model.names) == ("zorp", ("zorp", "my-hero", "third"))
    assert [meant(name, [model], asker="ann") for name in ("my-hero", "ANN/third", "other")] == [[model], [model], []]


def test_a_model_has_so_many_names_and_no_more() -> None:
    model = a_model()
    for number in range(NAMES - 1):
        model = model.renamed(f"name {number}")

    assert model.renamed("zorp").slug == "zorp"
    with pytest.raises(BadValue, match="20 at most"):
        model.renamed("another")


@pytest.mark.parametrize("name", ["", "!?", "日本", "x" * 61])
def test_a_name_that_leaves_no_slug_is_refused(name: str) -> None:
    with pytest.raises(BadValue):
        a_model().renamed(name)


def test_sharing_twice_is_sharing_once() -> None:
    model = a_model().shared_with("bob").shared_with("cid").shared_with("bob")

    assert model.shared == ("bob", "cid")
    assert model.unshared_with("bob").unshared_with("bob").shared == ("cid",)


def test_a_description_and_tags_are_put_in_order_or_refused() -> None:
    edited = a_model().edited(description=" A tin\n robot. ", tags=["Toy", "robot", "TOY"])

    assert (edited.description, edited.tags, edited.licence) == ("A tin robot.", ("toy", "robot"), Licence.OPENRAIL)
    assert edited.edited(licence=Licence.CC0) == edited.but(licence=Licence.CC0)
    assert edited.edited(description="", tags=()) == a_model()
    assert described("x" * 1000) == "x" * 1000
    for wrong in ("x" * 1001, "a\0b", "a\u202eb"):
        with pytest.raises(BadValue):
            described(wrong)
    for words in (["a b"], [""], ["x" * 31], ["ä"], [str(number) for number in range(11)]):
        with pytest.raises(BadValue):
            tagged(words)


def test_a_name_means_ones_own_then_what_is_shared_then_the_earliest_public_one() -> None:
    own = a_model()
    shared = a_model(id="m2", owner="cid", owner_name="cid", shared=("ann",))
    early, late = a_model(id="m4", **PUBLIC), a_model(id="m3", **(PUBLIC | {"published_at": LATER, "owner": "dan"}))
    models = [late, early, shared, own]

    assert meant("zorp", models, asker="ann") == [own]
    assert meant("zorp", models[:3], asker="ann") == [shared]
    assert meant("zorp", models[:2], asker="ann") == meant("zorp", models, asker="nobody") == [early]
    assert meant("cid/zorp", models, asker="ann") == [shared]
    assert meant("bob/ZORP", models, asker="ann") == [late, early]


def test_a_slug_counts_before_a_trigger_word_and_unlisted_models_have_only_their_full_name() -> None:
    first, second = a_model(id="m1", slug="hero"), a_model(id="m2", slug="zorp-2", names=("zorp-2", "zorp"))
    hidden = a_model(id="m3", owner="bob", owner_name="bob", visibility=Visibility.UNLISTED)

    assert meant("zorp", [first, second], asker="ann") == [second]
    assert meant("zorp", [first, second.but(names=("zorp-2",))], asker="ann") == [first, second.but(names=("zorp-2",))]
    assert (meant("zorp", [hidden], asker="ann"), meant("bob/zorp", [hidden], asker="ann")) == ([], [hidden])


def test_a_search_fits_base_tag_and_a_part_of_a_name() -> None:
    model = a_model(slug="tin-hero", tags=("toy",))
    fitting = [Search(), Search(base="base", tag="toy", text="Hero"), Search(text="ZOR", scope=Scope.MINE)]

    assert [search.fits(model) for search in fitting] == [True, True, True]
    assert [search.narrow for search in fitting] == [False, True, True]
    assert not any(search.fits(model) for search in (Search(base="b"), Search(tag="tin"), Search(text="xyz")))


def test_a_card_says_what_hubs_and_people_want_to_know() -> None:
    model = a_model(description="A *tin* robot.", tags=("toy",), licence=Licence.CC_BY)
    front, body = a_card(model)

    assert front == {
        "license": "cc-by-4.0",
        "base_model": "hub/base",
        "instance_prompt": "zorp",
        "tags": ["lora", "text-to-image", "diffusers", "toy"],
    }
    assert body.startswith("# ann/zorp\n\nA \\*tin\\* robot\\.\n")
    assert '.from_pretrained("hub/base")\n' in body
    assert 'load_lora_weights(".", weight_name="zorp.safetensors", adapter_name="zorp")\n' in body
    assert [line for line in body.splitlines() if line.startswith("| ")] == [
        "| | |",
        "| base model | hub/base |",
        "| base model's sha256 | bbbb |",
        "| recipe | sd15\\_lora |",
        "| pictures | 12 |",
        "| epoch | 2 of 2, step 200 |",
        "| training loss | 0\\.1000 |",
        "| evaluation loss before | 0\\.5000 |",
        "| evaluation loss after | 0\\.2500 |",
        "| seed | 7 |",
        "| steps | 200 |",
        "| unet lr | 0\\.0001 |",
    ]


def test_a_card_shows_what_is_published_beside_it() -> None:
    published = a_model(weights="c" * 64, thumbnail=an_artifact("thumbnail.jpg"), step=100)
    front, body = a_card(published)
    _, bare = a_card(a_model())

    assert front["thumbnail"] == "thumbnail.jpg"
    assert "\n![a sample](thumbnail.jpg)\n" in body
    assert f"- sha256: `sha of zorp.safetensors`\n- sha256 of the weights alone: `{'c' * 64}`\n" in body
    assert "| epoch | 1 of 2, step 100 |" in body
    assert "| evaluation loss after | 0\\.3750 |" in body
    assert ("thumbnail" in bare, "weights alone" in bare) == (False, False)


def test_a_card_of_a_folder_of_peft_tells_how_to_talk_with_it() -> None:
    front, body = a_card(a_model(artifact=an_artifact("zorp.zip")))

    assert (front["tags"], "instance_prompt" in front) == (["lora", "text-generation", "peft"], False)
    assert 'AutoModelForCausalLM.from_pretrained("hub/base"), "adapter")' in body
    assert ("diffusers" in body, "| pictures" in body, "- file: `zorp.zip`, 100 bytes" in body) == (False, False, True)


@pytest.mark.parametrize("artifact", ["zorp.safetensors", "zorp.zip"])
def test_the_code_of_a_card_is_python(artifact: str) -> None:
    _, body = a_card(a_model(artifact=an_artifact(artifact), trigger="zo'rp"))

    assert compile(body.split("```")[1].removeprefix("python"), artifact, "exec")


def test_a_card_of_a_reserved_model_for_adults() -> None:
    front, _ = a_card(a_model(licence=Licence.RESERVED, rating=Rating.NSFW))

    assert (front["license"], front["license_name"]) == ("other", "all-rights-reserved")
    assert "not-for-all-audiences" in front["tags"]


@example(trigger='zo"rp: [', base="- a: #b", said="``` ## x --- <b>")
@given(trigger=st.text(), base=st.text(min_size=1), said=st.text())
def test_no_text_breaks_out_of_its_place_in_a_card(trigger: str, base: str, said: str) -> None:
    model = a_model(trigger=trigger, description=" ".join(said.split()))
    front, body = a_card(model, base=base)

    assert (front["instance_prompt"], front["base_model"]) == tuple(
        "".join(letter for letter in text if letter.isprintable()) for text in (trigger, base)
    )
    assert body.count("\n## ") == 3
    assert body.count("\n```") == 2


def test_a_card_tells_nothing_of_the_dataset_but_its_size() -> None:
    model = a_model(slug="hero", names=("secret-name", "hero"))
    text = card(model, RUN.but(dataset="secret", snapshot="secret"), base="b", pictures=None)

    assert "secret" not in text
    assert json.dumps("hero.safetensors") in text
