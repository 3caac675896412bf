"""Clips of one drive under two names are joined by the seconds they share, however few; others are not."""

from dataclasses import replace

import numpy as np
import pytest
from makers.portraits import S, encoded_again, portrait

from curate.duplicates import duplicates, groups
from curate.likeness import Pair, likenesses
from curate.overlap import overlaps


def later(of, name, by, drive="renamed", **other):
    """A clip of the same drive under another name that begins `by` seconds later, of which the rest is new."""
    own = portrait(name, 77).traits
    fields = ("hashes", "shown", "driven")
    after = {f: np.concatenate([getattr(of.traits, f)[by:], getattr(own, f)[:by]]) for f in fields}
    traits = replace(own, **after)
    start_ns = of.start_ns + by * S
    return portrait(name, 78, drive_id=drive, start_ns=start_ns, end_ns=start_ns + 10 * S, traits=traits, **other)


@pytest.mark.parametrize("by", [1, 7, 8])
def test_a_few_seconds_in_common_keep_clips_on_one_side_and_make_them_no_duplicates_when_they_are_few(by):
    first, other = portrait("a", 1), portrait("other", 9)
    copy = later(first, "b", by)
    assert overlaps([copy, other, first]) == [Pair("a", "b", "overlap", 1.0)]
    pairs = likenesses([first, other, copy], [])
    assert list(duplicates([first, other, copy], pairs)) == (["b"] if by == 1 else [])
    assert groups(overlaps([first, other, copy])) == {"a": "a", "b": "a"}


def test_a_copy_that_was_encoded_again_is_found():
    first = portrait("a", 1)
    again = encoded_again(later(first, "b", 6), "b", seed=3, start_ns=6 * S, end_ns=16 * S)
    assert [pair.of for pair in overlaps([first, again])] == ["b"]


def test_one_second_is_too_little_and_another_clock_is_another_drive():
    first = portrait("a", 1)
    assert overlaps([first, later(first, "b", 9)]) == []
    moved = later(first, "b", 5)
    assert overlaps([first, replace(moved, start_ns=moved.start_ns + 1, end_ns=moved.end_ns + 1)]) == []
    assert overlaps([]) == overlaps([first]) == []


def test_drives_that_all_begin_at_one_time_and_clips_of_one_drive_are_not_joined():
    assert overlaps([portrait(f"c{n}", n) for n in range(20)]) == []
    first = portrait("a", 1)
    assert overlaps([first, later(first, "b", 5, drive=first.drive_id)]) == []


def test_of_the_shared_seconds_one_in_five_may_differ():
    first = portrait("a", 1)
    for differing, found in ((1, ["b"]), (2, [])):
        copy = later(first, "b", 5)
        driven = copy.traits.driven.copy()
        driven[:differing] += 40.0
        pairs = overlaps([first, replace(copy, traits=replace(copy.traits, driven=driven))])
        assert [pair.of for pair in pairs] == found
