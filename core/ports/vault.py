"""A vault: what nobody may read who only has the database."""

from typing import Protocol


class Vault(Protocol):
    """Encrypts and decrypts."""

    def seal(self, secret: str) -> str:
        """The secret, as only this house can read it."""
        ...

    def open(self, sealed: str) -> str | None:
        """The secret; None where its key is no longer known."""
        ...
