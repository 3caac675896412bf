"""Structured logs: one JSON object a line on standard error. No header is ever logged, so no token can be."""

from __future__ import annotations

import json
import logging
import sys
import time

LOG = logging.getLogger("swerve.service")


class JsonLines(logging.Formatter):
    """`message` is the event; what the call passed as `extra={"told": {...}}` are its facts."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "told", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
