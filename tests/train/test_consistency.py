"""Does it drive as far where it has never been? Said with an interval, and of no more than was driven."""

import json

import pytest

from train.consistency import Consistency
from train.miles import Miles


@pytest.mark.parametrize(
    ("seen", "unseen", "words"),
    [(20, 80, "less far"), (80, 20, "new, further"), (20, 24, "no difference can be told"), (0, 0, "no difference")],
)
def test_it_says_what_the_interval_allows(seen, unseen, words):
    found = Consistency(Miles(seen, 20.0), Miles(unseen, 20.0))
    assert words in str(found)


def test_the_ratio_is_of_new_to_seen_and_has_an_interval():
    told = Consistency(Miles(10, 20.0), Miles(20, 20.0)).to_json()
    low, high = told["interval_95"]
    assert low < told["ratio_unseen_to_seen"] == 0.5 < high
    assert Consistency(Miles(0, 5.0), Miles(2, 5.0)).to_json()["ratio_unseen_to_seen"] is None


def test_the_command_drives_both_kinds_of_places(run):
    code, out, _ = run("train", "drive", "--rates", "calm", "--miles", "0.1", "--consistency", "--json")
    assert code == 0
    told = json.loads(out)
    assert set(told["by_place"]) == {"vale"}
    assert told["consistency"]["seen"]["miles"] >= 0.1
    code, _, err = run("train", "drive", "--role", "fleet", "--consistency")
    assert code == 2
    assert "--role" in err
