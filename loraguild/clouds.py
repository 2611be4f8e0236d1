"""The cloud that exports can go to, where the extra `dropbox` is installed and its operator has set one up."""

from collections.abc import Callable, Mapping

from config.settings import Settings
from core.domain.errors import CloudNotSetUp, ExtraMissing
from core.ports.clouds import Cloud
from core.ports.vault import Vault

EXTRA = "dropbox"


def cloud(settings: Settings) -> Callable[[], Cloud]:
    """What makes the cloud of the settings; it raises CloudNotSetUp, or ExtraMissing."""

    def made() -> Cloud:
        if not settings.dropbox_app_key:
            raise CloudNotSetUp(why="it is not set")
        try:
            from worker.adapters.dropbox import DropboxCloud  # noqa: PLC0415 - an extra that is seldom installed
        except ModuleNotFoundError as error:
            raise ExtraMissing(extra=EXTRA) from error
        return DropboxCloud(app_key=settings.dropbox_app_key)

    return made


def vault(keys: Mapping[str, bytes]) -> Callable[[], Vault]:
    """What makes the vault of these keys; it raises ExtraMissing."""

    def made() -> Vault:
        try:
            from config.vault import KeyVault  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise ExtraMissing(extra=EXTRA) from error
        return KeyVault(keys)

    return made
