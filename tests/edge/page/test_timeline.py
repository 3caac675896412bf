"""The page of a drive: it shows what was found, keeps to its limits, asks nobody, takes names from anywhere."""

import base64
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise

import av
import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry
from hypothesis import given
from hypothesis import strategies as st

from edge.drive import open_drive
from edge.page.envelope import bin_edges, envelope, unbroken
from edge.page.film import NEAR_S, SEEK_FRAMES, Film, coarse_to_fine, film, stretches
from edge.page.timeline import MAX_BINS, PAGE_PICTURE_BYTES, Band, Room, Span, fewer, timeline
from edge.page.write_page import render
from edge.scan import scan
from trigger.event import Event
from trigger.telemetry import Telemetry

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>'\"&\u202e\u2028\ud800 $page {0}"
SECOND = 1_000_000_000


def at(seconds):
    return T0_NS + round(seconds * SECOND)


class Elements(HTMLParser):
    """What a browser would make of a page: its elements, their attributes, and the text of its scripts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.scripts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "script":
            self.scripts[-1] += data

    @property
    def drives(self):
        return [json.loads(text) for text in self.scripts[:-1]]


def braking(t_s):
    return np.where((t_s > 20) & (t_s < 22), -6.0, 0.0)


def eventful(**signals):
    return drive_telemetry(60, accel_long_mps2=braking, **signals)


WHOLE_PAGE = Room.of(1)


def drawn(folder, room=WHOLE_PAGE):
    drive = open_drive(folder)
    found = scan(drive)
    return timeline(found, film(drive, found.events, room.picture_bytes), room.bins)


def number_of(jpeg):
    """The number that a picture of `conftest.picture` tells, read back from a JPEG."""
    with av.open(BytesIO(jpeg)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="gray")
    middle = image.shape[1] // 12 // 2
    return sum(1 << bit for bit in range(12) if image[:, bit * (image.shape[1] // 12) + middle].mean() > 128)


# ---- the page ----------------------------------------------------------------------------------------------------


def test_the_command_draws_all_drives_and_still_prints_its_json(run, tmp_path, native_drive):
    native_drive("one", telemetry=eventful())
    native_drive("two", seconds=5)
    code, out, _ = run("edge", "scan", tmp_path, "--json", "--html", tmp_path / "page.html")
    page = Elements((tmp_path / "page.html").read_text())
    assert code == 0
    assert [d["drive"] for d in json.loads(out)] == [d["id"] for d in page.drives] == ["one", "two"]
    for told, shown in zip(json.loads(out), page.drives, strict=True):
        assert [Event.from_json(e) for e in told["events"]] == [Event.from_json(e) for e in shown["events"]]
        assert [e["t_s"] for e in told["events"]] == [e["t_s"] for e in shown["events"]]
    assert "harsh_braking" in {e["kind"] for e in page.drives[0]["events"]}


def test_names_from_a_recording_are_inert(native_drive):
    whole = drawn(native_drive(telemetry=eventful()))
    event = next(e for e in whole.events if e.kind != "baseline")
    reel = whole.film.reels[0]
    worst = replace(
        whole,
        drive=HOSTILE,
        recorder=HOSTILE,
        engagement=HOSTILE,
        absent={HOSTILE: HOSTILE},
        lost=(HOSTILE,),
        notes=(HOSTILE,),
        bands=(Band(HOSTILE, (Span(T0_NS, T0_NS + SECOND, HOSTILE),)),),
        events=(replace(event, kind=HOSTILE, evidence=replace(event.evidence, signal=HOSTILE)),),
        film=replace(whole.film, reels=(replace(reel, camera=HOSTILE),)),
    )
    plain, page = Elements(render([whole])), Elements(render([worst]).encode().decode())
    assert (page.tags, page.attributes) == (plain.tags, plain.attributes)
    (shown,) = page.drives
    assert {shown["id"], shown["lost"][0], shown["events"][0]["kind"], shown["cameras"][0]["name"]} == {HOSTILE}


def test_the_script_never_makes_markup_of_text():
    script = Elements(render([])).scripts[-1]
    assert "textContent" in script
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", script)


def test_the_page_asks_no_network_for_anything(native_drive):
    page = render([drawn(native_drive(seconds=5))])
    assert not re.search(r"(?i)\b(https?|wss?|ftp):|@import|url\(|fetch\(|XMLHttpRequest|sendBeacon", page)
    assert not {"src", "href", "srcset", "action"} & set(Elements(page).attributes)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">" in page


def test_where_the_car_was_is_not_in_the_page(native_drive):
    telemetry = eventful(
        lat_deg=lambda t: 48.137222 + t / 1e5, lon_deg=lambda t: 11.575556 + t / 1e5, heading_deg=lambda t: 271.31 + t
    )
    page = render([drawn(native_drive(telemetry=telemetry))])
    (shown,) = Elements(page).drives
    assert not re.search(r"lat_deg|lon_deg|heading_deg|48\.13|11\.57|271\.3", page)
    assert [line["signal"] for chart in shown["charts"] for line in chart][:2] == ["speed_mps", "steering_wheel_deg"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(run, tmp_path, native_drive, monkeypatch):
    page = tmp_path / "page.html"
    page.write_text("the old page")

    def full(_):
        raise OSError(28, "No space left on device")

    folder = native_drive(seconds=2)
    monkeypatch.setattr(os, "fsync", full)
    code, _, err = run("edge", "scan", folder, "--html", page)
    assert (code, "No space left" in err) == (1, True)
    assert page.read_text() == "the old page"
    assert not list(tmp_path.glob(".swerve-*"))


@pytest.mark.parametrize("without", ["cameras", "telemetry", "both"])
def test_a_drive_without_cameras_or_signals_or_events_still_gives_a_page(native_drive, without):
    drive = open_drive(native_drive(seconds=5))
    if without != "telemetry":
        drive = replace(drive, cameras={})
    if without != "cameras":
        drive = replace(drive, telemetry=Telemetry.merge({}))
    whole = timeline(scan(drive, baseline=0.0), film(drive, (), PAGE_PICTURE_BYTES), MAX_BINS)
    (shown,) = Elements(render([whole])).drives
    assert shown["events"] == []
    assert [len(camera["t_s"]) for camera in shown["cameras"]] == ([5] if without == "telemetry" else [])
    assert bool(shown["charts"]) == (without == "cameras")


# ---- what is drawn -----------------------------------------------------------------------------------------------


def test_states_are_bands_and_a_pause_in_everything_is_a_gap(native_drive):
    telemetry = drive_telemetry(
        60, engaged=lambda t: (t > 30) & (t < 50), brake_pressed=lambda t: t < 5, gas_fraction=lambda t: 0 * t
    )
    kept = (telemetry.t_ns < at(10)) | (telemetry.t_ns >= at(20))
    telemetry = Telemetry(telemetry.t_ns[kept], {name: v[kept] for name, v in telemetry.columns.items()})
    drive = replace(open_drive(native_drive(telemetry=telemetry)), cameras={})
    whole = timeline(scan(drive), Film(), MAX_BINS)
    bands = {band.title: [(s.start_ns, s.end_ns, s.label) for s in band.spans] for band in whole.bands}
    assert bands["engaged"] == [(at(30.02), at(50), "")]
    assert bands["brake pressed"] == [(at(0), at(5), "")]
    assert bands["driven by"] == [(at(0), at(9.98), "human"), (at(20), at(59.98), "human")]
    assert whole.gaps_ns == ((at(9.98), at(20)),)
    speed = next(line for chart in whole.charts for line in chart if line.signal == "speed_mps")
    assert np.isnan(speed.values).sum() == 1


def test_a_flag_is_not_drawn_beside_the_line_that_says_it(native_drive):
    telemetry = drive_telemetry(10, brake_pressed=lambda t: t < 5, brake_fraction=lambda t: 0.2 * (t < 5))
    assert "brake pressed" not in {band.title for band in drawn(native_drive(telemetry=telemetry, seconds=10)).bands}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 20), st.data())
def test_an_envelope_is_made_of_samples_and_keeps_every_peak(values, bins, data):
    values = np.array(values)
    steps = data.draw(st.lists(st.integers(1, 30), min_size=values.size, max_size=values.size))
    t_ns = np.cumsum(steps) * 100_000_000
    edges = bin_edges((int(t_ns[0]), int(t_ns[-1]) + 1), [], bins)
    own_ns, own = envelope(t_ns, values, edges)
    kept = ~np.isnan(own)
    samples = dict(zip(t_ns.tolist(), values.tolist(), strict=True))
    assert all(samples[t] == v for t, v in zip(own_ns[kept].tolist(), own[kept].tolist(), strict=True))
    assert np.all(np.diff(own_ns[kept]) > 0)
    assert own_ns.size <= max(5 * edges.size, 3 * bins)
    for place in range(edges.size):
        inside, drawn_inside = (np.searchsorted(edges, t, side="right") == place for t in (t_ns, own_ns[kept]))
        if inside.any():
            assert np.ptp(own[kept][drawn_inside]) == np.ptp(values[inside])


def test_bins_are_shared_between_the_whole_drive_and_what_is_looked_at_closely():
    hours, window = 10 * 3600 * SECOND, (5000 * SECOND, 5010 * SECOND)
    edges = bin_edges((0, hours), [window, (5005 * SECOND, 5015 * SECOND)], 2000)
    inside = np.diff(edges[(edges >= window[0]) & (edges <= 5015 * SECOND)])
    assert edges.size <= 4002
    assert inside.max() <= 15 * SECOND // 2000 + 1
    assert np.diff(edges).max() == hours // 2000


def test_a_pause_breaks_a_line_unless_it_is_too_short_to_be_seen():
    t_ns = np.array([0, 1, 2, 10, 11, 12]) * SECOND
    values = np.arange(6.0)
    broken_ns, broken = envelope(t_ns, values, bin_edges((0, 13 * SECOND), [], 100))
    assert broken_ns.tolist() == [0, 1 * SECOND, 2 * SECOND, 2 * SECOND, 10 * SECOND, 11 * SECOND, 12 * SECOND]
    assert np.flatnonzero(np.isnan(broken)).tolist() == [3]
    assert not np.isnan(envelope(t_ns, values, np.array([0]))[1]).any()
    assert unbroken(t_ns) == [(0, 2 * SECOND), (10 * SECOND, 12 * SECOND)]


def test_too_many_spans_are_joined_where_least_lies_between_them():
    spans = [Span(0, 10), Span(11, 20), Span(50, 60), Span(62, 70), Span(100, 110)]
    assert fewer(spans, 3) == (Span(0, 20), Span(50, 70), Span(100, 110))
    assert fewer(spans, 5) == tuple(spans)
    assert fewer([], 3) == ()


# ---- pictures ----------------------------------------------------------------------------------------------------


def test_a_still_is_the_frame_of_its_time_and_stills_are_closer_around_events(native_drive):
    whole = drawn(native_drive(telemetry=eventful()))
    (reel,) = whole.film.reels
    assert all(number_of(s.jpeg) == (s.t_ns - T0_NS) // 100_000_000 for s in reel.stills)
    onset = next(e.t_ns for e in whole.events if e.kind == "harsh_braking")
    times = np.array([s.t_ns for s in reel.stills])
    assert np.diff(times).max() <= 2 * whole.film.every_s * SECOND
    assert np.abs(times - onset).min() <= 50_000_000
    assert np.diff(times[(times >= onset - 2 * SECOND) & (times <= onset + 3 * SECOND)]).max() <= 400_000_000
    assert whole.film.left_out == 0


def test_pictures_keep_to_their_bytes_and_stay_spread_with_the_onset_among_them(native_drive):
    folder = native_drive(telemetry=eventful())
    plenty = drawn(folder).film.reels[0].stills
    each = max(len(s.jpeg) for s in plenty)
    whole = drawn(folder, Room(100, 40 * each))
    (reel,) = whole.film.reels
    times = np.array([s.t_ns for s in reel.stills])
    assert sum(len(s.jpeg) for s in reel.stills) <= 40 * each
    assert whole.film.left_out == len(plenty) - len(times) > 0
    assert np.diff(times).max() <= 8 * SECOND
    assert np.abs(times - next(e.t_ns for e in whole.events if e.kind == "harsh_braking")).min() <= 50_000_000


def test_a_page_of_many_drives_has_room_for_all():
    for drives in (1, 7, 1000):
        assert drives * Room.of(drives).picture_bytes <= PAGE_PICTURE_BYTES
        assert 0 < Room.of(drives).bins <= MAX_BINS


def test_damage_in_a_video_costs_the_frames_it_hits_alone(native_drive):
    folder = native_drive(telemetry=eventful())
    video = folder / "front.mp4"
    content = bytearray(video.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 10] = bytes(len(content) // 10)
    video.write_bytes(content)
    (reel,) = film(open_drive(folder), (), PAGE_PICTURE_BYTES).reels
    told = [still for still in reel.stills if still.jpeg]
    assert len(told) >= 30
    assert told[-1].t_ns > at(55)


def test_what_cannot_be_decoded_is_an_empty_still(native_drive):
    folder = native_drive(seconds=5)
    drive = open_drive(folder)
    drive.cameras["front"].frame_times()
    (folder / "front.mp4").unlink()
    (reel,) = film(drive, (), PAGE_PICTURE_BYTES).reels
    assert [s.jpeg for s in reel.stills] == [b""] * 5


@given(st.integers(0, 300))
def test_coarse_to_fine_is_every_number_once_and_evenly_spread_from_the_start(count):
    order = coarse_to_fine(count)
    assert sorted(order) == list(range(count))
    for beginning in (4, 16):
        if count >= 4 * beginning:
            assert np.diff(sorted(order[:beginning])).max() <= 2 * (1 << (count - 1).bit_length()) // beginning


@given(
    st.integers(1, 60),
    st.sets(st.integers(0, 299), min_size=1, max_size=40),
)
def test_a_seek_is_made_only_where_it_skips_enough(spacing, wanted):
    t_ns = np.arange(300) * 33_333_333
    keys, times = t_ns[::spacing], t_ns[sorted(wanted)].tolist()
    groups = stretches(t_ns, keys, times)
    assert [t for group in groups for t in group] == times
    for before, after in pairwise(groups):
        key = keys[keys <= after[0]][-1]
        assert np.sum((t_ns > before[-1]) & (t_ns < key)) >= SEEK_FRAMES


@pytest.mark.real
def test_a_real_drive_has_a_page_with_a_picture_for_every_second(real):
    whole = drawn(real / "udacity_ch2_001")
    (shown,) = Elements(render([whole])).drives
    (camera,) = shown["cameras"]
    assert len(camera["t_s"]) == len(camera["jpeg"]) >= 200
    assert all(base64.b64decode(jpeg)[:2] == b"\xff\xd8" for jpeg in camera["jpeg"])
    assert np.diff(camera["t_s"]).max() <= 2 + NEAR_S
    assert {line["signal"] for chart in shown["charts"] for line in chart} == {"steering_wheel_deg"}
