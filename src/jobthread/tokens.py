"""Secrets that open something: made here, kept only as hashes, or sealed while they wait to be sent."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

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


# --- signed words ---------------------------------------------------------------------------------

MAC_BYTES = 12
"""96 bits: nobody guesses one, and an address that holds it stays short."""
LARGEST_SIGNED = 2**63 - 1


def signed(key: bytes, numbers: Sequence[int]) -> str:
    """The numbers and their signature as lower-case letters and digits, fit for an address.

    They can be read by anybody, and made only with the key. Raises `ValueError` for a number below 0.
    """
    told = b"".join(map(_as_bytes, numbers))
    written = base64.b32encode(told + hmac.digest(key, told, "sha256")[:MAC_BYTES])
    return written.decode().rstrip("=").lower()


def signed_numbers(key: bytes, text: str, count: int) -> list[int] | None:
    """The numbers that `signed` wrote, in letters of any case; None for whatever else `text` may be."""
    text = text.lower()
    if not text.isascii():
        return None
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        return None
    numbers = _numbers(raw[:-MAC_BYTES])
    # Written anew and compared as a whole: there is one way to write each, and no other is taken.
    if numbers is None or len(numbers) != count:
        return None
    return numbers if hmac.compare_digest(signed(key, numbers), text) else None


def _as_bytes(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the eighth set."""
    if not 0 <= number <= LARGEST_SIGNED:
        raise ValueError("a number that cannot be signed")
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes((*written, number))


def _numbers(raw: bytes) -> list[int] | None:
    found, number, shift = [], 0, 0
    for byte in raw:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            if number > LARGEST_SIGNED:
                return None
            found.append(number)
            number, shift = 0, 0
    return None if shift else found


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
