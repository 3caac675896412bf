"""Expressions: what they say, what is refused and where, and that how a recording is chopped changes no bit."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigger.expression import parse
from trigger.language.syntax import ExpressionError
from trigger.telemetry import Telemetry

STEP_NS = 100_000_000


def drive(**signals):
    """Signals at 10 Hz, None where there is no sample."""
    return Telemetry.merge(
        {
            name: (np.arange(len(values)) * STEP_NS, np.array([np.nan if v is None else v for v in values], float))
            for name, values in signals.items()
        }
    )


def says(text, **signals):
    """What an expression says at each sample: 0, a severity, or None where it does not know."""
    values = parse(text).evaluate(drive(**signals), {}).values
    return [None if np.isnan(v) else round(float(v), 6) for v in values]


def test_a_bare_number_takes_the_unit_it_meets_and_functions_convert():
    assert says("speed_mps > 20", speed_mps=[20, 30]) == says("speed_mps > kmh(72)", speed_mps=[20, 30]) == [0, 1.5]
    assert says("gas_fraction >= percent(40)", gas_fraction=[0.2, 0.4]) == [0, 1]
    assert says("2 * speed_mps - kmh(36) > mps(10)", speed_mps=[10, 15]) == [0, 2]


def test_units_combine():
    """The lateral acceleration that a yaw rate implies, from degrees."""
    text = "yaw_rate_dps / rad(1) * speed_mps > g(0.4)"
    assert says(text, yaw_rate_dps=[5, 22.9], speed_mps=[20, 20]) == [0, pytest.approx(2.038, abs=1e-3)]
    assert (
        says("lead_distance_m / lead_closing_mps < s(1.5)", lead_distance_m=[30, 3], lead_closing_mps=[10, 10])[0] == 0
    )


def test_chains_bind_as_in_python():
    assert says("5 < speed_mps < 10", speed_mps=[4, 6, 10]) == [0, 1.2, 0]
    assert says(
        "speed_mps > 5 and not engaged or brake_pressed",
        speed_mps=[6, 6, 6],
        engaged=[0, 1, 1],
        brake_pressed=[0, 0, 1],
    ) == [1.2, 0, 1]


def test_flags_are_conditions_and_choices_are_words():
    assert says("engaged and not brake_pressed", engaged=[1, 1], brake_pressed=[0, 1]) == [1, 0]
    assert says("end_reason == 'fault'", end_reason=[1, 5]) == [0, 1]
    assert says('control_source_steering != "human"', control_source_steering=[1, 2]) == [0, 1]


def test_a_robots_own_columns_are_signals():
    assert says("abs(action_gripper) > 0.5", action_gripper=[0.2, 1.0]) == [0, 2]


def test_a_flag_beside_a_threshold_leaves_its_severity():
    assert says("engaged and speed_mps > 10", engaged=[1, 1], speed_mps=[15, 30]) == [1.5, 3]
    assert says("(engaged or bookmark) and speed_mps > 10", engaged=[1], bookmark=[0], speed_mps=[15]) == [1.5]
    assert says("engaged or speed_mps > 10", engaged=[1, 1], speed_mps=[5, 30]) == [1, 3]


def test_a_signal_is_known_for_half_a_second():
    gone = [1] + [None] * 7
    assert says("engaged and speed_mps > 10", engaged=gone, speed_mps=[20] * 8) == [2] * 6 + [None] * 2
    assert says("engaged and speed_mps > 10", engaged=gone, speed_mps=[5] * 8) == [0] * 8
    assert says("engaged or speed_mps > 10", engaged=gone, speed_mps=[20] * 8) == [2] * 8


def test_a_signal_that_is_not_there_is_unknown():
    assert says("engaged and speed_mps > 10", speed_mps=[20, 5]) == [None, 0]
    assert says("engaged", speed_mps=[20, 5]) == []
    assert says("held(rate(gas_fraction) > 1, s=1) or speed_mps > 10", speed_mps=[20, 5]) == [2, None]


def test_held_and_the_extremes_of_the_last_seconds():
    assert says("held(speed_mps > 10, s=0.2)", speed_mps=[20, 30, 40, 40, 5]) == [None, None, 2, 3, 0]
    assert says("maximum(speed_mps, s=0.2) - minimum(speed_mps, s=0.2) > 10", speed_mps=[0, 0, 20, 20, 20]) == [
        None,
        None,
        2,
        2,
        0,
    ]
    assert says("mean(speed_mps, s=0.1) > 10", speed_mps=[0, 40, 0]) == [None, 2, 2]


def test_rate():
    ramp = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert says("rate(brake_fraction) > 0.5", brake_fraction=ramp) == [None] * 3 + [2] * 4
    assert says("rate(speed_mps) < -g(0.3)", speed_mps=[10, 9, 8, 7, 6])[-1] == pytest.approx(10 / 2.941995, abs=1e-5)


def test_then_asks_for_the_order():
    """The second, now; and shortly before it the first without the second."""
    a, b = [1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0]
    assert says("then(engaged, bookmark, within_s=0.3)", engaged=a, bookmark=b) == [0, 0, 1, 1, 0, 0]
    assert 1 not in says("then(bookmark, engaged, within_s=0.3)", engaged=a, bookmark=b)
    assert 1 not in says("then(engaged, bookmark, within_s=5)", engaged=b, bookmark=b)  # at once is not after
    assert says("then(speed_mps > 10, bookmark, within_s=1)", speed_mps=[30, 20, 5], bookmark=[0, 0, 1])[-1] == 3


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        (
            "brake_fraction > kmh(72)",
            "line 1, column 1",
            "`brake_fraction` is a number without a unit and `kmh(72)` is a number in m/s",
        ),
        ("speed_mps + gas_fraction > 3", "line 1, column 1", "m/s"),
        ("rate(speed_mps) > kmh(3)", "line 1, column 1", "m/s^2"),
        ("yaw_rate_dps * speed_mps > g(0.4)", "line 1, column 1", "deg m/s^2"),
        ("kmh(speed_mps) > 3", "line 1, column 1", "a bare number"),
        ("kmh(kmh(3)) < speed_mps", "line 1, column 1", "a bare number"),
        ("speed_mps > 3 and\n  speed_kmh > 3", "line 2, column 3: `speed_kmh`", "did you mean speed_mps"),
        ("hold(engaged, s=1)", "line 1, column 1", "did you mean held"),
        ("maximum(speed_mps) > 3", "line 1, column 1", "no window"),
        ("maximum(speed_mps, s=1e9) > 3", "line 1, column 1", "0.01 to 9.5 s"),
        ("maximum(speed_mps, s=inf) > 3", "line 1, column 1", "0.01 to 9.5 s"),
        ("maximum(speed_mps, s=0) > 3", "line 1, column 1", "0.01 to 9.5 s"),
        ("maximum(speed_mps, s=True) > 3", "line 1, column 1", "0.01 to 9.5 s"),
        ("maximum(speed_mps, 5) > 3", "line 1, column 1", "no window"),
        ("maximum(speed_mps, s=5, **engaged) > 3", "line 1, column 1", "**engaged"),
        ("rate(speed_mps, over_s=5) > 3", "line 1, column 1", "0.1 to 1 s"),
        ("held(maximum(speed_mps, s=6) > 3, s=6)", "line 1, column 1", "13 s"),
        (" or ".join(["engaged"] * 70), "line 1, column", "more than 64 parts"),
        ("not " * 480 + "engaged", "line 1, column", "more than 64 parts"),
        ("(" * 250 + "engaged" + ")" * 250, "line 1, column", "too many nested parentheses"),
        ("engaged or " * 200, "line 1, column 2001", "2200 characters"),
        ("speed_mps", "line 1, column 1", "where a condition belongs"),
        ("engaged > 0.5", "line 1, column 1", "where a number belongs"),
        ("engaged and 1", "line 1, column 13", "where a condition belongs"),
        ("rate(engaged) > 1", "line 1, column 6", "where a number belongs"),
        ("kmh(3) > 2", "line 1, column 1", "never change"),
        ("rate(3) > 2", "line 1, column 6", "never changes"),
        ("speed_mps == 3", "line 1, column 1", "hardly ever equal"),
        ("end_reason == 'vault'", "line 1, column 1", "'fault'"),
        ("speed_mps > 1 / 0", "line 1, column 13: `1 / 0`", "not finite"),
        ("speed_mps > 1e999", "line 1, column 13", "not finite"),
        ("speed_mps > 1" + "0" * 400, "line 1, column 13", "not finite"),
        ("speed_mps > 3 if engaged else engaged", "line 1, column 1", "IfExp"),
        ("__import__('os').system('id')", "line 1, column 1", "not of the language"),
        ("(lambda: engaged)()", "line 1, column 8", "U+003A COLON"),
        ("speed_mps ** 2 > 3", "line 1, column 1", "not of the language"),
        ("speed_mps.real > 3", "line 1, column 1", "not of the language"),
        ("speed_mps > True", "line 1, column 13", "not of the language"),
        ("speed_mps > ", "line 1, column", "invalid syntax"),
        ("speed_mps > 0x1for", "line 1, column", "literal"),
        ("  \n", "line 1, column 1", "nothing"),
        ("sp\u0435ed_mps > 3", "line 1, column 3", "U+0435 CYRILLIC SMALL LETTER IE"),
        ("speed_mps \uff1e 3", "line 1, column 11", "FULLWIDTH GREATER-THAN SIGN"),
        ("speed_mps > \u0663", "line 1, column 13", "ARABIC-INDIC DIGIT THREE"),
        ("speed_mps > 3 # fast", "line 1, column 15", "U+0023"),
        ("speed_mps > 3\\\n", "line 1, column 14", "U+005C"),
        ("engaged \ud800", "line 1, column 9", "U+D800"),
    ],
)
def test_what_is_refused_is_refused_with_its_place(text, place, why):
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert place in refused.value.got
    assert why in str(refused.value)
    assert str(refused.value).isprintable()


def check_domain(values):
    known = values[~np.isnan(values)]
    assert ((known == 0) | (known >= 1)).all()
    assert np.isfinite(known).all()


windows = st.sampled_from(["0.05", "0.1", "0.3", "1", "2"])
number_signals = st.sampled_from(["speed_mps", "brake_fraction", "yaw_rate_dps"])


@st.composite
def numbers(draw, depth):
    if depth == 0:
        return draw(number_signals)
    inner = draw(numbers(depth - 1))
    shape = draw(st.integers(0, 6))
    if shape == 0:
        return f"rate({inner}, over_s={draw(st.sampled_from(['0.1', '0.3']))})"
    if shape == 1:
        return f"{draw(st.sampled_from(['maximum', 'minimum', 'mean']))}({inner}, s={draw(windows)})"
    if shape == 2:
        return f"({inner} {draw(st.sampled_from('*/'))} {draw(numbers(depth - 1))})"
    if shape == 3:
        return f"abs({inner} - 1)"
    return inner


@st.composite
def conditions(draw, depth=2):
    shape = draw(st.integers(0, 6)) if depth else draw(st.sampled_from([0, 0, 6]))
    if shape == 0:
        return f"{draw(numbers(depth))} {draw(st.sampled_from(['>', '<', '>=', '<=']))} {draw(st.integers(-2, 2))}"
    if shape == 6:
        return "engaged"
    inner, other = draw(conditions(depth - 1)), draw(conditions(depth - 1))
    return {
        1: f"({inner} and {other})",
        2: f"({inner} or {other})",
        3: f"not ({inner})",
        4: f"held({inner}, s={draw(windows)})",
        5: f"then({inner}, {other}, within_s={draw(windows)})",
    }[shape]


WORDS = (  # noqa: SIM905
    "speed_mps engaged end_reason rate( held( then( kmh( mean( abs( ( ) , s=1 s= within_s=2 over_s=0.2 > < == != = "
    "+ - * / ** and or not in if else is lambda await 3 0.5 1e400 0x 7j 'fault' f' b'' \" ' . é \x00 \n \t True None _"
).split(" ")


@st.composite
def damaged(draw):
    """A good expression with something in it that does not belong there."""
    text = draw(conditions())
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return f"{text[:begin]} {draw(st.sampled_from(WORDS))} {text[end:]}"


@given(st.one_of(damaged(), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join), st.text(max_size=60)))
@settings(max_examples=300, deadline=None)
def test_no_text_does_anything_but_parse_or_be_refused(text):
    try:
        expression = parse(text)
    except ExpressionError:
        return
    check_domain(expression.evaluate(drive(speed_mps=[1, 2], engaged=[1, 0]), {}).values)


@st.composite
def recordings(draw):
    """Several rates, jitter, gaps, signals that come late or not at all; values that cross thresholds all the time."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    signals = {}
    for name in ("speed_mps", "brake_fraction", "yaw_rate_dps", "engaged"):
        period_ns = draw(st.sampled_from([20, 100, 300, 450])) * 1_000_000
        t_ns = np.arange(0, 16 * 10**9, period_ns)
        t_ns += rng.integers(0, draw(st.sampled_from([1, period_ns])), t_ns.size)
        values = rng.choice([-3.0, -1.0, 0.0, 1.0, 3.0], t_ns.size)
        values = (values > 0).astype(float) if name == "engaged" else values
        for begin in rng.integers(0, 16, draw(st.integers(0, 2))) * 10**9:
            values[(t_ns >= begin) & (t_ns < begin + rng.integers(0, 2 * 10**9))] = np.nan
        if draw(st.integers(0, 5)):
            signals[name] = (t_ns, values)
    return Telemetry.merge(signals)


ALONE = (
    "rate(speed_mps, over_s=0.1) > 0",
    "mean(speed_mps, s=0.3) > 0",
    "held(speed_mps > 0, s=0.1)",
    "then(engaged, not engaged, within_s=0.1)",
    "engaged and speed_mps > 0",
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.sampled_from(ALONE), conditions()), recordings(), st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_chopping_changes_no_bit(text, telemetry, cuts):
    """A piece that begins `lookback_s` before gives the very same floats; so does asking for no more than the end."""
    try:
        expression = parse(text)
    except ExpressionError:
        return  # looks back too far
    memo = {}
    whole = expression.evaluate(telemetry, memo)
    check_domain(whole.values)
    for cut in cuts:
        start_ns = (
            int(cut * 15e9) if cut < 0.5 or not len(telemetry) else telemetry.t_ns[int(cut * len(telemetry)) - 1] + 1
        )
        since_ns = int(start_ns) + round(expression.lookback_s * 1e9)
        suffix = telemetry.between(int(start_ns), 1 << 62)
        late = whole.t_ns >= since_ns
        for piece, asked_ns in ((suffix, since_ns), (suffix, -(1 << 62)), (telemetry, since_ns)):
            measured = expression.evaluate(piece, memo, asked_ns)
            tail = measured.t_ns >= since_ns
            np.testing.assert_array_equal(measured.t_ns[tail], whole.t_ns[late])
            np.testing.assert_array_equal(measured.values[tail], whole.values[late])


@given(st.lists(conditions(), min_size=2, max_size=5), recordings())
@settings(max_examples=30, deadline=None)
def test_sharing_a_memo_changes_nothing(texts, telemetry):
    memo = {}
    for text in texts:
        try:
            expression = parse(text)
        except ExpressionError:
            continue
        for since_ns in (-(1 << 62), 8 * 10**9):
            shared, alone = expression.evaluate(telemetry, memo, since_ns), expression.evaluate(telemetry, {}, since_ns)
            np.testing.assert_array_equal(shared.values, alone.values)


def test_a_memo_begins_anew_with_another_piece():
    expression, memo = parse("maximum(speed_mps, s=0.1) > 10"), {}
    assert expression.evaluate(drive(speed_mps=[20, 20]), memo).values[-1] == 2
    assert expression.evaluate(drive(speed_mps=[20, 30]), memo).values[-1] == 3


def test_without_room_to_share_the_values_are_the_same(monkeypatch):
    telemetry = drive(speed_mps=list(range(40)), engaged=[0, 1] * 20)
    texts = ["then(engaged, held(speed_mps > 3, s=0.3), within_s=1)", "maximum(speed_mps, s=0.3) > 7 and engaged"]
    roomy = [parse(text).evaluate(telemetry, {}).values for text in texts]
    monkeypatch.setattr("trigger.language.piece.KEPT_BYTES", 0)
    memo = {}
    for text, values in zip(texts, roomy, strict=True):
        np.testing.assert_array_equal(parse(text).evaluate(telemetry, memo).values, values)


def test_what_it_reads_and_how_far_back():
    expression = parse("speed_mps > 3 and held(rate(brake_fraction) > 3, s=0.1)")
    assert expression.signals == {"speed_mps", "brake_fraction"}
    assert expression.lookback_s == pytest.approx(0.9 + 0.1 + 0.5 + 0.5)  # the rate, the window, its age, the meeting
    assert parse("engaged").lookback_s == 0


def test_an_expression_goes_to_another_process():
    telemetry = drive(speed_mps=[20, 30], engaged=[1, 1])
    expression = parse("engaged and held(speed_mps > 10, s=0.1)")
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(expression)).evaluate(telemetry, {}).values, expression.evaluate(telemetry, {}).values
    )
