"""What follows from a step by the city's rules: whose the case is then, and by when?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from gisgrid.casework.deadlines import deadlines
from gisgrid.casework.ledger import Case, Event, Ledger, LifeCycle
from gisgrid.casework.ledger.life_cycle import Step
from gisgrid.casework.routing import Routing
from gisgrid.desk.due import Timetable
from gisgrid.desk.places import Ground
from gisgrid.desk.services import Services
from gisgrid.errors import InputError


class Steps:
    """Completes what somebody does with what the rules say about it.

    Parameters
    ----------
    ledger, routing, timetable, ground, services
        The ledger and the city's rules.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        routing: Routing,
        timetable: Timetable,
        ground: Ground,
        services: Services,
    ) -> None:
        self._ledger, self._routing, self._timetable = ledger, routing, timetable
        self._ground, self._services = ground, services
        cycle = ledger.life_cycle
        self.pausing = frozenset(
            state for step in cycle.event if step.to == "previous" for state in step.before or ()
        )

    def data_of(
        self,
        case: Case,
        step: Step,
        data: Mapping[str, Any],
        *,
        at: dt.datetime,
        place: tuple[float, float] | None,
    ) -> dict[str, Any]:
        """Add to the data of an event what follows from the rules and was not said.

        Parameters
        ----------
        case
            The case before it.
        step
            What is done.
        data
            What was said.
        at
            When.
        place
            Where, if it moves the case.

        Returns
        -------
        dict
            With `owner`, `due_at`, the grid and the class, as far as the step changes them.

        Raises
        ------
        InputError
            An extension names no amount above 0, or no such class can be reported.
        """
        found = dict(data)
        if step.moves and place is not None:
            found = {**self.grid_of(*place), **found}
        if found.get("category_code") is not None and "category" not in found:
            found["category"] = self._services[found["category_code"]].category
        if "owner" in step.needs and step.stamps == "dispatched_at" and found.get("owner") is None:
            found["owner"] = self._owner(case, found)
        if step.counts == "n_hand_overs":
            found.setdefault("from_owner", case.owner)
        if "due_at" not in found:
            found |= self._due(case, step, found, at)
        return found

    def grid_of(self, lon: float, lat: float) -> dict[str, Any]:
        """Give the codes of a place as an event keeps them.

        Parameters
        ----------
        lon, lat
            WGS84 degrees.

        Returns
        -------
        dict
            `unit_code`, `community_code`, `subdistrict_code`; ``outside`` where there is no unit.
        """
        place = self._ground.locate(lon, lat)
        codes: dict[str, Any] = {
            "unit_code": place.unit_code,
            "community_code": place.community_code,
            "subdistrict_code": place.subdistrict_code,
        }
        return codes | ({"outside": True} if place.outside else {})

    def due_when(self, case: Case | None, said: Mapping[str, Any], at: dt.datetime) -> dt.datetime | None:  # fmt: skip
        """Say by when a case must be settled if it is dispatched at some time.

        Parameters
        ----------
        case
            The case; None for one that is being reported.
        said
            Class, unit and urgency as far as they are said now.
        at
            When the clock begins.

        Returns
        -------
        datetime or None
            None where nothing is declared.
        """

        def value(name: str) -> str | None:
            return said[name] if name in said else getattr(case, name, None)

        unit = value("unit_code")
        rule = self._timetable.rule(
            value("category_code"), unit, grid_class=self._grid_class(unit), urgency=value("urgency")
        )  # fmt: skip
        return None if rule is None else self._timetable.due(rule, at).at

    def _grid_class(self, unit_code: str | None) -> str | None:
        units = self._ground.units
        if unit_code is None or "grid_class" not in units.columns or unit_code not in units.index:
            return None
        return str(units.at[unit_code, "grid_class"])

    def _owner(self, case: Case, said: Mapping[str, Any]) -> str | None:
        return case.owner or self._routing.owner(
            said.get("category_code", case.category_code), said.get("unit_code", case.unit_code)
        )

    def _due(
        self, case: Case, step: Step, said: Mapping[str, Any], at: dt.datetime
    ) -> dict[str, Any]:
        if step.stamps == "dispatched_at":
            due = self.due_when(case, said, at)
            return {} if due is None else {"due_at": due.isoformat()}
        running = case.dispatched_at is not None and case.handled_at is None
        if step.to in self.pausing and running:
            return {"due_at": None, "paused_due_at": case.due_at.isoformat() if case.due_at else None}  # fmt: skip
        if step.to == "previous" and running:
            return self._with_history(case, Event(case.case_id, step.id, at, "rules"))
        if "due_at" in step.needs and said.get("amount") is not None:
            if isinstance(said["amount"], bool) or not isinstance(said["amount"], int | float):
                raise InputError(
                    f"an extension by {said['amount']!r:.40} is no amount; give a number in the unit of its deadline"
                )
            more = Event(case.case_id, step.id, at, "rules", data={"amount": said["amount"]})
            return self._with_history(case, more)
        return {}

    def _with_history(self, case: Case, more: Event) -> dict[str, Any]:
        """Reckon a due time anew with all the pauses and extensions since the case was dispatched."""
        events = self._ledger.events(case_ids=(case.case_id,))
        now = pd.DataFrame([{"kind": more.kind, "recorded_at": more.at, "data": dict(more.data)}])
        history = pd.concat([events[["kind", "recorded_at", "data"]], now], ignore_index=True)
        assert case.dispatched_at is not None  # noqa: S101 - asked by those who call
        history = history[pd.to_datetime(history["recorded_at"], utc=True) >= case.dispatched_at]
        pauses, extensions = _pauses(history, self._ledger.life_cycle, self.pausing), _extensions(history, self._ledger.life_cycle)  # fmt: skip
        codes = {"case_id": case.case_id, "category_code": case.category_code or "", "unit_code": case.unit_code or ""}  # fmt: skip
        grid_class = self._grid_class(case.unit_code)
        if (
            self._timetable.rule(
                case.category_code, case.unit_code, grid_class=grid_class, urgency=case.urgency
            )
            is None
        ):
            return {}
        row = pd.DataFrame(
            [
                {
                    **codes,
                    "grid_class": grid_class,
                    "urgency": case.urgency,
                    "dispatched_at": case.dispatched_at,
                }
            ]
        )
        found = deadlines(
            row, self._timetable.table, calendar=self._timetable.calendar, taxonomy=self._timetable.table.taxonomy,
            pauses=pauses.assign(case_id=case.case_id), extensions=extensions.assign(case_id=case.case_id),
        )  # fmt: skip
        due = found["due_at"].iloc[0]
        return {"due_at": None if pd.isna(due) else due.isoformat()}


def _pauses(history: pd.DataFrame, cycle: LifeCycle, pausing: frozenset[str]) -> pd.DataFrame:
    """Read from events when the clock stood still."""
    rows: list[list[Any]] = []
    lasts = False
    for kind, at in zip(history["kind"], history["recorded_at"], strict=True):
        step = cycle.step(kind)
        if step.to in pausing and not lasts:
            rows.append([at, pd.NaT])
            lasts = True
        elif lasts and step.to != "same":
            rows[-1][1] = at
            lasts = False
    table = pd.DataFrame(rows, columns=["paused_at", "resumed_at"])
    return table.assign(**{name: pd.to_datetime(table[name], utc=True) for name in table.columns})


def _extensions(history: pd.DataFrame, cycle: LifeCycle) -> pd.DataFrame:
    amounts = [
        data["amount"]
        for kind, data in zip(history["kind"], history["data"], strict=True)
        if "due_at" in cycle.step(kind).needs and data.get("amount") is not None
    ]
    return pd.DataFrame({"amount": pd.Series(amounts, dtype=float)})
