from hypothesis import given
from hypothesis import strategies as st

from core.domain.dataset import NAME_LENGTH, dataset_name
from core.domain.purge import digest, free_name
from core.domain.quota import Quota, Usage
from core.domain.trigger import folded
from tests.builders.entities import a_dataset

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=NAME_LENGTH)
AMOUNTS = st.integers(0, 10**6)


@given(NAMES, st.integers(0, 12))
def test_a_name_that_is_free_is_a_name_and_begins_alike(name: str, times: int) -> None:
    taken: set[str] = set()
    for _ in range(times):
        taken.add(folded(free_name(name, taken)))

    found = free_name(name, taken)

    assert len(taken) == times
    assert folded(found) not in taken
    assert dataset_name(found) == found
    assert found == name if not times else found.endswith(f" {times + 1}")


@given(st.lists(NAMES, unique=True, max_size=5), NAMES)
def test_a_selection_is_told_by_what_is_in_it_whatever_the_order(ids: list[str], other: str) -> None:
    datasets = [a_dataset(id=name) for name in ids]

    assert digest(reversed(datasets)) == digest(datasets)
    assert (digest([*datasets, a_dataset(id=other)]) == digest(datasets)) is False


@given(st.builds(Usage, bytes=AMOUNTS, items=AMOUNTS), st.builds(Quota, bytes=AMOUNTS, items=AMOUNTS))
def test_what_there_is_room_for_fits_unless_there_is_too_much_already(used: Usage, quota: Quota) -> None:
    room = quota.room(used)

    assert min(room.bytes, room.items) >= 0
    if used.bytes <= quota.bytes and used.items <= quota.items:
        quota.require(used, room)
