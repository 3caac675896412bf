"""Peak memory of scan, inspect and cut over long recordings, beside reading the same telemetry whole.

    python benchmarks/memory.py [--native 1 10] [--openpilot 1 10] [--mcap 1 2] [--folder DIR]

The numbers are hours; several show whether memory grows with the length. Recordings are made on the spot: a native
drive of 20 signals at 100 Hz with a tiny video, an openpilot route whose every segment is one minute of a log written
with the real schema and shifted in time, and an MCAP of Autoware's three reports at 100 Hz each. Whole: the native
drive's telemetry as pyarrow reads it, and pandas where it is installed. Linux only: peaks are read from /proc (VmHWM),
20 times a second, of every process that the command starts; the largest process counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from edge.formats.capnp_columns import whole_messages
from edge.gathered import gathered
from edge.manifest import TELEMETRY, Manifest
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from trigger.signals import SIGNALS
from trigger.telemetry import Telemetry

RATE_HZ, MINUTE_S, HOUR_S = 100, 60, 3600
T0_NS = 1_700_000_000_000_000_000
SEGMENT = "00000000--0123456789"
READ_WHOLE = {
    "pyarrow, whole": "import sys, pyarrow.parquet as pq; kept = pq.read_table(sys.argv[1])",
    "pandas, whole": "import sys, pandas; kept = pandas.read_parquet(sys.argv[1])",
}


def native(folder: Path, hours: float) -> Path:
    """A native drive; it is written as it is made, minute by minute."""
    frames = (
        (T0_NS + i * 1_000_000_000, np.full((48, 64, 3), i % 256, np.uint8)) for i in range(round(hours * HOUR_S))
    )
    head = Manifest(id=f"native-{hours:g}h", recorder="native", t0_ns=T0_NS, cameras={}, files={})
    telemetry = gathered(_minutes(round(hours * 60)), [])
    write_drive(folder / head.id, head, telemetry, {"front": encoded(frames, Encoding())})
    return folder / head.id


def _minutes(count: int) -> Iterator[Telemetry]:
    names = [name for name, signal in SIGNALS.items() if signal.kind == "number"][:15]
    flags = ("engaged", "gas_pressed", "brake_pressed", "blinker_left")
    noise = np.random.default_rng(0)
    for minute in range(count):
        t_s = minute * MINUTE_S + np.arange(MINUTE_S * RATE_HZ) / RATE_HZ
        columns = {name: np.sin(t_s / (7 + i)) + 0.01 * noise.normal(size=t_s.size) for i, name in enumerate(names)}
        columns |= {name: (np.sin(t_s / (50 + i)) > 0.5).astype(float) for i, name in enumerate(flags)}
        columns |= {"speed_mps": 15.0 + columns["speed_mps"], "control_source_steering": 1.0 + columns["engaged"]}
        yield Telemetry(T0_NS + np.round(t_s * 1e9).astype(np.int64), columns)


def openpilot(folder: Path, hours: float) -> Path:
    """A route of one minute again and again."""
    import zstandard
    from openpilot_segment import EVENT, minute

    log = minute()
    places = whole_messages(log, EVENT.schema.node.struct.discriminantOffset).begin + 2
    words = np.frombuffer(bytearray(log), "<u8").copy()
    for number in range(round(hours * 60)):
        segment = folder / f"openpilot-{hours:g}h" / f"{SEGMENT}--{number}"
        segment.mkdir(parents=True)
        (segment / "rlog.zst").write_bytes(zstandard.ZstdCompressor(1).compress(words.tobytes()))
        words[places] += MINUTE_S * 1_000_000_000
    return segment.parent


def mcap(folder: Path, hours: float) -> Path:
    from mcap.writer import CompressionType, Writer
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    from edge.formats.message_signal import AUTOWARE_DEFINITIONS

    store = get_typestore(Stores.ROS2_HUMBLE)
    names = {f"autoware_vehicle_msgs/msg/{name}": text for name, text in AUTOWARE_DEFINITIONS.items()}
    for name, text in names.items():
        store.register(get_types_from_msg(text, name))
    time_of, header_of = (
        store.types[f"{kind}/msg/{of}"] for kind, of in (("builtin_interfaces", "Time"), ("std_msgs", "Header"))
    )
    path = folder / f"autoware-{hours:g}h.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start("ros2")
        channels = {}
        for name in names:
            text = store.generate_msgdef(name, ros_version=2)[0].encode()
            channels[name] = writer.register_channel(f"/{name}", "cdr", writer.register_schema(name, "ros2msg", text))
        for i in range(round(hours * HOUR_S * RATE_HZ)):
            t_ns = T0_NS + i * 10_000_000
            stamp = time_of(*divmod(t_ns, 1_000_000_000))
            values = ((stamp, 4), (stamp, np.sin(i / 300)), (header_of(stamp, ""), 15.0, 0.0, 0.0))
            for name, fields in zip(names, values, strict=True):
                writer.add_message(channels[name], t_ns, store.serialize_cdr(store.types[name](*fields), name), t_ns)
        writer.finish()
    return path


def peak_mib(command: list[str]) -> tuple[float, float]:
    """Largest resident set of any process that a command starts, MiB, and how long it took, s."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    peak = 0
    while process.poll() is None:
        peak = max([peak, *_high_water_kib(process.pid)])
        time.sleep(0.05)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return peak / 1024, time.monotonic() - begin


def _high_water_kib(session: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if int(status.with_name("stat").read_text().rpartition(")")[2].split()[3]) == session:
                yield next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        except (OSError, StopIteration):
            continue


def measure(name: str, path: Path, out: Path) -> None:
    """Print what each command, and each other reader where it can read the recording, took."""
    commands = {
        f"swerve {word}": ["-m", "swerve", "edge", word, str(path), "--json"] for word in ("scan", "inspect", "cut")
    }
    commands["swerve cut"] += ["--out", str(out)]
    if (path / TELEMETRY).is_file():
        installed = {reader: code for reader, code in READ_WHOLE.items() if find_spec(reader.partition(",")[0])}
        commands |= {reader: ["-c", code, str(path / TELEMETRY)] for reader, code in installed.items()}
    for command, words in commands.items():
        peak, took_s = peak_mib([sys.executable, *words])
        print(f"{name:15}   {command:16} {peak:7.0f} MiB {took_s:7.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for made, hours in ((native, [1, 10]), (openpilot, [1, 10]), (mcap, [1, 2])):
        parser.add_argument(f"--{made.__name__}", type=float, nargs="*", default=hours)
    parser.add_argument("--folder", type=Path, help="where the recordings are put; they are removed again")
    chosen = parser.parse_args()
    for made in (native, openpilot, mcap):
        for hours in getattr(chosen, made.__name__):
            with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
                measure(f"{made.__name__} {hours:g} h", made(Path(folder), hours), Path(folder) / "clips")


if __name__ == "__main__":
    main()
