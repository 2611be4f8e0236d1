"""Logs: structured events on stderr, readable or as JSON lines, as the settings say; of libraries only warnings."""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import Settings

SECRET = re.compile(r"(/bot\d+:|/(?:webhooks|interactions)/\d+/)[\w-]+")  # in addresses that libraries speak of


def configure(settings: Settings) -> None:
    """Send all events from the level of the settings on to stderr, and warnings of libraries in the same form."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if settings.log_json else "%H:%M:%S", utc=settings.log_json),
    ]
    last = [*_drawing(as_json=settings.log_json), _guarded]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING))


def _drawing(*, as_json: bool) -> list[Processor]:
    """How an event becomes a line."""
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    colours, plain = sys.stderr.isatty(), structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]


def _guarded(_: WrappedLogger, __: str, line: str | EventDict) -> str:
    """The line without the secrets that stand in addresses of Telegram and Discord."""
    return SECRET.sub(r"\1…", str(line))
