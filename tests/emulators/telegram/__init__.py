"""A Telegram on loopback for real clients: never more lenient than the documentation of the Bot API."""

from tests.emulators.telegram.people import Group, Person, labels
from tests.emulators.telegram.server import Telegram
from tests.emulators.telegram.world import File, Message

__all__ = ["File", "Group", "Message", "Person", "Telegram", "labels"]
