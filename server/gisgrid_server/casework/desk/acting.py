"""Somebody does something with a case: is it theirs to do, and was nobody faster?"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Annotated, Any, Final, cast

from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gisgrid.casework.ledger import Case, ConflictError, LifeCycle, Receipt
from gisgrid.casework.ledger.events import checked_text
from gisgrid.desk import Desk
from gisgrid.errors import InputError, did_you_mean
from gisgrid_server.casework.desk.one_case import case_document, seen_case
from gisgrid_server.casework.photos import Photos
from gisgrid_server.edge.problems import (
    PROBLEM_MEDIA_TYPE,
    BadRequestError,
    problem_of,
)
from gisgrid_server.edge.rights import Rights

_MOST_KEYS: Final = 40
_LONGEST_NOTE: Final = 4_000
_MOST_PHOTOS: Final = 20
_PHOTO: Final = re.compile(r"[0-9a-f]{64}")
_FREE: Final = ("photos", "note", "amount", "unit")
"""Keys of an act that stay in its event."""

_MENDED: Final = ("category_code", "category", "urgency", "due_at")
"""What an event that moves a case (更正) may change besides its place."""


class Act(BaseModel):
    """What is done with a case.

    Attributes
    ----------
    kind
        The event, by its id in the life cycle.
    why
        The reason, where the life cycle demands one or there is one.
    data
        What the event needs (its owner, its deadline, the case that it repeats), photos, a note.
    expected
        The version of the case as it was looked at: where another one was faster nothing is done.
    client_id
        The sender's id of this act: sent again, it is done once.
    at, sent_at
        When it was done, and what the sender's clock says now.
    lon, lat
        Where the case lies, for an event that moves it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, Field(min_length=1, max_length=128)]
    why: Annotated[str, Field(max_length=4000)] = ""
    data: Annotated[dict[str, JsonValue], Field(max_length=_MOST_KEYS)] = Field(
        default_factory=dict
    )
    expected: Annotated[int, Field(ge=1, le=2**53)]
    client_id: Annotated[str | None, Field(min_length=8, max_length=128)] = None
    at: dt.datetime | None = None
    sent_at: dt.datetime | None = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None


def act(desk: Desk, case_id: str, wanted: Act, rights: Rights, *, photos: Photos) -> Receipt:
    """Do something with a case, as somebody with these rights.

    Parameters
    ----------
    desk
        The cases.
    case_id
        The case.
    wanted
        What is done.
    rights
        By whom.
    photos
        Where photos are kept that were sent.

    Returns
    -------
    Receipt
        It is on the disk.

    Raises
    ------
    CaseNotFoundError
        There is no such case for them.
    KeyNotEnoughError
        The step is not theirs.
    TransitionError
        It is no next step.
    IncompleteError
        It lacks its reason, or what it needs.
    ConflictError
        Another one was faster.
    BadRequestError
        There is no such step, or the data hold what its event does not carry.
    PhotoError
        It names a photo that was not sent.
    """
    if (wanted.lon is None) != (wanted.lat is None):
        raise BadRequestError(
            "lon and lat are a place together and one of them is missing; send both"
        )
    said: dict[str, Any] = {
        "by": rights.subject, "why": wanted.why, "data": wanted.data, "at": wanted.at,
        "place": None if wanted.lon is None or wanted.lat is None else (wanted.lon, wanted.lat),
    }  # fmt: skip
    try:
        if wanted.client_id is not None:
            again = desk.done_before(case_id, wanted.kind, client_id=wanted.client_id, **said)
            if again is not None:  # what they handed on they may see no more, and yet it is done
                return again
        case = seen_case(desk, case_id, rights)
        desk.life_cycle.step(wanted.kind)
        rights.demand_step(wanted.kind, case)
        _check_data(desk, case_id, wanted, rights)
        photos.demand(cast("list[str]", wanted.data.get("photos") or []))
        return desk.act(
            case_id, wanted.kind, expected=wanted.expected, client_id=wanted.client_id, sent_at=wanted.sent_at, **said
        )  # fmt: skip
    except InputError as error:  # what was sent breaks a rule of the ledger or of the city's tables
        raise BadRequestError(str(error)) from error


def conflict_answer(
    desk: Desk, error: ConflictError, rights: Rights, wanted: Act, *, now: dt.datetime
) -> Response:
    """Tell who was slower what the faster one did, and how the case stands now.

    Parameters
    ----------
    desk
        The cases.
    error
        The conflict.
    rights
        Of the slower one.
    wanted
        What they wanted to do: it comes back, so that nothing is lost.
    now
        The present time.

    Returns
    -------
    Response
        A problem (409) with ``case`` as it stands, ``since`` (the events that the sender had not seen) and ``yours``.
    """
    members: dict[str, Any] = json.loads(problem_of(error).body())
    if error.case_id:
        case = desk.ledger.case(error.case_id)
        if rights.sees(case):
            document = case_document(desk, case, rights, now=now)
            since = [each for each in document["events"] if each["version"] > wanted.expected]
            members |= {"case": document, "since": since}
    members["yours"] = wanted.model_dump(mode="json", exclude_none=True)
    body = json.dumps(members, ensure_ascii=False).encode()
    headers = {"Cache-Control": "no-store"}
    return Response(body, status_code=409, media_type=PROBLEM_MEDIA_TYPE, headers=headers)


def _check_data(desk: Desk, case_id: str, wanted: Act, rights: Rights) -> None:
    """Refuse what would change a case behind the life cycle's back, or give it to nobody."""
    allowed = _carried(desk.life_cycle, wanted.kind)
    for name in wanted.data:
        if name not in allowed:
            raise BadRequestError(
                f"data of {wanted.kind!r} hold {name!r}{did_you_mean(name, allowed)}"
            )
    if "note" in wanted.data:
        checked_text(wanted.data["note"], f"note of {wanted.kind!r}", _LONGEST_NOTE)
    photos = wanted.data.get("photos", [])
    if not isinstance(photos, list) or len(photos) > _MOST_PHOTOS or not all(_is_photo(each) for each in photos):  # fmt: skip
        raise BadRequestError(
            f"photos of {wanted.kind!r} must be at most {_MOST_PHOTOS} ids that the upload of photos gave"
        )
    owner = wanted.data.get("owner")
    if owner is not None and owner not in desk.routing.owner_ids:
        raise BadRequestError(
            f"no owner {owner!r}{did_you_mean(str(owner), desk.routing.owner_ids)}"
        )
    original = wanted.data.get("duplicate_of")
    if original is not None:
        if original == case_id:
            raise BadRequestError(
                f"case {case_id!r} cannot repeat itself; name the case that came first in {wanted.kind!r}"
            )
        _check_original(desk, str(original), wanted, rights)


def _is_photo(value: object) -> bool:
    return isinstance(value, str) and _PHOTO.fullmatch(value) is not None


def _check_original(desk: Desk, original: str, wanted: Act, rights: Rights) -> None:
    case: Case = seen_case(desk, original, rights)
    if case.duplicate_of is not None:
        raise BadRequestError(
            f"case {original!r} itself repeats {case.duplicate_of!r}; name that one in {wanted.kind!r}"
        )


def _carried(cycle: LifeCycle, kind: str) -> tuple[str, ...]:
    step = cycle.step(kind)
    moved = _MENDED if step.moves else ()
    return tuple(dict.fromkeys((*step.needs, *moved, *_FREE)))
