"""Telemetry in a file says what telemetry in memory says, and damage is a DriveError wherever it is met."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import DriveError
from edge.schema import read_telemetry, write_telemetry
from edge.stored import StoredTelemetry, open_telemetry, without
from trigger.telemetry import Telemetry

ROWS = 100
NAMES = ("speed_mps", "steering_wheel_deg", "engaged", "control_source_speed", "lat_deg")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    for module in ("trigger.telemetry", "edge.schema", "edge.stored"):
        monkeypatch.setattr(f"{module}.BLOCK_ROWS", ROWS)


def telemetry(rows=1000, seed=0):
    """Some signals sparse, one only in the middle."""
    random = np.random.default_rng(seed)
    t_ns = np.cumsum(random.integers(1, 20_000_000, rows))
    columns = {name: np.where(random.random(rows) < 0.7, random.normal(size=rows), np.nan) for name in NAMES[:2]}
    columns["engaged"] = np.where(random.random(rows) < 0.1, 1.0, np.nan)
    columns["control_source_speed"] = random.integers(0, 4, rows).astype(float)
    columns["lat_deg"] = np.where(abs(np.arange(rows) - rows // 2) < rows // 10, 50.0, np.nan)
    return Telemetry(t_ns, columns)


def stored(path, content):
    write_telemetry(path, content)
    return StoredTelemetry.open(path)


def assert_same(found, wanted):
    assert set(found) == set(wanted)
    np.testing.assert_array_equal(found.t_ns, wanted.t_ns)
    for name in wanted:
        np.testing.assert_array_equal(found.columns[name], wanted.columns[name])


def test_the_whole(tmp_path):
    whole = telemetry()
    file = stored(tmp_path / "t.parquet", whole)
    assert (len(file), file.span_ns, set(file)) == (1000, whole.span_ns, set(whole))
    assert [len(block) for block in file.blocks()] == [ROWS] * 10
    assert_same(Telemetry.join(list(file.blocks())), whole)
    assert [name in block for name in ("lat_deg",) for block in file.blocks()] == [False] * 4 + [True] * 2 + [False] * 4
    assert "yaw_rate_dps" not in file
    with pytest.raises(KeyError):
        file.samples("yaw_rate_dps")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.integers(-10, 1010), st.integers(-10, 1010), st.sampled_from(NAMES), st.floats(0.0, 3.0))
def test_any_question_has_the_same_answer(tmp_path, first, end, name, age_s):
    whole = telemetry()
    path = tmp_path / "t.parquet"
    file = StoredTelemetry.open(path) if path.exists() else stored(path, whole)
    steps = np.concatenate([whole.t_ns[0] - np.arange(10, 0, -1), whole.t_ns, whole.t_ns[-1] + np.arange(10)])
    start_ns, end_ns = int(steps[first + 10 - (first > 1000)]), int(steps[end + 9])
    assert_same(file.between(start_ns, end_ns), whole.between(start_ns, end_ns))
    for found, wanted in zip(file.samples(name), whole.samples(name), strict=True):
        np.testing.assert_array_equal(found, wanted)
    at_ns = np.linspace(start_ns, end_ns, 7).astype(np.int64)
    np.testing.assert_array_equal(file.at(name, at_ns, age_s), whole.at(name, at_ns, age_s))


def test_signals_can_be_left_out(tmp_path):
    whole = telemetry()
    for kept in (without(whole, ["engaged"]), without(stored(tmp_path / "t.parquet", whole), ["engaged"])):
        assert "engaged" not in kept
        assert "engaged" not in set(kept)
        assert not any("engaged" in block for block in kept.blocks())
        assert np.isnan(kept.at("engaged", whole.t_ns, 9.0)).all()
        assert len(kept) == len(whole)


def test_what_is_small_is_read_whole(tmp_path, monkeypatch):
    write_telemetry(tmp_path / "t.parquet", telemetry())
    assert isinstance(open_telemetry(tmp_path / "t.parquet"), Telemetry)
    monkeypatch.setattr("edge.stored.KEPT_CELLS", 5999)
    assert isinstance(open_telemetry(tmp_path / "t.parquet"), StoredTelemetry)


def test_no_row_at_all(tmp_path):
    file = stored(tmp_path / "t.parquet", Telemetry.merge({}))
    assert (len(file), file.span_ns, list(file.blocks()), list(file)) == (0, None, [], [])
    assert len(file.between(0, 9)) == 0


@pytest.mark.parametrize("statistics", [True, False])
def test_row_groups_of_other_writers_are_told_in_blocks(tmp_path, statistics):
    whole = telemetry()
    write_telemetry(tmp_path / "t.parquet", whole)
    table = pq.read_table(tmp_path / "t.parquet")
    pq.write_table(table, tmp_path / "other.parquet", row_group_size=430, write_statistics=statistics)
    file = StoredTelemetry.open(tmp_path / "other.parquet")
    assert max(len(block) for block in file.blocks()) == ROWS
    assert not any(np.isnan(values).all() for block in file.blocks() for values in block.columns.values())
    assert file.span_ns == whole.span_ns
    assert_same(Telemetry.join(list(file.blocks())), whole)


def test_a_column_of_nothing_but_nan_has_no_sample(tmp_path):
    write_telemetry(tmp_path / "t.parquet", telemetry())
    table = pq.read_table(tmp_path / "t.parquet").append_column("yaw_rate_dps", pa.array(np.full(1000, np.nan)))
    pq.write_table(table, tmp_path / "nan.parquet", row_group_size=ROWS)
    file = StoredTelemetry.open(tmp_path / "nan.parquet")
    assert not any("yaw_rate_dps" in block for block in file.blocks())
    assert file.samples("yaw_rate_dps")[0].size == 0


def rewritten(path, change):
    """The file with its table changed, in row groups of ROWS."""
    pq.write_table(change(pq.read_table(path)), path, row_group_size=ROWS)


def swapped(table):
    return pa.concat_tables([table.slice(500, 100), table.slice(0, 500), table.slice(600)])


def twice(table):
    return pa.concat_tables([table.slice(0, 551), table.slice(550)])


def infinite(table):
    values = table["speed_mps"].to_pylist()
    return table.set_column(1, "speed_mps", pa.array([*values[:700], float("inf"), *values[701:]]))


def timeless(table):
    times = table["t_ns"].to_pylist()
    return table.set_column(0, "t_ns", pa.array([*times[:700], None, *times[701:]]))


WRONG = {
    "swapped": (swapped, "not (strictly )?increasing"),
    "twice": (twice, "not (strictly )?increasing|not what the file's head says"),
    "infinite": (infinite, "infinite values in speed_mps"),
    "timeless": (timeless, "rows without a time"),
    "no time": (lambda t: t.drop_columns("t_ns"), "no int64 column t_ns"),
    "unknown": (lambda t: t.append_column("speed", t["speed_mps"]), "a column speed"),
    "another type": (lambda t: t.set_column(1, "speed_mps", t["speed_mps"].cast("float32")), "of type float"),
    "one name, two columns": (
        lambda t: t.append_column("speed_mps", t["speed_mps"]),
        "several columns speed_mps|Multiple matches",
    ),
}


def read_through(path):
    for block in StoredTelemetry.open(path).blocks():
        assert len(block)


@pytest.mark.parametrize("reading", [read_telemetry, read_through])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_telemetry_is_refused(tmp_path, wrong, reading):
    path = tmp_path / "t.parquet"
    write_telemetry(path, telemetry())
    reading(path)
    change, words = WRONG[wrong]
    rewritten(path, change)
    with pytest.raises(DriveError, match=words):
        reading(path)


def test_damage_in_the_middle_is_met_where_it_is(tmp_path):
    path = tmp_path / "t.parquet"
    write_telemetry(path, telemetry())
    column = pq.read_metadata(path).row_group(5).column(1)
    data = bytearray(path.read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    data[begin : begin + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(data)
    blocks = StoredTelemetry.open(path).blocks()
    assert [len(next(blocks)) for _ in range(5)] == [ROWS] * 5
    with pytest.raises(DriveError, match=r"t\.parquet"):
        next(blocks)


def test_no_damage_raises_anything_but_a_drive_error(tmp_path):
    path = tmp_path / "t.parquet"
    write_telemetry(path, telemetry(400))
    whole, random = path.read_bytes(), np.random.default_rng(4)
    damaged = [whole[:at] for at in range(0, len(whole), len(whole) // 20)]
    for flips in (1, 5, 50) * 20:
        flipped = bytearray(whole)
        for at in random.integers(0, len(whole), flips):
            flipped[at] ^= 1 << random.integers(8)
        damaged.append(bytes(flipped))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            file = StoredTelemetry.open(path)
            for name in file:
                file.samples(name)
            list(file.blocks())
        except DriveError:
            refused += 1
    assert refused > 20
