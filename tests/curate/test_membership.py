"""A version's head is asked whether it names a clip, and says what it says when it is read whole."""

from hashlib import sha256

import pytest

from curate.version.membership import is_made_of
from edge.manifest import canonical_json


def digest(number):
    return sha256(str(number).encode()).hexdigest()


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
def test_every_input_is_found_and_nothing_else(tmp_path, count):
    inputs = {digest(n): digest(-n) for n in range(0, 2 * count, 2)}
    rates = {"inputs": {"of": "a campaign that is called so"}}
    told = {"code": "", "counts": {"rates": rates}, "inputs": inputs, "parent": None, "recipe": {"weights": "parent"}}
    (tmp_path / "head").write_bytes(canonical_json(told) + b"\n")
    asked = [digest(n) for n in range(2 * count)] + ["0" * 64, "f" * 64, next(iter(inputs.values()))]
    assert [clip for clip in asked if is_made_of(tmp_path / "head", clip)] == [c for c in asked if c in inputs]


@pytest.mark.parametrize("head", [b"", b"{}", b"\0" * 5000, b'{"format":"swerve-dataset/2","recipe":{}}'])
def test_a_head_without_inputs_names_nobody(tmp_path, head):
    (tmp_path / "head").write_bytes(head)
    assert not is_made_of(tmp_path / "head", digest(1))
