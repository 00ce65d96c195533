"""What a push service may carry and not read (RFC 8291), and who asks it to (RFC 8292). Pure."""

import base64
import json
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RECORD_SIZE = 4096
POINT_BYTES = 65
AUTH_BYTES = 16
LIFE_SECONDS = 12 * 3600
"""Of a proof of who asks; push services accept up to a day."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Who we are to push services: browsers bind their subscriptions to the public one."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    public: str


def keys_from(secret: bytes) -> Keys:
    """The same from the same 32 secret bytes, so that there is nothing to keep."""
    private = ec.derive_private_key(int.from_bytes(secret, "big") % (ORDER - 1) + 1, CURVE)
    return Keys(private, encoded(_point(private)))


def encrypted(
    body: bytes,
    p256dh: bytes,
    auth: bytes,
    salt: bytes | None = None,
    ours: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """One record of `aes128gcm` for the holder of the subscription. `salt` and `ours` are new each time."""
    salt = salt or os.urandom(16)
    ours = ours or ec.generate_private_key(CURVE)
    point = _point(ours)
    shared = ours.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, p256dh))
    secret = _hkdf(auth, shared, b"WebPush: info\0" + p256dh + point, 32)
    key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(point)]) + point
    return head + AESGCM(key).encrypt(nonce, body + b"\x02", None)


def proof(keys: Keys, endpoint: str, contact: str, now: int) -> str:
    """The `Authorization` for this endpoint. `now` is in seconds, `contact` a mailto: or https: address."""
    at = urlsplit(endpoint)
    claims = {"aud": f"{at.scheme}://{at.netloc}", "exp": now + LIFE_SECONDS, "sub": contact}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(keys.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={keys.public}"


def is_point(p256dh: bytes) -> bool:
    """Whether it is a public key of the curve: anything else may be a try to learn ours."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, p256dh)
    except ValueError:
        return False
    return len(p256dh) == POINT_BYTES


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises `ValueError`."""
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
