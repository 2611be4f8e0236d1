"""Pictures that are larger than a training can use are scaled down, whatever their shape."""

from pathlib import Path

import pytest

from tests.worker.pictures import a_picture, encoded
from worker.adapters.mending import Shrinking, shrunk


@pytest.mark.parametrize(("before", "after"), [((300, 200), (100, 67)), ((200, 300), (67, 100)), ((900, 2), (100, 1))])
def test_the_longer_side_fits_and_none_vanishes(
    tmp_path: Path, before: tuple[int, int], after: tuple[int, int]
) -> None:
    raw, out = tmp_path / "raw.png", tmp_path / "out"
    raw.write_bytes(encoded(a_picture(size=before)))
    out.mkdir()

    small = shrunk(Shrinking(path=raw, out=out, longest=100))

    assert (small.width, small.height) == after
