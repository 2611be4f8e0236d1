"""What a language model answered, as Markdown: each question with its answers before a training and after it."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path


def before_after(before: Sequence[Path], after: Sequence[Path], *, labels: tuple[str, str], out: Path) -> Path:
    """Write the answers one under another, as UTF-8 to `out`.

    Args:
        before: A text for each question, which begins with it as a line that is quoted.
        after: The same questions with other answers.
        labels: The words over each of the two.
        out: The file to write.

    Returns:
        `out`.
    """
    sections = []
    for pair in zip_longest(before, after):
        read = [path.read_text(encoding="utf-8").partition("\n\n") if path else ("", "", "") for path in pair]
        question = next(question for question, _, _ in read if question)
        answers = [f"**{label}**\n\n{text.strip()}" for label, (_, _, text) in zip(labels, read, strict=True)]
        sections.append("\n\n".join([question, *answers]))
    out.write_text("\n\n---\n\n".join(sections) + "\n", encoding="utf-8")
    return out
