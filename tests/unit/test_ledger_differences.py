from core.domain.ledger import Balance, differences, grant, held, hold, is_house, qoints
from core.domain.ledger import balances as replayed
from tests.builders.entities import NOON

BOOK = [
    grant(50, key="k", owner="ann", why="a test", now=NOON),
    hold(Balance(id="ann", granted=50), 20, owner="ann", job="j1", why="zorp", now=NOON),
]
SOUND = [row for name, row in replayed(BOOK).items() if not is_house(name)]


def test_sound_balances_have_no_differences() -> None:
    assert differences(BOOK, SOUND) == []


def test_an_empty_row_is_as_good_as_none() -> None:
    assert differences(BOOK, [*SOUND, Balance(id="account:bob:points")]) == []


def test_a_changed_row_is_named_with_what_it_should_be() -> None:
    changed = [row.but(granted=31) if row.id == qoints("ann") else row for row in SOUND]

    expected = (Balance(id=qoints("ann"), granted=30), Balance(id=qoints("ann"), granted=31))
    assert differences(BOOK, changed) == [expected]


def test_a_missing_row_is_named() -> None:
    kept = [row for row in SOUND if row.id != held("j1")]

    assert differences(BOOK, kept) == [(Balance(id=held("j1"), granted=20), Balance(id=held("j1")))]


def test_a_row_out_of_nowhere_is_named() -> None:
    assert differences([], [Balance(id="account:bob:points", free=5)]) == [
        (Balance(id="account:bob:points"), Balance(id="account:bob:points", free=5))
    ]
