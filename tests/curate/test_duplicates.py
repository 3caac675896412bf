"""Duplicates: found whoever came first, never at the cost of an event, and taken back when the kept clip goes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.portraits import S, encoded_again, portrait

from curate.contained import MISSED, WITHIN_BITS, Moments, contained
from curate.deduplicate import NOTHING, deduplicate, updated
from curate.driving import same_moments
from curate.duplicates import Duplicate, duplicate_factors, duplicates
from curate.likeness import likenesses
from curate.phash import distance

ENCODER = "plain-1"


def found(*portraits):
    return duplicates(portraits, likenesses(portraits, []))


def test_the_same_bytes_a_copy_encoded_again_and_a_trimmed_one_are_duplicates_of_the_longest():
    first = portrait("a", 1)
    same = replace(encoded_again(first, "b", 2, bits=64), video=first.video)
    again, trimmed = encoded_again(first, "c", 3), encoded_again(first, "d", 4, first=1)
    assert found(trimmed, same, portrait("other", 9), again, first) == {
        "b": Duplicate("a", "bytes", 1.0),
        "c": Duplicate("a", "picture", pytest.approx(0.95, abs=0.05)),
        "d": Duplicate("a", "picture", pytest.approx(0.95, abs=0.05)),
    }


def test_a_copy_of_less_than_four_fifths_is_another_clip():
    first = portrait("a", 1)
    longer = encoded_again(first, "b", 2)
    hashes = longer.traits.hashes.copy()
    hashes[:3] ^= np.uint64(2**64 - 1)
    assert found(first, replace(longer, traits=replace(longer.traits, hashes=hashes))) == {}


def test_the_same_view_driven_otherwise_is_another_clip():
    first = portrait("a", 1)
    again = encoded_again(first, "b", 2)
    assert found(first, replace(again, traits=replace(again.traits, driven=again.traits.driven + 3.0))) == {}


def test_pictures_that_show_nothing_are_like_nothing():
    first = portrait("a", 1)
    first = replace(first, traits=replace(first.traits, shown=np.zeros(10, bool)))
    again = encoded_again(first, "b")
    assert found(first, again) == {}


def test_meaning_needs_vectors_and_driving_alike():
    first = portrait("a", 1)
    alike = portrait("b", 2, vector=first.vector)
    summary = first.traits.summary + np.float32(0.01)
    both = replace(alike, traits=replace(alike.traits, summary=summary))
    assert found(first, both) == {"b": Duplicate("a", "meaning", pytest.approx(1.0, abs=0.01))}
    assert found(first, alike) == {}
    harder = summary.copy()
    harder[0, 2] -= 5.0
    assert found(first, replace(alike, traits=replace(alike.traits, summary=harder))) == {}
    assert found(first, replace(both, vector=portrait("c", 3).vector)) == {}
    unknown = np.full_like(summary, np.nan)
    assert found(*(replace(p, traits=replace(p.traits, summary=unknown)) for p in (first, both))) == {}


def test_overlapping_windows_of_one_drive_are_the_same_seconds_and_no_duplicates():
    first = portrait("a", 1)
    assert found(first, encoded_again(first, "b", first=1, drive_id=first.drive_id)) == {}
    later = encoded_again(first, "c", drive_id=first.drive_id, start_ns=20 * S, end_ns=30 * S)
    assert list(found(first, later)) == ["c"]


def test_a_clip_with_an_event_its_twin_lacks_is_kept():
    first = portrait("a", 1)
    braking = encoded_again(first, "b", 2, events={"harsh_braking": 1.2})
    harder = encoded_again(first, "c", 3, events={"harsh_braking": 1.5})
    steering = encoded_again(first, "d", 4, events={"abrupt_steering": 2.0})
    told = found(first, braking, harder, steering)
    assert sorted(told) == ["a", "b"]
    assert told["b"].of == "c"


def test_a_group_weighs_one_clip_and_gives_it_back_when_the_kept_one_goes():
    first = portrait("a", 1)
    copies = [encoded_again(first, name, seed) for seed, name in enumerate("bcd", 2)]
    assert duplicate_factors(found(first, *copies)) == dict.fromkeys("abcd", 0.25)
    assert duplicate_factors(found(*copies)) == pytest.approx(dict.fromkeys("bcd", 1 / 3))
    assert duplicate_factors(found(copies[1])) == {}


def test_small_steps_do_not_chain_what_is_not_alike():
    steps = [portrait("a", 1)]
    for name in "bcd":
        mask = np.uint64(0x3FF) << np.uint64(10 * len(steps))
        traits = replace(steps[-1].traits, hashes=steps[-1].traits.hashes ^ mask)
        steps.append(portrait(name, 10 + len(steps), traits=traits))
    assert {clip: told.of for clip, told in found(*steps).items()} == {"b": "a", "d": "c"}


def planted(rng, clips):
    """Clips of a few views, some copied, trimmed, alike in meaning, with events, of one drive."""
    made = []
    for number in range(clips):
        seed = int(rng.integers(0, 4))
        name, events = f"{int(rng.integers(0, 10**6)):06}-{number}", {}
        if rng.random() < 0.4:
            events = {str(rng.choice(["x", "y"])): float(rng.integers(1, 4)) / 3}
        kind = rng.integers(0, 4)
        base = portrait(name, seed, events=events)
        if kind == 1:
            base = encoded_again(base, name, number, bits=int(rng.integers(0, 10)), first=int(rng.integers(0, 4)))
        elif kind == 2:
            base = replace(portrait(name, 100 + number, events=events), vector=base.vector)
        elif kind == 3:
            base = replace(base, drive_id="one", video="one video" if rng.random() < 0.5 else base.video)
        made.append(base)
    return made


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 14))
def test_any_split_into_nights_gives_the_same_and_no_event_is_lost(seed, clips):
    rng = np.random.default_rng(seed)
    every = planted(rng, clips)
    wanted = found(*every)
    known, there = NOTHING, []
    for night in np.array_split(rng.permutation(clips), int(rng.integers(1, 5))):
        there += [every[number] for number in night]
        known = updated(known, there)
    assert duplicates(there, known.pairs) == wanted
    assert known == updated(NOTHING, every[::-1])
    contents = {clip.clip_id: clip for clip in every}
    for clip_id, told in wanted.items():
        assert told.of not in wanted
        assert contents[told.of].covers(contents[clip_id])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_contained_is_what_brute_force_finds(seed):
    rng = np.random.default_rng(seed)
    every = planted(rng, 10)
    traits = [clip.traits for clip in every]
    asking = rng.random(10) < 0.6
    got = contained(Moments.of(traits), asking, ~asking)
    wanted = {}
    for clip, of in ((c, o) for c in np.flatnonzero(asking) for o in np.flatnonzero(~asking)):
        for shift in range(-10, 11):
            if bits := brute_force(traits[clip], traits[of], shift):
                wanted[clip, of] = max(wanted.get((clip, of), 0.0), 1 - sum(bits) / (64 * len(bits)))
    assert dict(zip(zip(got.row, got.column, strict=True), got.likeness, strict=True)) == pytest.approx(wanted)


def brute_force(clip, of, shift):
    """Bits that differ in each second that is found at a shift; nothing where too few are."""
    bits = []
    for second in range(len(clip.hashes)):
        if 0 <= second + shift < len(of.hashes):
            apart = int(distance(clip.hashes[second], of.hashes[second + shift]))
            if apart <= WITHIN_BITS and same_moments(clip.driven[second], of.driven[second + shift]):
                bits.append(apart)
    return bits if len(bits) * MISSED >= len(clip.hashes) * (MISSED - 1) else []


def test_the_cache_says_what_is_found_without_it(tmp_path):
    first = portrait("a", 1)
    every = [first, encoded_again(first, "b", 2), portrait("other", 9)]
    wanted = deduplicate(tmp_path, every[:2], ENCODER)
    (cache,) = (tmp_path / "cache").iterdir()
    written = cache.stat().st_ino
    assert deduplicate(tmp_path, every[:2], ENCODER) == wanted
    assert cache.stat().st_ino == written
    assert deduplicate(tmp_path, every, ENCODER) == wanted
    assert deduplicate(tmp_path, every[1:], ENCODER).duplicates == {}
    for damage in (b"", b"PK\x03\x04", cache.read_bytes()[:-100]):
        cache.write_bytes(damage)
        assert deduplicate(tmp_path, every, ENCODER) == wanted
