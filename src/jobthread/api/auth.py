"""Signing in and out."""

from litestar import Response

from jobthread.actions import passwords, sessions
from jobthread.api import encoding, fields, people_shapes
from jobthread.api.caller import ended_session_cookie, session_cookie, session_token
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer, no_content
from jobthread.errors import BadCredentials, Forbidden, Invalid, RateLimited
from jobthread.tokens import hash_of

calls = Calls()

SESSION_COOKIE = {"Set-Cookie": "The session: HttpOnly, SameSite=Lax, on https also Secure"}


@calls.add(
    "POST",
    "/api/auth/login",
    Who.ANYONE,
    body=people_shapes.Login,
    answers={200: people_shapes.UserAnswer},
    errors=(BadCredentials, RateLimited),
    headers=SESSION_COOKIE,
)
async def sign_in(asked: Asked[people_shapes.Login, Nothing]) -> Response[bytes]:
    """Sign in with e-mail and password; sets the session cookie."""
    parts, by, email = asked.parts, asked.by, fields.line(asked.body.email, "email", 254)
    known = await parts.db.write(lambda tx: sessions.attempt(tx, by, email, parts.limits))
    if not await passwords.matches(known[1] if known else None, asked.body.password) or known is None:
        await parts.db.write(lambda tx: sessions.sign_in_failed(tx, by, email, known[0] if known else None))
        raise BadCredentials
    staff, password_hash = known
    signed_in, token = await parts.db.write(
        lambda tx: sessions.sign_in(tx, by, staff, password_hash, parts.session_days)
    )
    response = answer(people_shapes.UserAnswer(encoding.user(signed_in)))
    response.headers["Set-Cookie"] = session_cookie(parts, token)
    return response


@calls.add("POST", "/api/auth/logout", Who.STAFF, answers={204: None}, headers=SESSION_COOKIE)
async def sign_out(asked: Asked[None, Nothing]) -> Response[bytes]:
    """End this session, at once."""
    response = no_content()
    if token := session_token(asked.request, asked.parts):
        await asked.parts.db.write(lambda tx: sessions.sign_out(tx, asked.by, hash_of(token)))
        response.headers["Set-Cookie"] = ended_session_cookie(asked.parts)
    return response


@calls.add("GET", "/api/auth/me", Who.STAFF, answers={200: people_shapes.UserAnswer})
async def who_am_i(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Who is signed in."""
    return answer(people_shapes.UserAnswer(encoding.user(asked.staff)))


@calls.add(
    "POST",
    "/api/auth/password",
    Who.STAFF,
    body=people_shapes.PasswordChange,
    answers={204: None},
    errors=(Forbidden, RateLimited),
)
async def change_password(asked: Asked[people_shapes.PasswordChange, Nothing]) -> Response[bytes]:
    """Change one's own password; every other session of that person ends."""
    parts, by = asked.parts, asked.by
    if asked.staff.service:
        raise Forbidden("A service account has no password")
    await parts.db.write(lambda tx: sessions.count_password_check(tx, by, parts.limits))
    known = await parts.db.read(lambda tx: sessions.own_password_hash(tx, by))
    if not await passwords.matches(known, asked.body.current):
        raise Invalid("current", "is not your password")
    new_hash = await passwords.hashed(asked.body.new)
    token = session_token(asked.request, parts)
    kept = hash_of(token) if token else None
    await parts.db.write(lambda tx: sessions.change_password(tx, by, new_hash, kept))
    return no_content()
