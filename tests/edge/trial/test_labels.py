"""Labels: the file that comes with the tests reads, names drives that exist, and a slip of the pen is refused."""

from pathlib import Path

import pytest

from edge.drive import find_drives
from edge.errors import LabelError
from edge.trial.labels import LabelledDrive, Moment, read_labels

REAL_DRIVES = Path(__file__).parents[2] / "labels" / "real_drives.toml"
GOOD = """
[rules]
launch = "Stands, then drives off briskly."
swerve = "One way, then the other."

[[drive]]
id = "udacity-1"
judged = ["launch", "swerve"]
seconds = [[0, 20], [30.5, 60]]

[[drive.moment]]
kind = "launch"
start_s = 3
end_s = 6.5
doubtful = false
why = "from a light"

[[drive.moment]]
kind = "swerve"
start_s = 40.0
end_s = 41.0
doubtful = true
why = "may be an S-bend"

[[drive]]
id = "udacity-2"
judged = ["launch"]
seconds = [[0, 9]]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.toml"
    path.write_text(text)
    return path


def test_labels_are_read_as_written(tmp_path):
    assert read_labels(written(tmp_path, GOOD)) == (
        LabelledDrive(
            id="udacity-1",
            judged=("launch", "swerve"),
            seconds=((0.0, 20.0), (30.5, 60.0)),
            moments=(
                Moment("launch", 3.0, 6.5, False, "from a light"),
                Moment("swerve", 40.0, 41.0, True, "may be an S-bend"),
            ),
        ),
        LabelledDrive(id="udacity-2", judged=("launch",), seconds=((0.0, 9.0),), moments=()),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('kind = "launch"', 'kind = "lunch"', r"drive 1, moment 1: kind is 'lunch'.*launch, swerve"),
        ('judged = ["launch", "swerve"]', 'judged = ["launch", "swirve"]', r"drive 1: judged has swirve"),
        ('judged = ["launch", "swerve"]', 'judged = ["launch", "launch"]', r"'launch' twice"),
        ('judged = ["launch", "swerve"]', 'judged = ["launch"]', r"moment 2: kind is 'swerve'"),
        ('judged = ["launch", "swerve"]', "judged = []", r"judged is \[\]"),
        ('swerve = "One way, then the other."', 'swerve = ""', r"rules: swerve is ''"),
        ("[rules]", '[rules]\ncrash = "Hits something."', r"no drive was judged for crash"),
        ('id = "udacity-2"', 'id = "udacity-1"', r"'udacity-1' twice"),
        ("doubtful = true", "doubtfull = true", r"moment 2: it has doubtfull"),
        ("doubtful = true", "doubtful = 1", r"doubtful is 1"),
        ('why = "from a light"', "why = 3", r"why is 3"),
        ('id = "udacity-2"', 'id = "udacity-2"\nspeed = 3', r"drive 2: it has id, judged, seconds, speed"),
        ('id = "udacity-2"\n', "", r"drive 2: it has judged, seconds"),
        ("start_s = 3", "start_s = 6.5", r"moment 1: start_s, end_s is 6.5 to 6.5 s"),
        ("start_s = 3", "start_s = -1", r"-1.0 to 6.5 s"),
        ("start_s = 3", "start_s = nan", r"two numbers"),
        ("start_s = 3", "start_s = true", r"two numbers"),
        ("end_s = 6.5", "end_s = 25", r"from 3.0 to 25.0 s.*within one span"),
        ("start_s = 40.0", "start_s = 1.0", r"from 1.0 to 41.0 s"),
        ("start_s = 40.0\nend_s = 41.0", "start_s = 1.0\nend_s = 2.0", r"moment 2: it starts at 1.0 s.*3.0 s or later"),
        ("[[0, 20], [30.5, 60]]", "[[30.5, 60], [0, 20]]", r"spans in order"),
        ("[[0, 9]]", "[0, 9]", r"seconds is 0"),
        ("[[0, 9]]", "9", r"seconds is 9"),
        ("[[drive]]\n", "[drive]\n", r"cannot be read as TOML"),
    ],
)
def test_a_slip_is_refused_with_its_place(tmp_path, right, wrong, said):
    assert right in GOOD
    with pytest.raises(LabelError, match=rf"(?s)labels\.toml.*{said}"):
        read_labels(written(tmp_path, GOOD.replace(right, wrong, 1)))


@pytest.mark.parametrize("text", ["", "[rules]", "rules = 3\ndrive = []", "[rules]\n[drive]\nid = 'x'", "\0"])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    with pytest.raises(LabelError):
        read_labels(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(tmp_path / "none.toml")


@pytest.mark.real
def test_the_labelled_drives_are_there_and_long_enough(real):
    drives = {drive.id: drive for recorder, path in find_drives(real) for drive in [recorder.open(path)]}
    for labelled in read_labels(REAL_DRIVES):
        assert labelled.seconds[-1][1] <= drives[labelled.id].seconds


def test_the_labels_of_the_real_drives_read():
    drives = read_labels(REAL_DRIVES)
    assert all(drive.judged for drive in drives)
    assert any(not moment.doubtful for drive in drives for moment in drive.moments)
