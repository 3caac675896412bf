"""The whole journey on the sample drives, as a newcomer makes it: from recordings to a policy that sees the road."""

from __future__ import annotations

import json

import swerve
from edge.drive import open_drive

STEPS = 600
"""About 40 s on one core: enough to see the road, not enough to be good."""


def test_from_recorded_drives_to_a_policy_that_sees_the_road(run, tmp_path):
    def step(*arguments: object) -> object:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    samples, clips, store = swerve.sample_clips(), tmp_path / "clips", tmp_path / "store"
    policy = store / "policies/tour"

    events = {(d["drive"], e["kind"]) for d in step("edge", "scan", samples, "--baseline", 0) for e in d["events"]}
    assert ("sample-disengagement", "disengagement") in events
    assert ("sample-hard-brake", "abrupt_brake") in events
    assert not [kind for drive, kind in events if drive == "sample-calm"]

    cut = step("edge", "cut", samples, "--out", clips, "--baseline", 0.1)
    assert len(step("edge", "push", clips, "--to", store)) == len(cut)
    version = step("curate", "nightly", "--store", store, "--split", "time:0.65")
    assert version["quarantined"] == {}
    assert min(version["counts"]["split"].values()) > 20

    step("train", "fit", "--store", store, "--preset", "tiny", "--steps", STEPS, "--name", "tour")
    report = tmp_path / "report.html"
    exam = step("train", "eval", "--store", store, "--policy", policy, "--ablate", "--report", report)
    steering = {
        r["who"]: r["figures"] for r in exam["rows"] if r["control"] == "steering_wheel_deg" and r["slice"] == "all"
    }
    assert steering["tour"]["r"] >= 0.9
    assert steering["tour"]["rmse"] < 0.7 * min(steering[who]["rmse"] for who in ("training mean", "1 s ago"))
    assert steering["black frames"]["rmse"] > 2 * steering["tour"]["rmse"]
    assert steering["shuffled frames"]["rmse"] > 2 * steering["tour"]["rmse"]
    assert "http://" not in report.read_text().replace("http://www.w3.org/", "")

    video = tmp_path / "watch.mp4"
    step("train", "watch", samples / "disengagement", "--policy", policy, "--out", video, "--start", 40, "--seconds", 3)
    assert len(open_drive(video).cameras["front"].frame_times()) == 30
