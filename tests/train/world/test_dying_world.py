"""A world that dies mid-run loses that run only, and says that it was the world."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from train.exam import Stint, sit
from train.flywheel.fleet import drive_all, trips
from train.flywheel.plan import Plan
from train.world.env import DrivingWorld

SHORT_S = 1.0


class Dying(DrivingWorld):
    """Its graphics crash after half a second."""

    def step(self, action):
        if self.scene.t_s > 0.45:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().step(action)


class Failing(DrivingWorld):
    def step(self, action):
        raise RuntimeError("out of textures")


class DyingStint(Stint):
    def world(self):
        return Dying(self.place, self.rates, self.start_m)


class FailingStint(Stint):
    def world(self):
        return Failing(self.place, self.rates, self.start_m)


def test_an_exam_loses_the_stint_and_goes_on():
    where = (None, "vale", "calm", 150.0, SHORT_S)
    exam = sit([Stint(*where), DyingStint(*where), FailingStint(*where), Stint(*where)], 9.0)
    assert len(exam.stints) == 2
    assert [lost.split(";")[0] for lost in exam.lost] == [
        "the world crashed on vale from 150 m",
        "the world died in vale from 150 m: out of textures",
    ]


def test_a_fleet_loses_the_car_and_leaves_no_part_of_its_drive(tmp_path: Path):
    planned = trips(Plan(fleet=2, minutes=SHORT_S / 60), 1, tmp_path, None)
    planned[0] = replace(planned[0], place="a place that cannot be built")
    ridden, lost = drive_all(planned)
    assert [one.name for one in ridden] == ["car0001-0001"]
    assert len(lost) == 1
    assert "the world died under car0000" in lost[0]
    assert not (tmp_path / "car0000").exists()
