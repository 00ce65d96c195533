"""Secrets that open something: made here, kept only as hashes, or sealed while they wait to be sent."""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken

API_KEY_PREFIX = "jt_"


def new_token() -> str:
    """256 random bits in base64url: 43 characters, of which the last is a letter or a digit."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    return API_KEY_PREFIX + new_token()


def hash_of(token: str) -> bytes:
    """Plain SHA-256 is right here: salt and slowness guard secrets that can be guessed, and these cannot."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def derived(secret_key: str, purpose: str) -> bytes:
    """A key of its own for each purpose."""
    return hmac.digest(secret_key.encode(), purpose.encode(), "sha256")


class Seal:
    """Keeps a token unreadable in the database between the moment it is made and the moment it is sent."""

    def __init__(self, secret_key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derived(secret_key, "deliveries")))

    def close(self, token: str) -> bytes:
        return self._fernet.encrypt(token.encode())

    def open(self, sealed: bytes) -> str:
        """Raises `ValueError` where it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise ValueError("sealed with another secret key") from error
