"""Notices on people's devices: encrypted for them alone, before any mail, and never for who signed out."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from jobthread.actions import escalation
from jobthread.deliver.push import public_address
from jobthread.deliver.push_encryption import CURVE, decoded, encoded, encrypted, keys_from, proof
from jobthread.store import push as store
from jobthread.store import threads
from jobthread.store.database import Writing
from jobthread.tokens import hash_of
from tests.cast import SESSION_COOKIE, Cast, Colleague, new_session, ok, refused
from tests.deliver.devices import AUTH, Device, PushService, push_service
from tests.deliver.telling import Town, words_of

TOM = "tom@example.com"


# --- the envelope ---------------------------------------------------------------------------------


def test_it_is_sealed_as_in_the_example_of_rfc_8291() -> None:
    ours = ec.derive_private_key(
        int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), CURVE
    )
    sealed = encrypted(
        b"When I grow up, I want to be a watermelon",
        decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        decoded("BTBZMqHH6r4Tts7J_aSIgg"),
        decoded("DGv6ra1nlYgDCS1FRnbzlw"),
        ours,
    )
    assert encoded(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_proof_names_the_service_and_is_signed_by_the_key_that_browsers_know() -> None:
    keys = keys_from(b"k" * 32)
    told = proof(keys, "https://push.example.com/v2/abc", "https://chat.example.com", 1_000)
    token, key = told.removeprefix("vapid t=").split(", k=")
    assert key == keys.public == keys_from(b"k" * 32).public
    signed, _, signature = token.rpartition(".")
    raw = decoded(signature)
    numbers = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(key))
    public.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(decoded(signed.split(".")[1])) == {
        "aud": "https://push.example.com",
        "exp": 1_000 + 12 * 3600,
        "sub": "https://chat.example.com",
    }


PRIVATE = ["127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.169.254", "::1", "localhost"]


@pytest.mark.parametrize("host", PRIVATE)
def test_no_address_of_our_own_network_is_ever_connected_to(host: str) -> None:
    with pytest.raises(OSError, match="not a public address"):
        asyncio.run(public_address(host, 443))


# --- subscribing ----------------------------------------------------------------------------------


def test_a_browser_subscribes_with_the_servers_key_and_again_without_harm(cast: Cast) -> None:
    asked = Device().subscription("https://push.example.com/v2/abc")
    assert len(decoded(ok(cast.tom.get("/api/push/key"))["public_key"])) == 65
    for _ in range(2):
        ok(cast.tom.http.put("/api/push/subscription", json=asked), 204)
    assert len(cast.serving.read(lambda tx: store.of_staff(tx, cast.tom.id))) == 1
    ok(cast.tom.delete("/api/push/subscription"), 204)
    assert not cast.serving.read(lambda tx: store.of_staff(tx, cast.tom.id))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("endpoint", {"endpoint": "http://push.example.com/abc"}),
        ("endpoint", {"endpoint": "https://push.example.com:8080/abc"}),
        ("endpoint", {"endpoint": "https://user@push.example.com/abc"}),
        ("endpoint", {"endpoint": "https://push.example.com/\r\nX: y"}),
        ("endpoint", {"endpoint": "push"}),
        ("keys.p256dh", {"keys": {"p256dh": encoded(b"\x04" + b"1" * 64), "auth": encoded(AUTH)}}),
        ("keys.auth", {"keys": {"p256dh": encoded(Device().p256dh), "auth": "short"}}),
    ],
)
def test_what_is_no_subscription_is_refused(cast: Cast, field: str, change: dict[str, Any]) -> None:
    asked = Device().subscription("https://push.example.com/abc") | change
    problem = refused(cast.tom.http.put("/api/push/subscription", json=asked), 422, "invalid")
    assert [error["field"] for error in problem["errors"]] == [field]


# --- telling --------------------------------------------------------------------------------------


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as service:
        yield service


@pytest.fixture
def phone(town: Town, service: PushService) -> Device:
    return subscribed(town, town.cast.tom, service, "/tom")


def subscribed(town: Town, who: Colleague, service: PushService, path: str) -> Device:
    """Straight into the store: browsers are given https addresses only, and the service here has none."""
    device = Device()
    session, wanted = hash_of(who.http.cookies[SESSION_COOKIE]), device.subscription(service.url + path)
    town.server.write(lambda tx: store.put(tx, who.id, session, wanted["endpoint"], **wanted["keys"]))
    return device


def test_a_device_is_told_first_and_no_mail_goes_out(town: Town, service: PushService, phone: Device) -> None:
    thread = town.talk(town.cast.tom, subject="Valve")
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(seconds=61)
    [pushed] = service.pushed
    assert phone.reads(pushed.body) == {
        "title": "Dora · Valve",
        "body": "Can you be there at nine?",
        "path": f"/messages/{thread['id']}",
        "badge": 1,
    }
    assert pushed.path == "/tom"
    assert pushed.headers["Host"] == service.url.removeprefix("http://")
    assert pushed.headers["Content-Encoding"] == "aes128gcm"
    assert b"nine" not in pushed.body
    town.passes(hours=3)
    assert town.told() == []
    assert len(service.pushed) == 1


def test_all_devices_of_a_person_are_told_and_nobody_elses(
    town: Town, service: PushService, phone: Device
) -> None:
    subscribed(town, town.cast.tara, service, "/tara")
    tablet = Colleague(town.cast.tom.staff, town.cast.stranger())
    tablet.http.cookies.set(SESSION_COOKIE, new_session(town.server, tablet.staff))
    subscribed(town, tablet, service, "/tablet")
    town.cast.dora.writes(town.talk(town.cast.tom), "Hello")
    town.passes(seconds=61)
    assert sorted(one.path for one in service.pushed) == ["/tablet", "/tom"]


def test_a_device_that_is_gone_is_forgotten_and_a_mail_goes_out_instead(
    town: Town, service: PushService, phone: Device
) -> None:
    service.answers = [410]
    town.cast.dora.writes(town.talk(town.cast.tom), "Hello?")
    town.passes(seconds=61)
    [mail] = town.mails(TOM)
    assert "Hello?" in words_of(mail)
    assert len(service.pushed) == 1
    assert not town.server.read(lambda tx: store.of_staff(tx, town.cast.tom.id))


def test_a_push_service_that_is_down_holds_no_message_up(
    town: Town, service: PushService, phone: Device
) -> None:
    service.answers = [503] * 10
    town.cast.dora.writes(town.talk(town.cast.tom), "Hello?")
    town.passes(seconds=61)
    for _ in range(10):
        town.passes(seconds=60)
    assert town.told() == [TOM]
    assert len(service.pushed) == 3


def test_a_device_on_which_one_signed_out_is_silent(town: Town, service: PushService, phone: Device) -> None:
    thread = town.talk(town.cast.tom)
    ok(town.cast.tom.post("/api/auth/logout"), 204)
    town.cast.dora.writes(thread, "Hello?")
    town.passes(seconds=61)
    assert service.pushed == []
    assert town.told() == [TOM]


def test_whoever_wants_no_notices_gets_mail(town: Town, service: PushService, phone: Device) -> None:
    town.prefers(town.cast.tom, push="off")
    town.cast.dora.writes(town.talk(town.cast.tom), "Hello?")
    town.passes(seconds=61)
    assert service.pushed == []
    assert town.told() == [TOM]


def test_an_admin_sends_oneself_a_test(town: Town, service: PushService) -> None:
    ada = subscribed(town, town.cast.ada, service, "/ada")
    ok(town.cast.ada.post("/api/deliveries/test", {"channel": "push"}), 202)
    town.rests()
    [pushed] = service.pushed
    told = ada.reads(pushed.body)
    assert (told["body"], told["path"]) == ("This is a test: notices from here reach you.", "/deliveries")
    assert town.told() == []


# --- a customer who waits for too long ------------------------------------------------------------


def test_dispatchers_are_told_by_device_or_mail_of_a_customer_who_waits(
    town: Town, service: PushService
) -> None:
    dora = subscribed(town, town.cast.dora, service, "/dora")
    thread = town.with_carol()
    carol = town.carol_comes_in()
    carol.writes("It is cold here.")
    tell_of(town, thread, town.cast.dora, town.cast.dan)
    town.rests()
    [pushed] = service.pushed
    assert dora.reads(pushed.body)["title"] == "Carol · A customer waits for an answer: Your boiler"
    [mail] = town.mails("dan@example.com")
    assert "A customer waits for an answer" in str(mail["Subject"])
    assert "It is cold here." in words_of(mail)


def test_whoever_has_no_device_left_is_told_by_mail_that_a_customer_waits(
    town: Town, service: PushService
) -> None:
    subscribed(town, town.cast.dora, service, "/dora")
    service.answers = [410]
    thread = town.with_carol()
    town.carol_comes_in().writes("It is cold here.")
    tell_of(town, thread, town.cast.dora)
    [mail] = town.mails("dora@example.com")
    assert "A customer waits for an answer" in str(mail["Subject"])


def test_what_was_answered_or_claimed_meanwhile_is_not_told(town: Town) -> None:
    for answered in (True, False):
        thread = town.with_carol()
        town.carol_comes_in().writes("It is cold here.", thread_id=thread["id"])
        if answered:
            town.cast.dora.writes(thread, "We come.")
        else:
            ok(town.cast.dora.post(f"/api/chat/threads/{thread['id']}/claim"))
        town.forget_mails()
        tell_of(town, thread, town.cast.dan)
        assert town.mails("dan@example.com") == []


def tell_of(town: Town, thread: dict[str, Any], *people: Colleague) -> None:
    def tell(tx: Writing) -> None:
        found = threads.as_it_stands(tx, thread["id"])
        assert found is not None
        escalation.tell(tx, 1, found, [one.id for one in people])

    town.server.write(tell)
