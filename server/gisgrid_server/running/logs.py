"""What does the server write down? One line per thing, for people or for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

LOGGER: Final = "gisgrid.server"
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object: time (UTC), level, logger, message, and what was given with ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record.

        Parameters
        ----------
        record
            What is to be logged.

        Returns
        -------
        str
            One line of JSON.

        Examples
        --------
        >>> record = logging.makeLogRecord({"msg": "ready", "created": 0.0, "levelname": "INFO", "name": "a"})
        >>> JsonLines().format(record)
        '{"time": "1970-01-01T00:00:00.000Z", "level": "info", "logger": "a", "message": "ready"}'
        """
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _OWN})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logs(style: Literal["json", "text"]) -> None:
    """Send what the server logs to standard error.

    Parameters
    ----------
    style
        ``json`` for one object a line, ``text`` for people.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if style == "json" else text)
    for name, level in ((LOGGER, logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def cleaned(text: str) -> str:
    r"""Make a word from a client fit for a line of a log.

    Parameters
    ----------
    text
        For example a path.

    Returns
    -------
    str
        At most 300 characters, none of which ends the line or moves the cursor.

    Examples
    --------
    >>> cleaned("/a" + chr(27) + "b")
    '/a\\x1bb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:300])
