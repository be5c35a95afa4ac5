"""Who may do what: the roles of the three-level grid, and what nobody may."""

import datetime as dt

import pytest
from gisgrid_server.edge.keys import new_key, read_keys
from gisgrid_server.edge.problems import KeyNeededError, KeyNotEnoughError
from gisgrid_server.edge.rights import (
    POWERS,
    PUBLIC,
    ROLES,
    Rights,
    declared_roles,
    powers_of,
    steps_need,
)

from gisgrid.casework.ledger import CaseNotFoundError, Event, Ledger, read_life_cycle
from gisgrid.casework.ledger.life_cycle import BUILT_IN
from gisgrid.errors import InputError

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    path = tmp_path_factory.mktemp("rights") / "cases.db"
    with Ledger.open(f"sqlite:///{path}") as ledger:
        data = {"owner": "water", "unit_code": "41980100100103", "community_code": "419801001001", "subdistrict_code": "419801001", "category_code": "0126"}  # fmt: skip
        ledger.append(Event("A-1", "reported", NOW, "x", (113.5, 35.2), data=data))
        return ledger.case("A-1")


def rights(role, *, owners=(), grids=("419801001",), classes=("*",)):
    return Rights(f"a {role}", powers_of(role), owners, grids, classes)


def test_every_role_and_every_step_of_the_life_cycle_is_declared():
    roles = declared_roles()
    assert set(roles.role) == set(ROLES)
    assert set(roles.step) == {step.id for step in read_life_cycle(BUILT_IN).event}
    assert powers_of("system") == set(POWERS)


# The street sees and does not manage, the bureau manages what it is given, the district oversees.
MAY = {
    "collector": {"reported", "noted"},
    "committee": {"reported", "noted"},
    "community": {"reported", "noted"},
    "subdistrict": {"reported", "noted"},
    "bureau": {"handled", "feedback", "returned", "handed_over", "appealed", "noted"},
    "district": {
        "reported", "checked", "filed", "dispatched", "verified", "closed", "void", "merged", "returned", "reworked",
        "handed_over", "extended", "suspended", "resumed", "appealed", "appeal_upheld", "appeal_rejected", "reopened",
        "amended", "noted",
    },
    "system": set(declared_roles().step),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_take_its_steps_and_no_others(case, role):
    owners = ("water",) if role == "bureau" else ("*",) if role == "system" else ()
    holder = rights(role, owners=owners)
    for kind in declared_roles().step:
        if kind in MAY[role]:
            holder.demand_step(kind, case)
        else:
            with pytest.raises(KeyNotEnoughError):
                holder.demand_step(kind, case)


def test_a_bureau_neither_sees_nor_settles_the_cases_of_another(case):
    other = rights("bureau", owners=("police",))
    assert not other.sees(case)
    with pytest.raises(CaseNotFoundError):
        other.demand_step("handled", case)
    nobody = rights("bureau")
    assert not nobody.sees(case)


def test_a_locality_that_owns_a_case_may_settle_it(case):
    own = rights("subdistrict", owners=("water",))
    own.demand_step("handled", case)
    with pytest.raises(KeyNotEnoughError, match="owner of the case"):
        rights("subdistrict", owners=("419801001",)).demand_step("handled", case)


@pytest.mark.parametrize(
    ("grids", "classes", "sees"),
    [
        (("*",), ("*",), True),
        (("419801001",), ("*",), True),
        (("41980100100103",), ("0126",), True),
        (("419801001001*",), ("01*",), True),
        (("419801002",), ("*",), False),
        (("*",), ("02",), False),
        ((), ("*",), False),
        (("*",), (), False),
    ],
)
def test_what_is_seen_is_of_the_own_grids_and_classes(case, grids, classes, sees):
    holder = rights("district", grids=grids, classes=classes)
    assert holder.sees(case) == sees
    if not sees:  # the same sentence as for a case that is not there
        with pytest.raises(CaseNotFoundError, match=r"^no case 'A-1' in the ledger; check the id$"):
            holder.demand_step("closed", case)


def test_everybody_may_report_and_nothing_else(case):
    PUBLIC.demand("report")
    assert not PUBLIC.sees(case)
    for power in set(POWERS) - {"report"}:
        with pytest.raises(KeyNeededError):
            PUBLIC.demand(power)
    with pytest.raises(KeyNeededError):
        PUBLIC.demand_step("closed", case)
    with pytest.raises(KeyNotEnoughError, match="'contact'"):
        rights("subdistrict").demand("contact")


def test_contact_data_are_for_few():
    assert {role for role in ROLES if "contact" in powers_of(role)} == {"district", "system"}


def test_a_step_that_nobody_declared_is_for_supervisors():
    assert steps_need("auctioned_off") == ("supervise",)


def test_who_sees_the_same_has_the_same_mark():
    a = rights("collector", grids=("419801001", "4198010010"))
    b = rights("committee", grids=("419801001*",))
    assert a.mark == b.mark
    marks = {
        a.mark,
        rights("collector", grids=("*",)).mark,
        rights("collector", classes=("01",)).mark,
        rights("bureau", owners=("water",)).mark,
        rights("bureau", owners=("police",)).mark,
        PUBLIC.mark,
    }
    assert len(marks) == 6


def test_a_key_file_says_who_may_do_what(tmp_path):
    _, old = new_key("old one", layers=("communities",))
    _, new = new_key(
        "water bureau", role="bureau", powers=("report",), owners=("water",), grids=("*",), classes=("01*",)
    )  # fmt: skip
    path = tmp_path / "keys.toml"
    path.write_text(old + "\n" + new, "utf-8")
    first, second = read_keys(path).values()
    assert first.rights.powers == frozenset()
    assert second.rights.powers == {"report", "see", "handle", "export"}
    assert second.rights.owners == ("water",)
    for wrong in ('role = "emperor"', 'powers = ["fly"]', 'grids = ["a b"]', 'grid = ["1"]'):
        path.write_text(f"{old}{wrong}\n", "utf-8")
        with pytest.raises(InputError):
            read_keys(path)


@pytest.mark.parametrize(
    "said", [{"grids": ["a b"]}, {"role": "emperor"}, {"powers": ["fly"]}, {"owners": [""]}]
)
def test_a_key_that_cannot_be_is_not_made(said):
    with pytest.raises(InputError, match="cannot have"):
        new_key("x", **said)
