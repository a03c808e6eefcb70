"""What a service tells about itself: traces, metrics, logs.

Spans are OpenTelemetry's, made once per RPC served (its gRPC instrumentation
costs 80 µs a call, this a tenth). Metrics are Prometheus's, in a registry of the
service's own. Logs are JSON lines in ECS names. None of them holds what people
write, their addresses, or tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import logging
import os
from pathlib import Path
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, FilteringBoundLogger

from chassis.calls import Call
from chassis.config import Config
from chassis.contract import Rpc

if TYPE_CHECKING:
    from chassis.server import Handler

_TRACE_CONTEXT: Final = TraceContextTextMapPropagator()
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REDACTED: Final = frozenset(
    {"authorization", "password", "token", "access_token", "refresh_token", "email", "content"}
)


def trace_headers() -> dict[str, str]:
    """W3C trace context (`traceparent`) of the span in progress."""
    headers: dict[str, str] = {}
    _TRACE_CONTEXT.inject(headers)
    return headers


class Telemetry:
    """The tracer, the metrics and the log of one service."""

    def __init__(self, config: Config) -> None:
        self._output = None if config.log_file is None else _appending(config.log_file)
        self.log: FilteringBoundLogger = _logger(config, self._output)
        self.registry = CollectorRegistry()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": config.service}), shutdown_on_exit=False
        )
        if config.otlp_endpoint is not None:
            # Imported late: it costs 0.2 s and most instances send no traces.
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=config.otlp_endpoint, insecure=True)
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("creavio")
        self._handled = Counter(
            "grpc_server_handled",
            "RPCs completed, by method and outcome (the error's reason, or OK).",
            ("method", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "Seconds from request to answer.",
            ("method",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        if config.metrics_port is not None:
            start_http_server(config.metrics_port, "127.0.0.1", self.registry)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count the tasks of a loop whenever somebody asks."""
        tasks = Gauge("asyncio_tasks", "Tasks that are not done.", registry=self.registry)
        tasks.set_function(lambda: len(asyncio.all_tasks(loop)))

    def around(self, rpc: Rpc, proceed: Handler) -> Handler:
        """Trace, count and time each call of an RPC; say so when it failed on our side."""
        name, seconds_of = rpc.path.removeprefix("/"), self._seconds.labels(rpc.path)

        async def serve(call: Call) -> None:
            started = time.perf_counter()
            with self.tracer.start_as_current_span(
                name,
                context=_TRACE_CONTEXT.extract(call.metadata),
                kind=trace.SpanKind.SERVER,
                record_exception=False,
            ) as span:
                try:
                    await proceed(call)
                finally:
                    seconds = time.perf_counter() - started
                    outcome = call.attributes.get("creavio.reason", "OK")
                    self._handled.labels(rpc.path, outcome).inc()
                    seconds_of.observe(seconds)
                    span.set_attributes({"rpc.system": "grpc", "creavio.outcome": outcome})
                    self.log.debug("call", rpc=rpc.path, outcome=outcome, seconds=seconds)

        return serve

    def audit(self, call: Call, place: str) -> None:
        """Record that a privileged call was allowed: who, what, where (ECS names)."""
        assert call.principal is not None
        self.log.info(
            "privileged call allowed",
            **{
                "event.kind": "audit",
                "event.action": call.rpc.path,
                "user.id": call.principal.user_id,
                "creavio.place": place,
            },
        )

    def close(self) -> None:
        """Send what is still to be sent, and give the log up."""
        self._provider.shutdown()
        if self._output is not None:
            self._output.close()


class _Lines(structlog.PrintLogger):
    """Prints lines. One that cannot be written, as on a full disk, is lost alone."""

    def msg(self, message: str) -> None:
        """Print a line."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warning = error = critical = exception = msg


def _appending(path: Path) -> TextIO:
    # Whoever cuts a log that grew long finds the next line at its start.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a")


def _logger(config: Config, output: TextIO | None) -> FilteringBoundLogger:
    level = logging.getLevelNamesMapping()[config.log_level.upper()]

    def named(_: Any, name: str, event: EventDict) -> EventDict:
        event["log.level"] = name
        event["service.name"] = config.service
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            event["trace.id"] = trace.format_trace_id(span.trace_id)
        return event

    logger: FilteringBoundLogger = structlog.wrap_logger(
        _Lines(output),
        processors=[
            named,
            _redact,
            structlog.processors.TimeStamper(fmt="iso", key="@timestamp"),
            structlog.processors.EventRenamer("message"),
            # Without the values at hand: they are what people write, and passwords.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return logger


def _redact(_: Any, __: str, event: EventDict) -> EventDict:
    secret: Mapping[str, str] = {key: "[redacted]" for key in event if key in _REDACTED}
    event.update(secret)
    return event
