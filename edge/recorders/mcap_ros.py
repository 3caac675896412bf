"""MCAP files and ROS 2 bags: one `.mcap` or `.db3` file, or a bag folder (`metadata.yaml` and its files).

Signals, from Autoware (autoware_vehicle_msgs and, older, autoware_auto_vehicle_msgs, which agree):
- ControlModeReport.mode: AUTONOMOUS 1, AUTONOMOUS_STEER_ONLY 2 and AUTONOMOUS_VELOCITY_ONLY 3 are engaged, MANUAL 4 is
  not and the human drives. DISENGAGED 5 is not engaged, but Autoware leaves open who then drives: unknown. Others: no
  sample, unknown.
- SteeringReport.steering_tire_angle [rad, + left] of the road wheel; VelocityReport.longitudinal_velocity [m/s, +
  forward] and heading_rate [rad/s, + counter-clockwise].
Any other topic (CDR or JSON) through `edge.formats.topic_mapping`; what it maps wins. swerve's own export
(`swerve.Telemetry`, JSON) needs no mapping. Cameras: `edge.formats.message_camera`. Storage: `edge.formats.bag`. Time:
`edge.formats.message`.

A recording is read from its beginning to its end on opening, so that one that broke off gives all that is whole; a long
one takes as long to open as its bytes take to read, but no more memory: values wait in a file until it is known which
clock a topic follows and which topic gives a column.

Not read: raw images, depth, other video codecs, ROS 1 bags, bags compressed as whole files, mapped protobuf topics.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.bag import STORAGE, Bag, open_bag, storage_files
from edge.formats.message import Channel
from edge.formats.message_camera import PictureTopic, cameras_of
from edge.formats.message_columns import HUMAN, SYSTEM, UNKNOWN, WHO_DROVE, blocks_of, columns_of, settle
from edge.formats.message_picture import PICTURES
from edge.formats.message_signal import SignalTopic, decoder_of
from edge.formats.topic_mapping import DEGREES, MAPPING, Rule, TopicMapping, read_mapping, times_factor
from edge.gathered import gathered
from edge.video.camera import Camera
from trigger.plausible import findings
from trigger.signals import SIGNALS
from trigger.telemetry import Recorded

NAME = "mcap"
GIVES = "any number of cameras; speed, yaw rate, road wheel angle and control mode of Autoware; any topic you map"
LACKS = "raw images, other video codecs, protobuf topics; pedals, unless mapped"
ENGAGEMENT = "Autoware's control mode is AUTONOMOUS, AUTONOMOUS_STEER_ONLY or AUTONOMOUS_VELOCITY_ONLY"
NAN = float("nan")
MODES = {
    1: (1.0, SYSTEM, SYSTEM),
    2: (1.0, SYSTEM, HUMAN),
    3: (1.0, HUMAN, SYSTEM),
    4: (0.0, HUMAN, HUMAN),
    5: (0.0, UNKNOWN, UNKNOWN),
}
"""Autoware's control mode to engaged, who steers, who works the pedals."""


def matches(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix in STORAGE and not path.name.startswith(".") else []
    files = storage_files(path)
    of_one_bag = re.compile(re.escape(path.name) + r"_\d+")
    whole = (path / "metadata.yaml").is_file() or all(of_one_bag.fullmatch(f.stem) for f in files)
    return [path] if files and whole else [f for f in files if f.suffix in STORAGE]


def open(path: Path) -> Drive:
    """Open a file or a bag folder."""
    _require_packages(path)
    lost: list[str] = []
    mapping = read_mapping(path)
    bag = open_bag(path, lost)
    signals, pictures = _collect(bag, mapping, lost)
    notes: list[str] = []
    columns = columns_of(signals, mapping.signals, notes, lost)
    telemetry = gathered(blocks_of(columns), lost)
    cameras = cameras_of(bag, pictures, mapping.cameras, lost)
    starts = [telemetry.span_ns[0]] if telemetry.span_ns else []
    starts += [int(times[0]) for camera in cameras.values() if len(times := camera.frame_times())]
    if not starts:
        why = f"; {lost[0]}" if lost else ""
        raise DriveError(
            f"{path} holds no signal and no picture that swerve knows; it has {_named(bag.channels)}{why}",
            "Autoware's reports, compressed pictures, or topics named by you",
            f"name your topics in {MAPPING} beside it, as docs/recorders.md says",
        )
    if cameras:
        notes.append("the pictures lie inside the recording: a cut encodes them again")
    return Drive(
        id=_id(telemetry, cameras),
        recorder=NAME,
        source=path,
        t0_ns=min(starts),
        telemetry=telemetry,
        cameras=cameras,
        engagement=_engagement(signals) if "engaged" in telemetry else "",
        lost=tuple(lost) + tuple(line for camera in cameras.values() for line in camera.lost),
        notes=(*notes, *findings(telemetry)),
    )


def _id(telemetry: Recorded, cameras: Mapping[str, Camera]) -> str:
    """From all times, so that a copy under another name is the same drive."""
    digest = hashlib.sha256()
    for block in telemetry.blocks():
        digest.update(block.t_ns.tobytes())
    for camera in cameras.values():
        digest.update(camera.frame_times().tobytes())
    return f"{NAME}-{digest.hexdigest()[:12]}"


def _require_packages(path: Path) -> None:
    try:
        for package in ("mcap.records", "rosbags.typesys", "zstandard", "lz4.frame"):
            import_module(package)
    except ImportError as error:
        raise DriveError(
            f"{path} needs a package that is not installed ({error})", "mcap and rosbags", "pip install 'swerve[mcap]'"
        ) from error


def _mode(part: int) -> Callable[[float], float]:
    missing = (NAN, UNKNOWN, UNKNOWN)
    return lambda value: MODES.get(int(value), missing)[part]


AUTOWARE_RULES = {
    "ControlModeReport": tuple(
        Rule(column, "mode", _mode(part)) for part, column in enumerate(("engaged", *WHO_DROVE))
    ),
    "SteeringReport": (Rule("steering_tire_deg", "steering_tire_angle", times_factor(DEGREES)),),
    "VelocityReport": (
        Rule("speed_mps", "longitudinal_velocity", times_factor(1.0)),
        Rule("yaw_rate_dps", "heading_rate", times_factor(DEGREES)),
    ),
}
KNOWN_RULES: dict[str, tuple[Rule, ...]] = {
    f"{package}/msg/{name}": rules
    for package in ("autoware_vehicle_msgs", "autoware_auto_vehicle_msgs")
    for name, rules in AUTOWARE_RULES.items()
} | {"swerve.Telemetry": tuple(Rule(name, name, times_factor(1.0), optional=True) for name in SIGNALS)}


def _collect(bag: Bag, mapping: TopicMapping, lost: list[str]) -> tuple[list[SignalTopic], list[PictureTopic]]:
    """One pass over the recording."""
    signals: dict[str, SignalTopic] = {}
    pictures: dict[str, PictureTopic] = {}

    def wanted(channel: Channel) -> bool:
        return channel.topic in mapping.signals or channel.type in KNOWN_RULES or channel.type in PICTURES

    for message in bag.messages(wanted):
        channel = message.channel
        if channel.type in PICTURES and channel.topic not in mapping.signals:
            pictures.setdefault(channel.topic, PictureTopic(channel)).take(message)
        else:
            if channel.topic not in signals:
                rules = mapping.signals.get(channel.topic) or KNOWN_RULES[channel.type]
                signals[channel.topic] = SignalTopic(channel, rules, decoder_of(channel, lost))
            signals[channel.topic].take(message)
    lost += [line for file in bag.files for line in file.lost]
    settle([*signals.values(), *pictures.values()], lost)
    absent = (mapping.signals.keys() | mapping.cameras.keys()) - {channel.topic for channel in bag.channels}
    lost += [f"{topic}, named in {MAPPING}, is not in the recording" for topic in sorted(absent)]
    return list(signals.values()), list(pictures.values())


def _engagement(topics: Sequence[SignalTopic]) -> str:
    rules = [rule for topic in topics for rule in topic.rules if rule.column == "engaged"]
    mapped = next((rule for rule in rules if rule.origin), None)
    if mapped:
        return f"{mapped.field} is true ({mapped.origin})"
    return "as recorded" if all(rule.optional for rule in rules) else ENGAGEMENT


def _named(channels: Sequence[Channel]) -> str:
    names = sorted({f"{channel.topic} ({channel.type or 'no type'})" for channel in channels})
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "no topics"
