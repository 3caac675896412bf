"""The service as a process of its own, over TLS on this machine's loopback, killed and started again."""

import json
import os
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from edge.upload.device_key import new_device_key
from service.conftest import TUS, metadata

ROOT = Path(__file__).resolve().parents[3]
DATA = bytes(range(256)) * 40


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "swerve tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "tls.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tmp_path / "cert.pem", tmp_path / "tls.pem"


class Process:
    """`swerve curate serve`, its address, and `swerve` beside it."""

    def __init__(self, folder, certificate):
        self.folder, self.certificate = folder, certificate
        self.env = os.environ | {"PYTHONPATH": str(ROOT), "SSL_CERT_FILE": str(certificate[0])}
        self.store = f"file://{folder / 'store'}"
        self.start()

    def start(self):
        cert, key = self.certificate
        told = ["--store", self.store, "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key)]
        command = [sys.executable, "-m", "swerve", "curate", "serve", *told]
        self.running = subprocess.Popen(command, env=self.env, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        line = json.loads(self.running.stderr.readline())
        assert line["event"] == "serving"
        self.url = f"https://127.0.0.1:{line['port']}"

    def stop(self, how):
        """Exit code and log; again after it has ended, nothing happens."""
        if self.running.stderr.closed:
            return self.running.returncode, []
        self.running.send_signal(how)
        rest = self.running.communicate(timeout=60)[1]
        return self.running.returncode, [json.loads(line) for line in rest.splitlines()]

    def swerve(self, *arguments):
        command = [sys.executable, "-m", "swerve", *map(str, arguments)]
        return subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True, text=True, check=False)


@pytest.fixture
def process(tmp_path, certificate):
    made = Process(tmp_path, certificate)
    yield made
    made.stop(signal.SIGKILL)


def test_killed_and_started_again_it_goes_on_where_it_promised(process, make_clip, tmp_path, certificate):
    key = new_device_key("car-1", tmp_path / "car.pem")
    added = process.swerve("curate", "devices", "add", "--store", process.store, "car-1", key.public)
    assert added.returncode == 0, added.stderr

    trust = ssl.create_default_context(cafile=certificate[0])

    def ask(method, url, data=b"", **headers):
        signed = {**TUS, "Authorization": f"Bearer {key.token(datetime.now(UTC).timestamp())}"}
        told = signed | {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx.Client(base_url=process.url, verify=trust) as client:
            return client.request(method, url, content=data, headers=told)

    told = metadata(clip="a" * 64, name="front.mp4", sha256="b" * 64)
    url = ask("POST", "/v1/uploads", Upload_Length=str(len(DATA)), Upload_Metadata=told).headers["Location"]
    stream = {"Content_Type": "application/offset+octet-stream"}
    assert ask("PATCH", url, DATA[:1000], Upload_Offset="0", **stream).status_code == 204
    process.stop(signal.SIGKILL)
    process.start()
    assert ask("HEAD", url).headers["Upload-Offset"] == "1000"

    clip = make_clip()
    pushed = process.swerve(
        "edge", "push", clip.folder, "--to", process.url, "--device", "car-1", "--key", tmp_path / "car.pem", "--json"
    )
    assert pushed.returncode == 0, pushed.stderr
    (receipt,) = json.loads(pushed.stdout)
    assert (receipt["clip_id"], receipt["digest"], receipt["known"]) == (clip.id, clip.digest, False)

    assert process.swerve("curate", "devices", "revoke", "--store", process.store, "car-1").returncode == 0
    assert ask("HEAD", url).status_code == 401
    second = process.swerve("curate", "serve", "--store", process.store, "--port", "0")
    assert second.returncode == 2
    assert "another service" in second.stderr
    code, lines = process.stop(signal.SIGTERM)
    assert code == 0
    assert {line["event"] for line in lines} >= {"request", "swept"}
