"""The vault: secrets sealed with keys derived from SECRET_KEY (Fernet: AES-128-CBC and HMAC-SHA256; HKDF, RFC 5869)."""

import base64
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"loraguild vault"


class KeyVault:
    """Seals with the first key, and opens what any of them has sealed."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = MultiFernet([_fernet(key) for key in keys.values()])

    def seal(self, secret: str) -> str:
        """The secret, as only this house can read it."""
        return self._keys.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The secret; None where its key is no longer known."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def _fernet(key: bytes) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))
