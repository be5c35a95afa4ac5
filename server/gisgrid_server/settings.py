"""How is the server set up? By arguments, or by environment variables that begin with ``GISGRID_``."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_Words = Annotated[tuple[str, ...], NoDecode]
"""Words between commas in the environment, a tuple in Python."""

_HOST: Final = re.compile(r"^(\*\.)?[A-Za-z0-9_.-]+$|^\[?[0-9A-Fa-f:.]+\]?$")
_MIB: Final = 1024 * 1024


class Settings(BaseSettings):
    """What an operator may choose.

    Attributes
    ----------
    layers, data
        The catalogue's folder and the data folder; ``./layers`` and ``./data`` where not named.
    archive
        A PMTiles file to serve instead of a catalogue.
    prepared
        Where layers lie ready to be served; ``.tiles`` in the data folder where not named.
    host, port
        Where to listen.
    workers
        How many processes answer, on one port.
    public_url
        The address users see, for example ``https://map.example.org/city``, where a proxy stands in front;
        otherwise addresses are made from the request.
    root_path
        The beginning of the path that a proxy takes off before it asks, for example ``/city``.
    trusted_proxies
        Whose ``Forwarded`` and ``X-Forwarded-*`` are believed: addresses or networks; nobody's where it is empty.
    allowed_hosts
        The names this server answers to (``*.example.org`` for all below one); any where it is empty.
    cors_origins
        Which pages of other sites may read the answers: ``*`` for all, or origins; none where it is empty.
    keys_file
        Who may see layers whose access is ``key``, and who may act on cases: a TOML file of hashed keys.
    oidc_issuer, oidc_audience
        Whose tokens (JWT) are taken besides keys, and what they must be meant for; both or none.
    oidc_claim
        The claim of a token that holds its holder's role, grids, classes, owners and layers.
    cases
        The address of the ledger of cases (``sqlite:///cases.db``, ``postgresql+psycopg://user@host/name``); ``off`` for a
        server without cases. Where not named, ``casework/cases.db`` in the data folder, if the catalogue has the layer
        ``cases``.
    cases_rules
        The folder of the city's rules for cases; those that are built in where not named.
    media
        Where photos are kept; ``media`` in the data folder where not named.
    public_reports
        Whether everybody may report; otherwise holders of a key with that power.
    hooks_file
        Whom to tell what happens to cases: a TOML file of addresses.
    max_photo_bytes
        The largest photo that is taken.
    reports_per_minute, key_reports_per_minute
        How many reports and photos are taken in a minute from one address, and from one key.
    open311_contact
        How to reach who runs this server, as Open311 tells it; the city's title where it is empty.
    open311_public
        What everybody may read of cases by Open311: ``fields`` (class, place, times, state, owner), ``texts`` (what reporters
        wrote, too) or ``nothing``. Whoever may see a case reads all of it.
    cache_max_age
        Seconds a browser may keep a tile without asking again. Tiles asked for by version are kept for a year.
    cache_bytes
        Memory of each worker for tiles that are ready to be sent.
    max_layers
        How many layers one tile may hold.
    timeout_s
        Seconds after which a tile or an answer that is still being made is given up.
    keep_alive_s
        Seconds a connection stays open without a request.
    max_waiting
        How many tiles may wait to be drawn before further ones are refused (503).
    look_s
        How often files are looked at for new data, in seconds.
    warm
        Whether every layer is read when the server starts rather than when it is first asked for.
    metrics
        Whether ``/metrics`` is there.
    log_format
        ``json`` for one object a line, ``text`` for people.
    log_requests
        Whether each request is logged; faults always are.
    telemetry
        Whether spans are sent by OpenTelemetry, as its own ``OTEL_*`` variables say.
    """

    model_config = SettingsConfigDict(env_prefix="GISGRID_", frozen=True, extra="forbid")

    layers: Path | None = None
    data: Path | None = None
    archive: Path | None = None
    prepared: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=128)
    public_url: str | None = None
    root_path: str = ""
    trusted_proxies: _Words = ()
    allowed_hosts: _Words = ()
    cors_origins: _Words = ("*",)
    keys_file: Path | None = None
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_claim: str = "gisgrid"
    cases: str | None = None
    cases_rules: Path | None = None
    media: Path | None = None
    public_reports: bool = True
    hooks_file: Path | None = None
    max_photo_bytes: int = Field(default=10 * _MIB, ge=64 * 1024, le=64 * _MIB)
    reports_per_minute: int = Field(default=30, ge=1, le=1_000_000)
    key_reports_per_minute: int = Field(default=600, ge=1, le=1_000_000)
    open311_contact: str = Field(default="", max_length=500)
    open311_public: Literal["nothing", "fields", "texts"] = "fields"
    cache_max_age: int = Field(default=60, ge=0)
    cache_bytes: int = Field(default=128 * _MIB, ge=0)
    max_layers: int = Field(default=16, ge=1, le=64)
    timeout_s: float = Field(default=20.0, gt=0, le=600)
    keep_alive_s: int = Field(default=75, ge=1, le=3600)
    max_waiting: int = Field(default=256, ge=1)
    look_s: float = Field(default=1.0, ge=0.05, le=3600)
    warm: bool = True
    metrics: bool = True
    log_format: Literal["json", "text"] = "text"
    log_requests: bool = False
    telemetry: bool = False

    @field_validator("trusted_proxies", "allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was said
        if isinstance(value, str):
            return tuple(word for part in value.split(",") if (word := part.strip()))
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError(
                f"public_url {value!r} is no address; begin it with http:// or https://"
            )
        return value.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        if not re.match(r"https://[^/]|http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", value):
            raise ValueError(
                f"oidc_issuer {value!r} is no address that can be trusted; begin it with https://"
            )
        return value

    @model_validator(mode="after")
    def _issuer_and_audience(self) -> Self:
        if (self.oidc_issuer is None) != (not self.oidc_audience):
            raise ValueError(
                "oidc_issuer and oidc_audience go together: a token must be of one and for the other; set both"
            )
        return self

    @field_validator("root_path")
    @classmethod
    def _path(cls, value: str) -> str:
        path = value.strip().rstrip("/")
        if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
            raise ValueError(f"root_path {value!r} is no path; write it like /city")
        return path

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            try:
                ipaddress.ip_network(word, strict=False)
            except ValueError:
                raise ValueError(
                    f"trusted_proxies names {word!r}, which is no address or network; write 10.0.0.7 or 10.0.0.0/8"
                ) from None
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            if not _HOST.fullmatch(word):
                raise ValueError(
                    f"allowed_hosts names {word!r}, which is no host; write map.example.org or *.example.org, "
                    "without http:// and without a port"
                )
        return tuple(word.lower() for word in value)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            if word != "*" and not re.fullmatch(r"https?://[^/\s,]+", word):
                raise ValueError(
                    f"cors_origins names {word!r}, which is no origin; write https://map.example.org or *"
                )
        return value
