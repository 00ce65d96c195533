"""What the sign-in page asks for before anybody is signed in."""

from jobthread import __version__
from tests.api.refusing import invalid
from tests.cast import Cast, ok


def test_anyone_may_ask_whose_server_this_is(cast: Cast) -> None:
    told = {"company": "Jobthread", "version": __version__, "demo": False, "sign_ins": []}
    assert ok(cast.stranger().get("/api/about")) == told
    assert ok(cast.dora.get("/api/about")) == told
    invalid(cast.stranger().get("/api/about", params={"demo": "true"}), "demo")
