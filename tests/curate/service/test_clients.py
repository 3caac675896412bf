"""Clients that others wrote upload to the service as a process, which is killed and started again under them.

tuspy is installed with what tests need. For tus-js-client, SWERVE_TUS_JS names the folder in which
`npm install tus-js-client` was run; without it, or without node, its test is skipped and says so.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from edge.upload.device_key import new_device_key

ROOT = Path(__file__).resolve().parents[3]
DATA = bytes(range(251)) * 2000
SCRIPT = Path(__file__).with_name("tus_js.mjs")
TOLD = {"clip": "a" * 64, "name": "front.mp4", "sha256": sha256(DATA).hexdigest()}


class Running:
    """`swerve curate serve` without TLS, always on the same port, and one device's token."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.store = folder / "store"
        key = new_device_key("car-1", folder / "car.pem")
        self.swerve("devices", "add", "--store", f"file://{self.store}", "car-1", key.public).wait()
        self.headers = {"Authorization": f"Bearer {key.token(time.time())}"}
        self.endpoint = f"http://127.0.0.1:{self.port}/v1/uploads"
        self.start()

    def swerve(self, *arguments):
        command = [sys.executable, "-m", "swerve", "curate", *arguments]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, env=env, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def start(self):
        self.running = self.swerve("serve", "--store", f"file://{self.store}", "--port", str(self.port))
        assert json.loads(self.running.stderr.readline())["event"] == "serving"

    def kill(self):
        self.running.send_signal(signal.SIGKILL)
        self.running.communicate()

    def arrived(self, url):
        return (self.store / "service" / "arriving" / url.split("/")[-1]).read_bytes()


@pytest.fixture
def service(tmp_path):
    made = Running(tmp_path)
    yield made
    made.kill()


def test_tuspy(service):
    client = pytest.importorskip("tusclient.client", reason="SKIPPED, NOT PASSED: tuspy is not installed")
    exceptions = pytest.importorskip("tusclient.exceptions")

    def uploader(url=None):
        made = client.TusClient(service.endpoint, headers=service.headers)
        return made.uploader(
            file_stream=BytesIO(DATA), url=url, chunk_size=100_000, metadata=TOLD, upload_checksum=True
        )

    first = uploader()
    for _ in range(2):
        first.upload_chunk()
    service.kill()
    with pytest.raises(exceptions.TusCommunicationError):
        first.upload_chunk()
    service.start()
    second = uploader(first.url)
    assert second.offset == 200_000
    second.upload()
    assert second.offset == len(DATA)
    assert service.arrived(second.url) == DATA


@pytest.fixture
def tus_js():
    """Runs the script; gives its exit code and the URL it printed."""
    node, folder = shutil.which("node"), os.environ.get("SWERVE_TUS_JS", "")
    if node is None or not (Path(folder) / "node_modules" / "tus-js-client").is_dir():
        pytest.skip("SKIPPED, NOT PASSED: no node, or SWERVE_TUS_JS names no folder with tus-js-client")

    def run(service, **options):
        told = json.dumps({"metadata": TOLD, "headers": service.headers} | options)
        done = subprocess.run([node, SCRIPT, folder, told], input=DATA, capture_output=True, check=False, timeout=60)
        return done.returncode, done.stdout.decode().strip()

    return run


def test_tus_js_client(service, tus_js):
    code, url = tus_js(service, endpoint=service.endpoint, stopAfter=200_000)
    assert (code, url.startswith(service.endpoint)) == (0, True)
    assert service.arrived(url) == DATA[: len(service.arrived(url))] != DATA
    service.kill()
    assert tus_js(service, uploadUrl=url)[0] == 1
    service.start()
    assert tus_js(service, uploadUrl=url) == (0, url)
    assert service.arrived(url) == DATA


def test_tus_js_client_with_bytes_in_its_creation(service, tus_js):
    code, url = tus_js(service, endpoint=service.endpoint, uploadDataDuringCreation=True)
    assert code == 0
    assert service.arrived(url) == DATA
