"""How facts read on a page: sizes, times, counts, states."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from jinja2 import Environment, pass_environment
from markupsafe import Markup, escape

from core.domain.royalty import shown as hundredths
from web.schemas import described, example

KILO = 1000
UNITS = ("B", "kB", "MB", "GB", "TB")
MINUTE, HOUR = 60, 3600
CODE = re.compile(r"`([^`\n]+)`")
PLACES: Mapping[str, tuple[str, str]] = {  # where a page does what a command does, and how that is called
    "admin disputes": ("/admin/disputes", "the disputes"),
    "admin queue": ("/admin", "the queue"),
    "admin setting": ("/admin/settings", "the settings"),
    "caption": ("/datasets", "the captions of your dataset"),
    "character": ("/characters", "your characters"),
    "connect": ("/account", "your account"),
    "dataset": ("/datasets", "your datasets"),
    "dataset consent": ("/datasets", "the consent of your dataset"),
    "dataset new": ("/datasets/new", "a new dataset"),
    "earnings": ("/earnings", "your earnings"),
    "generation": ("/generate", "your pictures"),
    "imagine": ("/generate", "a new prompt"),
    "model": ("/models", "your models"),
    "moderation reports": ("/admin/reports", "the reports"),
    "offerings": ("/train", "what is on offer"),
    "payout": ("/payouts", "your payouts"),
    "receipts": ("/receipts", "your receipts"),
    "redeem": ("/wallet", "redeem"),
    "train": ("/jobs", "your jobs"),
    "train order": ("/train", "the training form"),
    "wallet": ("/wallet", "your wallet"),
}


def size(count: float) -> str:
    """Bytes as people read them: `3.2 MB`."""
    unit = 0
    while count >= KILO and unit < len(UNITS) - 1:
        count, unit = count / KILO, unit + 1
    return f"{count:.0f} {UNITS[unit]}" if unit < UNITS.index("MB") else f"{count:.1f} {UNITS[unit]}"


def moment(at: datetime | None) -> str:
    """A moment, in UTC: `2026-11-21 20:15`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if at else "never"


def iso(at: datetime) -> str:
    """A moment for machines."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """How long: `40 s`, `12 min`, `3.5 h`."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < HOUR else f"{seconds / HOUR:.1f} h"


def between(low: float, high: float) -> str:
    """A range of seconds: `40 s to 2 min`."""
    first, last = duration(low), duration(high)
    return last if first == last else f"{first} to {last}"


def counted(count: int, noun: str) -> str:
    """So many of something: `1 picture`, `1,200 pictures`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def whole(count: int) -> str:
    """A number with its thousands apart: `12,000`."""
    return f"{count:,}"


def signed(change: int) -> str:
    """A change as people write it: `+20`, `−20`."""
    return f"{'+' if change > 0 else '−'}{abs(change):,}"


@pass_environment
def coded(pages: Environment, text: str) -> str:
    """Words with the commands in their backticks: as links where a page does the same, and else set as code."""

    def shown(found: re.Match[str]) -> str:
        words = found[1].split()
        place = PLACES.get(" ".join(words[:2])) or PLACES.get(words[0] if words else "")
        if place is None:
            return f"<code>{found[1]}</code>"
        path, called = place
        return f'<a href="{pages.globals["root"]}{path}">{called}</a>'

    return Markup(CODE.sub(shown, str(escape(text))))  # noqa: S704 - everything is escaped before


FILTERS: Mapping[str, Callable[..., str]] = {
    "size": size,
    "moment": moment,
    "iso": iso,
    "duration": duration,
    "between": between,
    "counted": counted,
    "whole": whole,
    "signed": signed,
    "coded": coded,
    "hundredths": hundredths,
    "described": described,
    "example": example,
}
