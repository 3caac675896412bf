"""Who may upload over what."""

import pytest

from edge.night.link import says_unmetered, unmetered


@pytest.mark.parametrize(
    "where", ["store", "/mnt/store", "file:///mnt/store", "http://127.0.0.1:8080", "http://[::1]:1"]
)
def test_what_is_on_this_machine_costs_nothing(where):
    assert unmetered(where)


@pytest.mark.parametrize(
    ("answer", "free"),
    [("u 2\n", True), ("u 4\n", True), ("u 1\n", False), ("u 3\n", False), ("u 0\n", False), ("", False)],
)
def test_only_a_no_is_a_no(answer, free):
    assert says_unmetered(answer) is free


def test_where_nobody_knows_a_service_is_taken_to_be_behind_a_metered_link(monkeypatch):
    monkeypatch.setattr("edge.night.link.shutil.which", lambda name: None)
    assert not unmetered("https://example.org")
