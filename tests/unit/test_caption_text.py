"""What is stored of a caption that somebody has typed."""

from hypothesis import given
from hypothesis import strategies as st

from core.domain.caption import caption_text
from core.domain.errors import BadValue


@given(st.text(st.characters(), max_size=60))
def test_a_caption_can_be_stored_and_shown_on_one_line(text: str) -> None:
    try:
        line = caption_text(text)
    except BadValue:
        return
    assert line.encode().decode() == line
    assert (line.splitlines(), caption_text(line)) == ([line], line)
    assert "\x1b" not in line


def test_what_controls_a_terminal_is_left_out() -> None:
    assert caption_text("zorp,\x1b[2J red\x00hat \ud83d") == "zorp, [2J red hat"
