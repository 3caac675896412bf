"""Strict reading of a small TOML file: each value is asked for by its key; every refusal names and quotes the line.

It knows the traps of TOML - keys given twice, tables nested until Python's stack is full, numbers of a million digits -
and nothing of campaigns but the name of their error. What a value must be is a `trigger.campaign_rules.Rule`.
"""

from __future__ import annotations

import bisect
import difflib
import re
import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from trigger.campaign_rules import TABLE, Rule
from trigger.problem import Problem

MAX_BYTES = 65_536
QUOTED = 60
"""Characters of a line that are quoted."""
T = TypeVar("T")
D = TypeVar("D")


class CampaignError(Problem):
    """A campaign file that cannot be followed; `got` names the line."""


class Table:
    """A table of the file, `begin` characters into its text. `finish` refuses what was not asked for."""

    def __init__(self, text: str, values: Mapping[str, Any], name: str = "the campaign", begin: int = 0) -> None:
        self._text, self._values, self._name, self._begin = text, values, name, begin
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def get(self, key: str, rule: Rule[T], default: D) -> T | D:
        """The value of a key, `default` where it is not there. Raises CampaignError where it breaks the rule."""
        self._known.append(key)
        if key not in self._values:
            return default
        value = rule.accept(self._values[key])
        if value is None:
            raise self.refusal(key, rule.wanted)
        return value

    def need(self, key: str, rule: Rule[T]) -> T:
        """The value of a key that must be there. Raises CampaignError."""
        value = self.get(key, rule, None)
        if value is None:
            raise CampaignError(
                f"{self._name}, which begins at line {self._line(self._begin)}, without {key}", rule.wanted, "add it"
            )
        return value

    def table(self, key: str) -> Table | None:
        """A table in this one, None where it is not there. Raises CampaignError where it is no table."""
        values = self.get(key, TABLE, None)
        return None if values is None else Table(self._text, values, key, self._find(key))

    def finish(self) -> None:
        """Raises CampaignError where there is a key that was not asked for."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                todo = f"did you mean {near[0]}?" if near else "leave it out"
                raise self.refusal(key, f"no other keys in {self._name} than {', '.join(self._known)}", todo)

    def refusal(self, key: str, wanted: str, todo: str = "mend that line") -> CampaignError:
        """An error that names and quotes the line of a key."""
        begin = self._find(key)
        line = self._text[begin:].split("\n", 1)[0].strip()
        shown = line[:QUOTED].encode("unicode_escape").decode() + ("..." if len(line) > QUOTED else "")
        return CampaignError(f"`{shown}` at line {self._line(begin)}", wanted, todo)

    def line(self, key: str) -> int:
        """The line of a key, from 1."""
        return self._line(self._find(key))

    def _find(self, key: str) -> int:
        """Where the line of a key begins; of one that is spelled with escapes, where its table does."""
        name = rf"[\"']?{re.escape(key)}[\"']?[ \t]*"
        heads = rf"^[ \t]*(?:{name}[=.]|\[[ \t]*{name}[\].])"
        inside = rf"^.*[{{,.][ \t]*{name}="
        pattern = re.compile(f"{heads}|{inside}" if self._begin else heads, re.MULTILINE)
        found = pattern.search(self._text, self._begin)
        return found.start() if found else self._begin

    def _line(self, begin: int) -> int:
        return self._text.count("\n", 0, begin) + 1


def parsed(text: str) -> Table:
    """The file's top table. Raises CampaignError."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        line = raw[:MAX_BYTES].count(b"\n") + 1
        raise CampaignError(
            f"a campaign of {len(raw)} bytes, too many from line {line} on",
            f"no more than {MAX_BYTES}",
            "leave out what is not the campaign itself",
        )
    try:
        return Table(text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        last = text.count("\n") + 1
        message = str(error).replace("at end of document", f"at line {last}, the last")
        raise CampaignError(f"a campaign that is no TOML: {message}", "TOML 1.0", "mend that line") from None
    except (ValueError, RecursionError) as error:
        what = "values nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"
        line = _line_of(type(error), text)
        raise CampaignError(f"{what} at line {line}", "short values, one a line", "see docs/campaigns.md") from None


def _line_of(kind: type[Exception], text: str) -> int:
    """The first line with which the parser gives up in this way; what follows it never sees."""
    lines = text.split("\n")

    def gives_up(count: int) -> bool:
        try:
            tomllib.loads("\n".join(lines[:count]))
        except (ValueError, RecursionError) as error:
            return type(error) is kind
        return False

    return bisect.bisect_left(range(1, len(lines) + 1), True, key=gives_up) + 1
