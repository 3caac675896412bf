"""A saved policy answers as before, or is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from test_policy import config_of, frames_for

from train import checkpoint
from train.checkpoint import load_policy, newest_policy, policy_folder, save_policy
from train.errors import PolicyError
from train.policies.policy import Policy


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_policy(tmp_path / "p", Policy(config_of()), {"dataset": "d"}, {"note.txt": b"hello"})
    return tmp_path / "p"


def test_a_policy_read_back_gives_equal_answers(tmp_path: Path) -> None:
    policy = Policy(config_of()).eval()
    save_policy(tmp_path / "p", policy, {"dataset": "abc", "settings": {"seed": 1}})
    again = load_policy(tmp_path / "p")
    frames = frames_for(policy.config)
    assert all(torch.equal(a, b) for a, b in zip(again.policy(frames), policy(frames), strict=True))
    assert again.config == policy.config
    assert again.about["dataset"] == "abc"
    assert not again.policy.training


def test_the_folder_holds_no_pickle(saved: Path) -> None:
    assert {p.name for p in saved.iterdir()} == {"weights.safetensors", "policy.json", "note.txt"}
    assert not (saved / "weights.safetensors").read_bytes().startswith((b"PK", b"\x80"))


def test_an_existing_policy_is_never_overwritten(saved: Path) -> None:
    with pytest.raises(PolicyError, match="exists"):
        save_policy(saved, Policy(config_of()), {})


@pytest.mark.parametrize("where", [0, 100, -1])
def test_weights_with_one_changed_byte_are_refused(saved: Path, where: int) -> None:
    path = saved / checkpoint.WEIGHTS
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="not what was saved"):
        load_policy(saved)


def damage_head(folder: Path, change: dict[str, object]) -> None:
    path = folder / checkpoint.HEAD
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other/1"},
        {"config": {}},
        {"config": 3},
        {"config": {"preset": "tiny"}},
        {"sha256": None},
    ],
)
def test_foreign_and_damaged_heads_are_refused_in_three_parts(saved: Path, change: dict[str, object]) -> None:
    damage_head(saved, change)
    with pytest.raises(PolicyError) as caught:
        load_policy(saved)
    assert all((caught.value.got, caught.value.wanted, caught.value.todo))


@pytest.mark.parametrize("change", [{"hidden": 48}, {"mean": [0.0, 0.0]}, {"blink": float("inf")}])
def test_a_changed_config_is_refused_even_where_the_weights_would_fit(saved: Path, change: dict[str, object]) -> None:
    head = json.loads((saved / checkpoint.HEAD).read_text())
    damage_head(saved, {"config": head["config"] | change})
    with pytest.raises(PolicyError, match="not what was saved"):
        load_policy(saved)


def test_weights_that_do_not_fit_a_config_with_a_right_digest_are_refused(saved: Path) -> None:
    head = json.loads((saved / checkpoint.HEAD).read_text())
    config = head["config"] | {"hidden": 48}
    damage_head(saved, {"config": config, "config_sha256": checkpoint._digest(checkpoint._text(config))})
    with pytest.raises(PolicyError, match="damaged"):
        load_policy(saved)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_head_that_is_no_json_object_is_refused(saved: Path, content: bytes) -> None:
    (saved / checkpoint.HEAD).write_bytes(content)
    with pytest.raises(PolicyError):
        load_policy(saved)


@pytest.mark.parametrize("name", [checkpoint.WEIGHTS, checkpoint.HEAD])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(PolicyError, match=name):
        load_policy(saved)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "/etc"])
def test_a_name_cannot_leave_the_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError):
        policy_folder(tmp_path, name)


def test_the_newest_policy_is_the_one_saved_last(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policy"):
        newest_policy(tmp_path)
    for name in ("b", "a"):
        save_policy(policy_folder(tmp_path, name), Policy(config_of()), {})
    assert newest_policy(tmp_path).name == "a"
