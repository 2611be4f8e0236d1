"""The steps of the creator: how far one is follows from what there is."""

from hypothesis import given
from hypothesis import strategies as st

from core.domain.character import Character, Trait
from core.domain.creation import OPTIONAL, Step, done, following
from core.domain.dataset import Dataset, Kind, Status
from core.domain.finding import Finding, Severity, Statistics
from tests.builders.entities import NOON, a_dataset

BARE = Finding(code="uncaptioned", severity=Severity.WARNING, words="1 of 2 without a caption.")


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """A dataset in any state, also one that no service would leave."""
    return a_dataset(
        count=draw(st.integers(0, 3)),
        kind=draw(st.sampled_from([None, *Kind])),
        status=draw(st.sampled_from(Status)),
        statistics=Statistics(items=draw(st.integers(0, 3))),
        findings=draw(st.sampled_from([(), (BARE,)])),
    )


def a_character(*traits: Trait) -> Character:
    return Character(
        id="c1",
        owner="ann",
        name="Zorp",
        folded="zorp",
        trigger="zorp",
        traits=traits,
        created_at=NOON,
        updated_at=NOON,
    )


@given(datasets())
def test_what_follows_is_not_done_and_everything_needed_before_it_is(dataset: Dataset) -> None:
    found, behind = following(dataset), done(dataset)
    before = set(list(Step)[: list(Step).index(found)])

    assert found not in behind
    assert before - OPTIONAL <= behind
    assert found not in {Step.CHARACTER, Step.TRAITS, Step.DATASET}


@given(datasets())
def test_an_order_comes_last_and_only_for_what_is_checked_and_captioned(dataset: Dataset) -> None:
    is_complete = {Step.PICTURES, Step.CAPTIONS, Step.CHECK} <= done(dataset)

    assert (following(dataset) is Step.ORDER) == is_complete
    assert Step.ORDER not in done(dataset)


@given(datasets())
def test_nothing_is_done_with_what_is_empty_or_still_comes_in(dataset: Dataset) -> None:
    assert done(dataset.but(count=0)) == {Step.DATASET}
    assert done(dataset.but(status=Status.UPLOADING)) == {Step.DATASET}


def test_captions_are_done_when_each_picture_has_one_and_never_asked_of_conversations() -> None:
    looked_at = {"count": 2, "status": Status.READY, "statistics": Statistics(items=2)}
    bare = a_dataset(kind=Kind.IMAGES, findings=(BARE,), **looked_at)

    assert following(bare) is Step.CAPTIONS
    assert following(bare.but(findings=())) is Step.ORDER
    assert following(bare.but(kind=Kind.CONVERSATIONS)) is Step.ORDER


def test_before_there_is_a_dataset_the_character_says_how_far_one_is() -> None:
    trait = Trait(category="tail", value="long tail", phrase="long tail")

    assert done(None) == frozenset()
    assert done(None, a_character()) == {Step.CHARACTER}
    assert done(None, a_character(trait)) == {Step.CHARACTER, Step.TRAITS}
