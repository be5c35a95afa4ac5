"""What follows from a step by the city's rules: whose the case is then, and by when?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from gisgrid.casework.deadlines import TimeUnit, deadlines, time_spent
from gisgrid.casework.deadlines.tables import Deadline
from gisgrid.casework.ledger import Case, Event, Ledger, LifeCycle
from gisgrid.casework.ledger.events import utc
from gisgrid.casework.ledger.life_cycle import Step
from gisgrid.casework.routing import Routing
from gisgrid.desk.due import Timetable
from gisgrid.desk.places import Ground
from gisgrid.desk.services import Services
from gisgrid.errors import InputError

_MOST_AMOUNT: Final = 1_000
"""Hours or days of one extension."""

_BY_RULE: Final = "due_by_rule"
"""In the data of an event that changed what the deadline follows from: what was set by hand before holds no more."""

_DECIDING: Final = ("category_code", "unit_code", "urgency")
"""What the deadline follows from."""

_FARTHEST: Final = dt.timedelta(days=3653)
"""A deadline lies no farther ahead: the calendar of a later year is anybody's guess."""


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
        self._check(case, step, found, at)
        if step.moves and place is not None:
            found = {**self.grid_of(*place), **found}
        if found.get("category_code") is not None:
            found["category"] = self._services[found["category_code"]].category
        if "owner" in step.needs and step.stamps == "dispatched_at" and found.get("owner") is None:
            found["owner"] = self._owner(case, found)
        if step.counts == "n_hand_overs":
            found.setdefault("from_owner", case.owner)
        if "due_at" not in found:
            found |= self._due(case, step, found, at)
            if step.moves and self._moves_deadline(case, found):
                found |= self._amended(case, step, found, at)
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
        """Ask the rules, since class and place may have been mended; what was handed over stays where it is."""
        if case.n_hand_overs and case.owner is not None:
            return case.owner
        code, unit = said.get("category_code", case.category_code), said.get("unit_code", case.unit_code)  # fmt: skip
        return self._routing.owner(code, unit) or case.owner

    def _check(self, case: Case, step: Step, said: Mapping[str, Any], at: dt.datetime) -> None:
        """Refuse a class that cannot be reported, and a deadline that would be none."""
        code = said.get("category_code")
        if code is not None and (not isinstance(code, str) or code not in self._services):
            raise InputError(
                f"category_code is {code!r:.60}, which is no class that can be reported; name one of the services"
            )
        if "due_at" in said:
            due = said["due_at"]
            if due is None:
                raise InputError(
                    f"due_at of {step.id!r} is empty and a case keeps its deadline; give a time, or leave it out"
                )
            if utc(due, "due_at") > at + _FARTHEST:
                raise InputError(
                    f"due_at of {step.id!r} is {due!s:.40}, more than ten years ahead; give a nearer time"
                )
            if "due_at" in step.needs and utc(due, "due_at") <= at:
                raise InputError(
                    f"an extension of case {case.case_id!r} to {due!s:.40} would end before it begins; give a later time"
                )
        amount = said.get("amount")
        if amount is not None and (
            isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount <= _MOST_AMOUNT
        ):  # fmt: skip
            raise InputError(
                f"an extension by {amount!r:.40} is no amount; give a number above 0, at most {_MOST_AMOUNT}, in the unit of its deadline"
            )

    def _due(
        self, case: Case, step: Step, said: Mapping[str, Any], at: dt.datetime
    ) -> dict[str, Any]:
        if step.stamps == "dispatched_at" or "closed_at" in step.clears:
            # What is opened anew begins anew: it has the deadline that it would have if it were dispatched at once.
            due = self.due_when(case, said, at)
            return {} if due is None else {"due_at": due.isoformat()}
        is_running = case.handled_at is None
        if step.to in self.pausing and is_running:
            return {"due_at": None, "paused_due_at": case.due_at.isoformat() if case.due_at else None}  # fmt: skip
        if step.to == "previous" and is_running:
            more = Event(case.case_id, step.id, at, "rules")
            return self._with_history(case, more) if self._is_by_rule(case) else self._resumed(case, at)  # fmt: skip
        if "due_at" in step.needs and said.get("amount") is not None:
            return self._extended(case, step, float(said["amount"]), at)
        return {}

    def _extended(self, case: Case, step: Step, amount: float, at: dt.datetime) -> dict[str, Any]:
        if case.due_at is not None and not self._is_by_rule(case):
            return {"due_at": self._later(case, case.due_at, amount).isoformat()}
        if case.dispatched_at is None:
            return {}
        return self._with_history(
            case, Event(case.case_id, step.id, at, "rules", data={"amount": amount})
        )

    def _is_by_rule(self, case: Case) -> bool:
        """Tell whether a deadline follows from the dispatch alone: nobody has set it to a date since."""
        if case.dispatched_at is None:
            return False
        events = self._ledger.events(case_ids=(case.case_id,))
        since = pd.to_datetime(events["recorded_at"], utc=True) >= case.dispatched_at
        found = True
        for kind, data in zip(events.loc[since, "kind"], events.loc[since, "data"], strict=True):
            step, due = self._ledger.life_cycle.step(kind), data.get("due_at")
            if data.get(_BY_RULE):
                found = True  # the class or the place was mended, and the deadline follows from what they are now
            elif due is None or data.get("amount") is not None:
                continue
            elif step.stamps == "dispatched_at":
                found = utc(due, "due_at") == self.due_when(case, {}, case.dispatched_at)
            elif step.moves or "due_at" in step.needs:
                found = False
        return found

    def _moves_deadline(self, case: Case, said: Mapping[str, Any]) -> bool:
        """Tell whether what is mended changes by when a case that is being handled must be settled."""
        if case.dispatched_at is None or case.handled_at is not None:
            return False
        return any(name in said and said[name] != getattr(case, name) for name in _DECIDING) and self._is_by_rule(case)  # fmt: skip

    def _amended(
        self, case: Case, step: Step, said: Mapping[str, Any], at: dt.datetime
    ) -> dict[str, Any]:
        """Reckon the deadline from the dispatch on, as if class and place had always been what they are now."""
        mended = replace(case, **{name: said[name] for name in _DECIDING if name in said})
        if case.state in self.pausing:
            return {_BY_RULE: True}
        due = self._with_history(mended, Event(case.case_id, step.id, at, "rules"))
        return {"due_at": None, **due, _BY_RULE: True}

    def _resumed(self, case: Case, at: dt.datetime) -> dict[str, Any]:
        """Put the time that the clock stood still to the deadline that there was when it was stopped."""
        events = self._ledger.events(case_ids=(case.case_id,))
        for data, stopped in zip(events["data"][::-1], events["recorded_at"][::-1], strict=True):
            if "paused_due_at" not in data:
                continue
            if data["paused_due_at"] is None:
                return {}
            due = utc(data["paused_due_at"], "paused_due_at")
            if stopped >= due:
                return {"due_at": due.isoformat()}
            rule = self._rule(case)
            unit: TimeUnit = "calendar_days" if rule is None else rule.unit
            stood = time_spent(pd.Series([stopped]), pd.Timestamp(at), unit, calendar=self._timetable.calendar)  # fmt: skip
            return {"due_at": self._later(case, due, float(stood.iloc[0])).isoformat()}
        return {}

    def _later(self, case: Case, due: dt.datetime, amount: float) -> dt.datetime:
        rule = self._rule(case)
        if rule is None or amount <= 0:
            return due + dt.timedelta(days=max(amount, 0.0))
        return max(due, self._timetable.after(amount, rule.unit, due).at)

    def _rule(self, case: Case) -> Deadline | None:
        return self._timetable.rule(
            case.category_code, case.unit_code, grid_class=self._grid_class(case.unit_code), urgency=case.urgency
        )  # fmt: skip

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
        if self._rule(case) is None:
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
