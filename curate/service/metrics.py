"""What the service counts, as Prometheus reads it. No device and no clip is named: a fleet has too many."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        of = self.registry
        self.requests = Counter("swerve_requests", "Requests.", ["route", "method", "status"], registry=of)
        self.refusals = Counter("swerve_refusals", "Requests refused.", ["reason"], registry=of)
        self.seconds = Histogram("swerve_request_seconds", "Time to answer.", ["route"], registry=of)
        self.bytes_received = Counter("swerve_received_bytes", "Bytes of clips received.", registry=of)
        self.clips = Counter("swerve_clips_committed", "Clips committed.", registry=of)
        self.clip_bytes = Counter("swerve_clips_committed_bytes", "Bytes of committed clips.", registry=of)
        self.waiting = Gauge("swerve_uploads_waiting", "Uploads of clips not yet committed.", registry=of)

    def text(self) -> bytes:
        return generate_latest(self.registry)
