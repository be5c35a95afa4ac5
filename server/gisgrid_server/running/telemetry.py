"""Spans for OpenTelemetry, where the operator asks for them; how they are sent, its own ``OTEL_*`` variables say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from starlette.types import Scope

from gisgrid.errors import InputError


class Spans(Protocol):
    """Something that notes how long a request took, in whatever it belongs to."""

    def request(self, scope: Scope, path: str) -> Any:  # noqa: ANN401 - a context manager that takes the status
        """Note a request while it is answered."""


class OpenTelemetrySpans:
    """Notes requests with the tracer of the process.

    Parameters
    ----------
    provider
        Who keeps the spans; the process's own where it is not given, set up to send by OTLP over HTTP.

    Raises
    ------
    InputError
        OpenTelemetry is not installed.
    """

    def __init__(self, provider: Any = None) -> None:  # noqa: ANN401 - an optional library's class
        try:
            from opentelemetry import propagate, trace  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise InputError(
                "GISGRID_TELEMETRY is on but OpenTelemetry is not installed; "
                "install it with pip install 'gisgrid-server[telemetry]'"
            ) from error
        self._trace, self._extract = trace, propagate.extract
        self._tracer = (provider or _provider()).get_tracer("gisgrid.server")

    @contextmanager
    def request(self, scope: Scope, path: str) -> Iterator[dict[str, Any]]:
        """Note a request while it is answered.

        Parameters
        ----------
        scope
            The request; its ``traceparent`` says what it is part of.
        path
            Its path, without what may hold a key.

        Yields
        ------
        dict
            Takes the ``status`` once it is known.
        """
        headers: Mapping[str, str] = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}  # fmt: skip
        kind = self._trace.SpanKind.SERVER
        context = self._extract(headers)
        with self._tracer.start_as_current_span(f"{scope['method']} {path.split('/')[1] or '/'}", context=context, kind=kind) as span:  # fmt: skip
            answer: dict[str, Any] = {}
            yield answer
            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("url.path", path)
            if "status" in answer:
                span.set_attribute("http.response.status_code", answer["status"])


def _provider() -> Any:  # noqa: ANN401 - an optional library's class
    from opentelemetry import trace  # noqa: PLC0415 - an extra
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra

    provider = TracerProvider(resource=Resource.create({"service.name": "gisgrid"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
