"""How is the server set up? By arguments, or by environment variables that begin with ``GISGRID_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may choose.

    Attributes
    ----------
    layers, data
        The catalogue's folder and the data folder; ``./layers`` and ``./data`` where not named.
    host, port
        Where to listen.
    public_url
        The address users see, for example ``https://map.example.org/city``, where a proxy stands in front;
        otherwise addresses are made from the request.
    cache_max_age
        Seconds a browser may keep a tile without asking again. Tiles asked for by version are kept for a year.
    cache_bytes
        Memory for tiles that are ready to be sent.
    warm
        Whether every layer is read when the server starts rather than when it is first asked for.
    """

    model_config = SettingsConfigDict(env_prefix="GISGRID_", frozen=True, extra="forbid")

    layers: Path | None = None
    data: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    cache_max_age: int = Field(default=60, ge=0)
    cache_bytes: int = Field(default=128 * 1024 * 1024, ge=0)
    warm: bool = True

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
