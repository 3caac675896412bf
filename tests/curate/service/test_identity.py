"""Only registered devices are let in, by short tokens, at a bounded pace; a revocation holds from the next request."""

from base64 import b64encode

import jwt
import pytest

from curate.service.identity import DeviceError
from edge.errors import PushError
from edge.upload.device_key import LIFE_S, new_device_key, read_device_key
from edge.upload.push import push
from service.conftest import TUS, Sender


def asked(bench, token):
    headers = {**TUS} if token is None else {**TUS, "Authorization": token}
    return bench.client.head("/v1/uploads/none", headers=headers).status_code


def test_a_token_of_a_registered_device_is_let_in(bench):
    assert asked(bench, f"Bearer {bench.key().token(bench.clock())}") == 404


@pytest.mark.parametrize(
    "token", [None, "", "Bearer", "Bearer x", "Bearer a.b.c", "Basic Y2FyOng=", "Bearer " + "a" * 5000]
)
def test_what_is_no_token_is_not(bench, token):
    assert asked(bench, token) == 401


def signed(key, now_s, kid=None, algorithm="EdDSA", secret=None, **claims):
    told = {"sub": "car-1", "iat": int(now_s), "exp": int(now_s) + 600} | claims
    told = {name: value for name, value in told.items() if value is not None}
    kid = kid or jwt.get_unverified_header(key.token(now_s))["kid"]
    return "Bearer " + jwt.encode(told, secret or key.private, algorithm=algorithm, headers={"kid": kid})


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": "car-2"},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"iat": -1e400},
        {"offset": 901},
    ],
)
def test_claims_must_be_what_they_should(bench, claims):
    key, now_s = bench.key(), bench.clock()
    bench.key("car-2")
    if "offset" in claims:  # a life longer than 15 minutes
        claims = {"exp": int(now_s) + claims["offset"]}
    assert asked(bench, signed(key, now_s)) == 404
    assert asked(bench, signed(key, now_s, **claims)) == 401


def test_only_the_devices_own_signature_counts(bench, tmp_path):
    key, now_s = bench.key(), bench.clock()
    kid = jwt.get_unverified_header(key.token(now_s))["kid"]
    stranger = new_device_key("car-1", tmp_path / "stranger.pem")
    assert asked(bench, signed(stranger, now_s)) == 401
    assert asked(bench, signed(stranger, now_s, kid=kid)) == 401
    assert asked(bench, signed(key, now_s, kid=kid, algorithm="HS256", secret="x" * 32 + key.public)) == 401
    unsigned = jwt.encode({"sub": "car-1", "iat": 0, "exp": 9e9}, "", algorithm="none", headers={"kid": kid})
    assert asked(bench, f"Bearer {unsigned}") == 401


def test_a_token_ends(bench):
    token = f"Bearer {bench.key().token(bench.clock())}"
    bench.clock.now_s += LIFE_S - 1
    assert asked(bench, token) == 404
    bench.clock.now_s += 1
    assert asked(bench, token) == 401
    bench.clock.now_s -= LIFE_S + 100
    assert asked(bench, token) == 401  # and has not begun yet


def test_a_revoked_device_is_out_at_once(bench, make_clip):
    clip, car = make_clip(), bench.car()
    assert push(clip.folder, car)
    bench.service.registry.revoke("car-1")
    with pytest.raises(PushError, match="unknown_device"):
        push(clip.folder, car)
    with pytest.raises(DeviceError):
        bench.service.registry.revoke("car-1")


def test_a_second_key_overlaps_with_the_first(bench, tmp_path):
    first, second = bench.key(), new_device_key("car-1", tmp_path / "second.pem")
    bench.service.registry.add("car-1", second.public, overlap_s=3600)

    def both():
        return [asked(bench, f"Bearer {key.token(bench.clock())}") for key in (first, second)]

    bench.clock.now_s += 3599
    assert both() == [404, 404]
    bench.clock.now_s += 1
    assert both() == [401, 404]


@pytest.mark.parametrize("public", ["", "AAAA", "!" * 44, b64encode(bytes(33)).decode()])
def test_only_ed25519_keys_are_registered(bench, public):
    with pytest.raises(DeviceError):
        bench.service.registry.add("car-9", public)


def test_a_key_has_one_owner_and_a_plain_name(bench):
    with pytest.raises(DeviceError, match="car-1's already"):
        bench.service.registry.add("car-2", bench.key().public)
    with pytest.raises(DeviceError, match="device name"):
        bench.service.registry.add("../car", b64encode(bytes(32)).decode())


def test_a_car_whose_clock_is_wrong_signs_by_the_services(bench, make_clip):
    car = bench.car()
    car.now_s = lambda: 0.0
    assert not push(make_clip().folder, car).known
    bench.clock.now_s += 2 * LIFE_S  # and again when the token has ended
    assert not push(make_clip(seconds=3).folder, car).known


def test_a_device_that_asks_too_fast_is_told_when_to_come_back(make_bench):
    bench = make_bench(requests_per_s=0.5, burst=3)
    sender, other = Sender(bench), Sender(bench, "car-2")
    assert [sender.ask("HEAD", "/v1/uploads/none").status_code for _ in range(4)] == [404, 404, 404, 429]
    refused = sender.ask("GET", f"/v1/clips/{'a' * 64}")
    assert (refused.json()["reason"], refused.headers["Retry-After"]) == ("too_fast", "2")
    assert other.ask("HEAD", "/v1/uploads/none").status_code == 404
    bench.clock.now_s += 2
    assert sender.ask("HEAD", "/v1/uploads/none").status_code == 404
    assert sender.ask("HEAD", "/v1/uploads/none").status_code == 429


def test_a_key_file_is_private_and_never_overwritten(tmp_path):
    path = tmp_path / "key.pem"
    key = new_device_key("car-1", path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_device_key("car-1", path).public == key.public
    assert "PRIVATE" not in repr(key)
    with pytest.raises(PushError, match="exists"):
        new_device_key("car-1", path)
    with pytest.raises(PushError, match="device name"):
        read_device_key("Car 1", path)
    path.write_text("no key")
    with pytest.raises(PushError, match="cannot be read as a key"):
        read_device_key("car-1", path)


def test_logs_and_metrics_hold_no_secret(bench, make_clip, caplog):
    from curate.service.log import LOG, JsonLines

    LOG.addHandler(caplog.handler)
    caplog.handler.setFormatter(JsonLines())
    LOG.setLevel("INFO")
    try:
        push(make_clip().folder, bench.car())
        asked(bench, f"Bearer {bench.key().token(bench.clock())[:-9]}secretive")
    finally:
        LOG.removeHandler(caplog.handler)
    token = bench.key().token(bench.clock())
    assert '"device": "car-1"' in caplog.text
    metrics = bench.client.get("/metrics").text
    assert "swerve_clips_committed_total 1.0" in metrics
    for text in (caplog.text, metrics):
        assert token.split(".")[0] not in text
        assert "secretive" not in text
        assert "Bearer" not in text
    assert "car-1" not in metrics
