"""Fields read by column are those that the library reads message by message."""

from operator import attrgetter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpilot_logging.cereal import log as schema

from edge.formats.capnp_columns import NO_KIND, whole_messages
from edge.formats.openpilot_messages import COLUMNS

EVENT = schema.Event
UNION_AT = EVENT.schema.node.struct.discriminantOffset
NUMBER = {name: field.proto.discriminantValue for name, field in EVENT.schema.fields.items()}
FLOATS = st.floats(-1e5, 1e5, width=32)


def message(t_ns, kind, fields):
    made = EVENT.new_message()
    made.logMonoTime = t_ns
    body = made.init(kind)
    for name, value in fields.items():
        *path, last = name.split(".")
        setattr(attrgetter(".".join(path))(body) if path else body, last, value)
    return made.to_bytes()


def column(messages, kind, name):
    structs = messages[messages.kind == NUMBER[kind]].roots(EVENT.schema)
    *path, last = (kind, *name.split("."))
    for part in path:
        structs = structs.inside(part)
    return structs.column(last), structs.whole


LEAD = st.fixed_dictionaries(
    {}, optional={"leadOne.dRel": FLOATS, "leadOne.vRel": FLOATS, "leadOne.status": st.booleans()}
)
CAR = st.fixed_dictionaries(
    {},
    optional={
        "vEgo": FLOATS,
        "gasPressed": st.booleans(),
        "cruiseState.enabled": st.booleans(),
        "stockAeb": st.booleans(),
    },
)
FRAME = st.fixed_dictionaries(
    {}, optional={"segmentId": st.integers(0, 2**32 - 1), "timestampSof": st.integers(0, 2**64 - 1)}
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("radarState"), LEAD),
            st.tuples(st.just("carState"), CAR),
            st.tuples(st.just("roadEncodeIdx"), FRAME),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_columns_are_what_the_library_reads(told):
    data = b"".join(message(i + 1, kind, fields) for i, (kind, fields) in enumerate(told))
    messages = whole_messages(data, UNION_AT)
    assert len(messages) == len(told)
    for kind in {kind for kind, _ in told}:
        read = [m for m in EVENT.read_multiple_bytes(data) if m.which() == kind]
        for name in COLUMNS[kind]:
            found, whole = column(messages, kind, name)
            assert found.tolist() == [attrgetter(name)(getattr(m, kind)) for m in read]
            assert whole.all()


def test_every_field_that_is_read_is_in_the_schema_and_0_by_default():
    for kind, names in COLUMNS.items():
        messages = whole_messages(message(5, kind, {}), UNION_AT)
        for name in names:
            found, whole = column(messages, kind, name)
            assert (float(found[0]), bool(whole[0])) == (
                float(attrgetter(name)(getattr(EVENT.new_message(**{kind: {}}), kind))),
                True,
            )
            assert not _field(kind, name).proto.slot.hadExplicitDefault


def _field(kind, name):
    field = EVENT.schema.fields[kind]
    for part in name.split("."):
        field = field.schema.fields[part]
    return field


def test_a_message_in_several_parts_has_no_kind():
    long = EVENT.new_message()
    long.init("initData").version = "x" * 20_000
    data = message(1, "carState", {}) + long.to_bytes() + message(2, "carState", {})
    messages = whole_messages(data, UNION_AT)
    assert [int(kind) for kind in messages.kind] == [NUMBER["carState"], NO_KIND, NUMBER["carState"]]
    (read,) = EVENT.read_multiple_bytes(messages[messages.kind == NO_KIND].content())
    assert len(read.initData.version) == 20_000


@pytest.mark.parametrize("at", [16, 20, 64, 72, 76])
def test_a_pointer_that_leads_out_of_the_message_costs_it_alone(at):
    whole = message(1, "radarState", {"leadOne.dRel": 9.0})
    damaged = bytearray(whole)
    damaged[at] ^= 0xFF
    messages = whole_messages(bytes(damaged) + whole, UNION_AT)
    found, good = column(messages, "radarState", "leadOne.dRel")
    assert (found[-1], good[-1]) == (9.0, True)


def test_no_bytes_break_it():
    random = np.random.default_rng(2)
    whole = b"".join(message(i, "radarState", {"leadOne.dRel": 9.0}) for i in range(20))
    for content in (b"", b"\0" * 99, random.bytes(999), *(whole[:n] for n in range(0, len(whole), 7))):
        whole_messages(content, UNION_AT)
    for _ in range(300):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), 10):
            damaged[at] ^= 1 << random.integers(8)
        column(whole_messages(damaged, UNION_AT), "radarState", "leadOne.dRel")
