"""MCAP and ROS 2 bags: Autoware's reports, pictures inside messages, and the files that store them."""

import sqlite3
from fractions import Fraction

import av
import cv2
from mcap.writer import CompressionType, Writer
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as BagWriter
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from edge.formats.message_signal import AUTOWARE_DEFINITIONS
from makers.native import T0_NS
from makers.picture import picture

STEP_NS = 100_000_000
IMAGE = "sensor_msgs/msg/CompressedImage"
OWN = "team_msgs/msg/Can"
STORE = get_typestore(Stores.ROS2_HUMBLE)
for _package in ("autoware_vehicle_msgs", "autoware_auto_vehicle_msgs"):
    for _name, _text in AUTOWARE_DEFINITIONS.items():
        STORE.register(get_types_from_msg(_text, f"{_package}/msg/{_name}"))
STORE.register(get_types_from_msg("float64 kmh\nfloat64[3] axes\nbool assisted\ngeometry_msgs/Vector3 turn\n", OWN))


def at(i, skew_ns=0):
    return STORE.types["builtin_interfaces/msg/Time"](*divmod(T0_NS + i * STEP_NS + skew_ns, 1_000_000_000))


def header(i, skew_ns=0):
    return STORE.types["std_msgs/msg/Header"](at(i, skew_ns), "map")


def cdr(type_, *fields):
    return bytes(STORE.serialize_cdr(STORE.types[type_](*fields), type_))


def autoware(i, mode=4, tire_rad=0.1, skew_ns=0, package="autoware_vehicle_msgs"):
    """The three reports at one time: topic, type, content."""
    return [
        ("/vehicle/status/control_mode", name := f"{package}/msg/ControlModeReport", cdr(name, at(i, skew_ns), mode)),
        (
            "/vehicle/status/steering_status",
            name := f"{package}/msg/SteeringReport",
            cdr(name, at(i, skew_ns), tire_rad),
        ),
        (
            *("/vehicle/status/velocity_status", name := f"{package}/msg/VelocityReport"),
            cdr(name, header(i, skew_ns), 10.0 + i / 10, 0.0, 0.05),
        ),
    ]


def jpeg(i):
    return cv2.imencode(".jpg", picture(i))[1]


def image(i, topic="/sensing/camera/front/image_raw/compressed", form="rgb8; jpeg compressed bgr8"):
    return topic, IMAGE, cdr(IMAGE, header(i), form, jpeg(i))


def h264(n, key_every=10, codec="libx264"):
    """Annex B, one frame each, no B-frames."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuv420p", Fraction(1, 10)
    encoder.gop_size, encoder.thread_count = key_every, 1
    quiet = {"x265-params": f"log-level=none:bframes=0:keyint={key_every}:pools=none"} if codec == "libx265" else {}
    encoder.options = {"bf": "0", "preset": "ultrafast", "tune": "zerolatency", **quiet}
    packets = []
    for i in range(n):
        frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24").reformat(format="yuv420p")
        frame.pts = i
        packets += [bytes(p) for p in encoder.encode(frame)]
    return packets + [bytes(p) for p in encoder.encode(None)]


def protobuf_video(i, data, form="h264"):
    """foxglove.CompressedVideo by hand: a tag and a length before each field."""

    def varint(value):
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    def part(number, content):
        return varint(number << 3 | 2) + varint(len(content)) + content

    seconds, nanoseconds = divmod(T0_NS + i * STEP_NS, 1_000_000_000)
    stamp = varint(1 << 3) + varint(seconds) + varint(2 << 3) + varint(nanoseconds)
    return part(1, stamp) + part(2, b"camera") + part(3, data) + part(4, form.encode())


def write_mcap(path, messages, finish=True, log_offset_ns=0, **options):
    """`messages`: number of the step, topic, type, content; the encoding follows from the type's name."""
    options = {"chunk_size": 4096, "compression": CompressionType.ZSTD} | options
    channels = {}
    with path.open("wb") as file:
        writer = Writer(file, **options)
        writer.start("ros2")
        for i, topic, type_, content in messages:
            if topic not in channels:
                ros = "/msg/" in type_
                text = STORE.generate_msgdef(type_, ros_version=2)[0].encode() if ros else b""
                schema = writer.register_schema(type_, "ros2msg" if ros else "", text)
                encoding = "cdr" if ros else "protobuf" if type_.startswith("foxglove.") else "json"
                channels[topic] = writer.register_channel(topic, encoding, schema)
            log_ns = T0_NS + i * STEP_NS + log_offset_ns
            writer.add_message(channels[topic], log_ns, bytes(content), log_ns)
        if finish:
            writer.finish()
    return path


def recording(n=50, **options):
    """Autoware's reports and one JPEG camera, step by step."""
    return [(i, *message) for i in range(n) for message in (*autoware(i, **options), image(i))]


def old_database(path, messages):
    """As ROS 2 Humble and older write it: no definitions."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE topics(id INTEGER PRIMARY KEY, name, type, serialization_format)")
    database.execute("CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp INTEGER, data BLOB)")
    ids = {}
    for i, topic, type_, content in messages:
        if topic not in ids:
            ids[topic] = len(ids) + 1
            database.execute("INSERT INTO topics VALUES (?, ?, ?, 'cdr')", (ids[topic], topic, type_))
        row = (ids[topic], T0_NS + i * STEP_NS, content)
        database.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)", row)
    database.commit()
    database.close()
    return path


def write_bag(folder, messages, plugin=StoragePlugin.SQLITE3):
    """A bag folder as ROS 2 writes it, with definitions."""
    with BagWriter(folder, version=9, storage_plugin=plugin) as bag:
        connections = {}
        for i, topic, type_, content in messages:
            if topic not in connections:
                connections[topic] = bag.add_connection(topic, type_, typestore=STORE)
            bag.write(connections[topic], T0_NS + i * STEP_NS, content)
    return folder
