"""Argon2id, off the event loop and few at a time: each one takes 64 MiB for a tenth of a second."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 8
LONGEST = 256

_hasher = PasswordHasher()
_pool = ThreadPoolExecutor(2, thread_name_prefix="argon2")
# A well-formed hash that no password has: an unknown account takes as long to refuse as a known one.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$FHm3euuuAN0ft4+0YP5jdg$vG+qFKdxbERx+L0bxBpfoGXMEddX1L99z4xH6rHyPqA"


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Takes the same time whether there is a hash to compare with or not."""
    known = password_hash is not None
    verified = await asyncio.get_running_loop().run_in_executor(
        _pool, _verify, password_hash or _NOBODY, password
    )
    return verified and known


def hashed_now(password: str) -> str:
    """For the command line and the demo."""
    return _hasher.hash(password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
