"""Thirty days of a city through its desk: people report, desks file and dispatch, owners settle, hour by hour."""

import datetime as dt
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from gisgrid.desk import Report

SLICE = pd.Timedelta(hours=2)
PERSON = "张三丰"
PHONE = "13800138000"
TEXT = "门口一堆垃圾没人管"


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def __call__(self):
        return self.time


class Days:
    """What is done with the cases of a synthetic month, and what was done.

    Each case follows its own times of the month; by its number it may also be sent twice (a phone that retries), be void, be
    merged into another, be sent back, be done again, or rest for a day.
    """

    def __init__(self, month):
        self.month = month
        self.cases = month.cases.reset_index(drop=True)
        self.number = np.arange(len(self.cases))
        self.ids = {}
        self.repeated = Counter()
        self.done = Counter()
        self.steps = self._planned()

    def _planned(self):
        """Give what happens, as rows of time, order within a case, case and step."""
        cases, minute = self.cases, pd.Timedelta(minutes=1)
        void, merged = self.number % 71 == 5, self.number % 67 == 9
        gone = void | merged
        rests = (self.number % 17 == 3) & (
            cases["handled_at"] - cases["dispatched_at"] > pd.Timedelta(hours=30)
        )
        sent_back, again = cases["n_returns"] > 0, cases["n_reworks"] > 0
        kept = ~gone
        rows = []

        def add(step, at, which=None):
            there = at.notna() & (True if which is None else which)
            rows.append(
                pd.DataFrame(
                    {"case": self.number[there], "at": at[there], "order": len(rows), "step": step}
                )
            )

        add("reported", cases["uploaded_at"])
        add("again", cases["uploaded_at"] + minute, self.number % 10 == 0)
        add("filed", cases["filed_at"])
        add("void", cases["filed_at"] + minute, void)
        add("merged", cases["filed_at"] + minute, merged & ~void)
        add("dispatched", cases["dispatched_at"], kept)
        add("returned", cases["dispatched_at"], kept & sent_back)
        add("dispatched", cases["dispatched_at"], kept & sent_back)
        for number in (1, 2, 3):
            add("handed_over", cases["dispatched_at"], kept & (cases["n_hand_overs"] >= number))
        add("suspended", cases["dispatched_at"] + 2 * minute, kept & rests)
        add("resumed", cases["dispatched_at"] + pd.Timedelta(hours=26), kept & rests)
        add("handled", cases["handled_at"], kept)
        add("reworked", cases["handled_at"], kept & again)
        add("handled", cases["handled_at"], kept & again)
        for number, step in enumerate(("feedback", "verified", "closed")):
            add(step, cases["closed_at"] - (2 - number) * minute, kept)
        found = pd.concat(rows, ignore_index=True)
        found = found[found["at"] < self.month.until]
        # A case's own order holds; what comes before another step of it never lies in a later slice.
        found["at"] = found.sort_values(["case", "order"]).groupby("case")["at"].cummax()
        return found.sort_values(["at", "case", "order"], kind="stable", ignore_index=True)

    def run(self, desk, clock, *, threads=8):
        """Let the days pass."""
        slices = self.steps["at"].dt.floor(SLICE)
        with ThreadPoolExecutor(threads) as pool:
            for begin, rows in self.steps.groupby(slices, sort=True):
                clock.time = min(begin + SLICE, self.month.until).to_pydatetime()
                jobs = [
                    pool.submit(self._settle, desk, case, each["step"].to_list())
                    for case, each in rows.groupby("case", sort=False)
                ]
                for job in jobs:
                    job.result()

    def _settle(self, desk, case, steps):
        for step in steps:
            if step in ("reported", "again"):
                self._report(desk, case)
            else:
                desk.act(self.ids[case], step, **self._how(case, step))
            self.done[step] += 1

    def _report(self, desk, case):
        row = self.cases.loc[case]
        report = Report(
            lon=row["lon"], lat=row["lat"], service_code=row["category_code"], description=TEXT, at=row["reported_at"].to_pydatetime(),
            source=row["source"], level_found=row["level_found"], contact={"name": PERSON, "phone": PHONE} if case % 3 == 0 else {},
        )  # fmt: skip
        taken = desk.report(
            report, client_id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(case))), by=row["source"]
        )
        self.repeated[taken.repeated] += 1
        assert self.ids.setdefault(case, taken.case_id) == taken.case_id

    def _how(self, case, step):
        if step in ("void", "returned", "reworked", "suspended"):
            return {"by": "desk", "why": "按规定"}
        if step == "merged":
            return {"by": "desk", "data": {"duplicate_of": self.ids[min(self.ids)]}}
        if step == "handed_over":
            other = self.cases.loc[case, "level_found"]
            return {"by": "desk", "why": "不属本单位职责", "data": {"owner": f"other:{other}"}}
        return {"by": "owner" if step in ("handled", "feedback") else "desk"}


def outside(desk, clock, n=5):
    """Report some problems that lie in no unit."""
    reports = [
        Report(lon=115.5 + number / 100, lat=36.0, service_code="0110", at=clock())
        for number in range(n)
    ]
    return [
        desk.report(each, client_id=f"outside-{number}", by="app")
        for number, each in enumerate(reports)
    ]
