"""The doctor: what is found, what is counted, which pictures look alike, and what is mended at once."""

import random
import time
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.conversation import PartFacts
from core.domain.counting import pictured, says
from core.domain.dataset import Kind, Status
from core.domain.doctor import (
    FIXES,
    LARGE,
    LONG,
    SHOWN,
    SMALL,
    Fix,
    captions_examined,
    conversations_examined,
    examined,
    kept,
    lines_examined,
    recaptioned,
    without_bad_lines,
)
from core.domain.finding import LineError, Severity, Statistics, TokenCount
from core.domain.item import Item
from core.domain.likeness import NEAR, copies, lookalikes
from tests.builders.entities import NOON, a_caption, a_dataset, an_artifact, an_item

LATER = NOON + timedelta(hours=1)
HASHES = st.integers(0, 2**64 - 1)


def captioned(item: Item, text: str, *, tokens: int | None = None) -> Item:
    return item.captioned(a_caption(text, item=item.id).but(tokens=tokens))


def hashed(number: int, phash: int, **facts: object) -> Item:
    return an_item(number, phash=f"{phash:016x}", **facts)


def flipped(phash: int, *bits: int) -> int:
    return phash ^ sum(1 << bit for bit in set(bits))


def test_there_is_nothing_to_say_about_good_pictures() -> None:
    items = [captioned(an_item(number), f"zorp, picture {number}", tokens=5 + number) for number in range(4)]
    dataset = a_dataset(kind=Kind.IMAGES)

    findings, statistics = examined(dataset, items)
    checked = recaptioned(dataset.but(findings=findings, statistics=statistics), items, now=LATER)

    assert checked.findings == ()
    assert checked.statistics == Statistics(
        items=4,
        bytes=400,
        captioned=4,
        smallest=(512, 512),
        largest=(512, 512),
        resolutions={"from 512 to 767 px": 4},
        aspects={"1:1": 4},
        triggered=4,
        tokens=TokenCount(shortest=5, longest=8, total=26, texts=4),
    )


def test_what_is_wrong_with_pictures() -> None:
    items = [
        an_item(0),
        an_item(1, artifact=an_artifact("copy.png", sha256="sha of 0.png"), phash=an_item(0).phash),
        an_item(2, phash=f"{int(an_item(0).phash, 16) ^ 0b111:016x}", sharpness=90.0),
        an_item(3, width=SMALL - 1),
        an_item(4, sharpness=1.0, phash="00ff00ff00ff00ff"),
        an_item(5, phash="0f0f0f0f0f0f0f0f"),
        an_item(6, height=LARGE + 1, phash="3333333333333333"),
        an_item(7, withdrawn_at=NOON, sharpness=1.0),
    ]

    findings, _ = examined(a_dataset(), items, unreadable=["i5"])

    assert {finding.code: (finding.severity, finding.items) for finding in findings} == {
        "unreadable": (Severity.ERROR, ("i5",)),
        "exact_duplicates": (Severity.WARNING, ("i1",)),
        "near_duplicates": (Severity.WARNING, ("i0", "i2")),
        "small": (Severity.WARNING, ("i3",)),
        "oversized": (Severity.WARNING, ("i6",)),
        "blurred": (Severity.WARNING, ("i4",)),
        "withdrawn": (Severity.WARNING, ("i7",)),
    }


def test_what_is_wrong_with_captions() -> None:
    items = [
        captioned(an_item(0), "Zorp, red hair, on white"),
        captioned(an_item(1), "a zorpling with red hair"),
        captioned(an_item(2), "zorp on white"),
        captioned(an_item(3), "zorp, red hair " + "very " * 60),
        captioned(an_item(4), "zorp, red hair", tokens=LONG + 1),
        an_item(5),
        an_item(6, withdrawn_at=NOON),
    ]

    findings = captions_examined(a_dataset(), items, ("red hair",))

    assert {finding.code: finding.items for finding in findings} == {
        "uncaptioned": ("i5",),
        "triggerless": ("i1",),
        "traitless": ("i2",),
        "long": ("i3", "i4"),
    }


def test_what_is_wrong_with_conversations() -> None:
    facts = PartFacts(turns=9, pairs=4, validation_pairs=1, tokens=90, faults=2, emails=1, secrets=3)
    tokens = TokenCount(shortest=1, longest=20, total=90, texts=9)

    findings, statistics = conversations_examined(
        a_dataset(count=3, bytes=70), facts, tokens=tokens, duplicates=1, unreadable=1
    )

    assert [(finding.code, finding.severity, finding.words.split(" ")[0]) for finding in findings] == [
        ("unreadable", Severity.ERROR, "1"),
        ("roles", Severity.ERROR, "2"),
        ("secrets", Severity.WARNING, "3"),
        ("emails", Severity.WARNING, "1"),
        ("duplicates", Severity.WARNING, "1"),
    ]
    assert statistics == Statistics(items=3, bytes=70, turns=9, pairs=4, validation_pairs=1, tokens=tokens)


def test_every_finding_that_can_be_mended_is_known_by_its_code() -> None:
    assert {fix for fixes in FIXES.values() for fix in fixes} == set(Fix)


def test_a_finding_names_some_pictures_and_counts_the_rest() -> None:
    findings, _ = examined(a_dataset(), [an_item(n, width=10, artifact=an_artifact(f"{n}.png")) for n in range(8)])
    small = next(finding for finding in findings if finding.code == "small")

    assert small.words.startswith(f"Smaller than {SMALL} px: 0.png, 1.png, 2.png, 3.png, 4.png and {8 - SHOWN} more.")
    assert len(small.items) == 8


@pytest.mark.parametrize("status", list(Status))
def test_captions_that_change_leave_the_status_and_other_findings_alone(status: Status) -> None:
    findings, statistics = examined(a_dataset(), [an_item(sharpness=0.0)])
    dataset = a_dataset(status=status, count=1, kind=Kind.IMAGES, findings=findings, statistics=statistics)

    bare = recaptioned(dataset, [an_item()], now=NOON)
    said = recaptioned(bare, [captioned(an_item(), "zorp")], now=LATER)

    assert [finding.code for finding in bare.findings] == ["blurred", "uncaptioned"]
    assert [finding.code for finding in said.findings] == ["blurred"]
    assert (said.status, said.statistics.captioned, said.statistics.tokens.estimated) == (status, 1, True)


def test_conversations_have_no_captions_to_look_at() -> None:
    counted = Statistics(items=1, tokens=TokenCount(total=9))
    dataset = a_dataset(kind=Kind.CONVERSATIONS, statistics=counted)

    assert recaptioned(dataset, [], now=LATER) == dataset


@pytest.mark.parametrize(
    ("size", "side", "shape"),
    [
        ((255, 255), "under 256 px", "1:1"),
        ((256, 341), "from 256 to 511 px", "3:4"),
        ((1024, 1536), "from 1024 px on", "2:3"),
        ((1000, 700), "from 512 to 767 px", "3:2"),
        ((1080, 1920), "from 1024 px on", "9:16"),
        ((4000, 1), "under 256 px", "16:9"),
    ],
)
def test_histograms_name_the_nearest_shape(size: tuple[int, int], side: str, shape: str) -> None:
    counted = pictured([an_item(width=size[0], height=size[1])])

    assert (counted.resolutions, counted.aspects) == ({side: 1}, {shape: 1})


@pytest.mark.parametrize(
    ("text", "phrase", "is_said"),
    [
        ("a ZORP.", "zorp", True),
        ("zorp-x1 on white", "zorp", False),
        ("zorp-x1, red", "zorp-x1", True),
        ("dark red hair", "red hair", True),
        ("hair, red", "red, hair", True),
        ("reddish hair", "red", False),
        ("anything", "", True),
    ],
)
def test_what_a_caption_says(text: str, phrase: str, *, is_said: bool) -> None:
    assert says(text, phrase) is is_said


@given(HASHES, st.sets(st.integers(0, 63)))
def test_pictures_whose_hashes_differ_in_few_bits_look_alike(one: int, bits: set[int]) -> None:
    items = [hashed(0, one), hashed(1, flipped(one, *bits))]

    assert bool(lookalikes(items)) is (len(bits) <= NEAR)


def compared(items: Sequence[Item], kept: set[str]) -> tuple[list[Item], list[Item]]:
    """Compare each with each: those that stay, those that go."""
    staying: list[Item] = []
    going: list[Item] = []
    for item in sorted(items, key=lambda item: (-item.width * item.height, -item.sharpness, item.position)):
        rivals = [other for other in staying if not {other.id, item.id} <= kept]
        close = any((int(item.phash, 16) ^ int(other.phash, 16)).bit_count() <= NEAR for other in rivals)
        (going if close else staying).append(item)
    return staying, going


@given(st.data())
def test_look_alikes_are_those_that_comparing_each_with_each_finds(data: st.DataObject) -> None:
    centres = data.draw(st.lists(HASHES, min_size=1, max_size=4))
    bits = st.lists(st.integers(0, 63), max_size=9)
    motifs = data.draw(st.lists(st.tuples(st.sampled_from(centres), bits, st.integers(1, 3)), max_size=25))
    items = [hashed(n, flipped(centre, *bits), width=width) for n, (centre, bits, width) in enumerate(motifs)]
    keep = data.draw(st.sets(st.sampled_from([item.id for item in items]))) if items else set()
    staying, going = compared(items, keep)

    pairs = lookalikes(items, kept=keep)

    assert [worse.id for _, worse in pairs] == [item.id for item in going]
    assert all((int(one.phash, 16) ^ int(other.phash, 16)).bit_count() <= NEAR for one, other in pairs)
    assert {better.id for better, _ in pairs} <= {item.id for item in staying}
    assert lookalikes(items, kept=kept(a_dataset(kept=tuple(sorted(keep))), items, now=LATER).kept) == []
    assert lookalikes(staying, kept=keep) == []


def test_the_larger_stays_then_the_sharper_and_copies_are_no_look_alikes() -> None:
    small, large, sharp = hashed(0, 7, width=300), hashed(1, 6), hashed(2, 5, sharpness=200.0)
    copy = hashed(3, 6, artifact=large.artifact)

    assert lookalikes([small, large, sharp, copy]) == [(sharp, large), (sharp, small)]


def test_of_pictures_that_are_the_same_one_with_a_caption_stays() -> None:
    first, second, third = (an_item(number, artifact=an_artifact("a.png")) for number in range(3))

    assert copies(a_dataset(), [first, captioned(second, "zorp"), third]) == [first, third]


@pytest.mark.parametrize("spread", [0, 64])
def test_thousands_of_pictures_are_compared_in_a_moment(spread: int) -> None:
    chance = random.Random(1)
    items = [hashed(number, chance.getrandbits(spread) if spread else 5) for number in range(5_000)]
    started = time.process_time()

    pairs = lookalikes(items)
    after = kept(a_dataset(), items, now=LATER)

    assert len(pairs) == (0 if spread else 4_999)
    assert lookalikes(items, kept=after.kept) == []
    assert time.process_time() - started < 10


def test_what_shall_stay_is_found_no_more_until_something_new_looks_like_it() -> None:
    chain = [hashed(0, 0), hashed(1, flipped(0, *range(6))), hashed(2, flipped(0, *range(12)))]
    dataset = a_dataset(count=3, revision=4, status=Status.READY, findings=examined(a_dataset(), chain)[0])

    after = kept(dataset, chain, now=LATER)
    again, _ = examined(after, chain)
    more, _ = examined(after, [*chain, hashed(3, 1)])

    assert (after.findings, after.kept, after.revision, after.status) == ((), ("i0", "i1", "i2"), 5, Status.READY)
    assert again == ()
    assert [finding.items for finding in more] == [("i0", "i3")]


def test_lines_that_did_not_come_in_block_until_somebody_goes_on_without_them() -> None:
    error = LineError(file="a.jsonl", line=3, words="This is no JSON.")
    dataset = a_dataset(count=1, error_count=2, errors=(error,))
    blocked = dataset.checked(lines_examined(dataset), Statistics(items=1), now=NOON)

    mended = without_bad_lines(blocked, now=LATER)

    assert [(finding.code, finding.severity) for finding in blocked.findings] == [("bad_lines", Severity.ERROR)]
    assert (blocked.status, mended.status) == (Status.ERROR, Status.READY)
    assert (mended.findings, mended.errors, mended.error_count, mended.statistics.items) == ((), (), 0, 1)
    assert without_bad_lines(dataset.but(status=Status.VALIDATING), now=LATER).status is Status.VALIDATING
