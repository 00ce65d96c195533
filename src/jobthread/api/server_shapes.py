"""What the server says of itself, and of what it refuses."""

from msgspec import UNSET, Struct, UnsetType

from jobthread.entities import Role

# --- the server -----------------------------------------------------------------------------------


class SignIn(Struct):
    email: str
    role: Role
    password: str


class About(Struct):
    company: str
    version: str
    demo: bool
    sign_ins: list[SignIn]


# --- problems -------------------------------------------------------------------------------------


class FieldError(Struct):
    field: str
    message: str


class Problem(Struct, omit_defaults=True):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | UnsetType = UNSET
