"""A city declares what it does otherwise; the rest is built in, and all speak of one scheme."""

import pytest

from gisgrid.casework.routing.rules import BUILT_IN
from gisgrid.desk import Services, read_city_rules, read_services
from gisgrid.errors import InputError
from gisgrid.intake.classes.taxonomy import TAXONOMIES

SERVICE = '[[service]]\ncode = "{}"\nname = {{ zh = "名", en = "Name" }}\n'


def test_without_a_folder_all_is_built_in():
    rules = read_city_rules()
    assert (
        rules.services.scheme == rules.routing.scheme == rules.deadlines.taxonomy == "gbt30428-new"
    )
    assert rules.services["0402"].group.en == "Order in the street"
    assert len(rules.services) == len({one.code for one in rules.services}) > 60
    with pytest.raises(InputError, match="did you mean '0110'"):
        rules.services["01100"]


def test_a_folder_may_hold_some_of_them(tmp_path):
    said = BUILT_IN.read_text("utf-8").replace('id = "cn"', 'id = "ours"', 1)
    (tmp_path / "routing.toml").write_text(said, "utf-8")
    assert read_city_rules(tmp_path).routing.id == "ours"


def test_another_file_or_no_folder_is_said(tmp_path):
    (tmp_path / "rooting.toml").write_text("", "utf-8")
    with pytest.raises(InputError, match=r"holds 'rooting.toml', which is none of routing.toml"):
        read_city_rules(tmp_path)
    with pytest.raises(InputError, match="is not there; make it"):
        read_city_rules(tmp_path / "nowhere")


def test_two_schemes_do_not_go_together(tmp_path):
    (tmp_path / "services.toml").write_text(
        'scheme = "cjt214-2007"\n' + SERVICE.format("0110"), "utf-8"
    )
    with pytest.raises(InputError, match="services are of the scheme 'cjt214-2007'"):
        read_city_rules(tmp_path)


def test_services_are_declared_once_and_lists_have_values(tmp_path):
    path = tmp_path / "services.toml"
    path.write_text('scheme = "x"\n' + SERVICE.format("a") * 2, "utf-8")
    with pytest.raises(InputError, match="service 'a' is declared twice"):
        read_services(path)
    path.write_text(
        'scheme = "x"\n'
        + SERVICE.format("a")
        + '[[service.attribute]]\ncode = "b"\ndatatype = "singlevaluelist"\ndescription = { zh = "问", en = "What" }\n',
        "utf-8",
    )
    with pytest.raises(InputError, match="with 0 values"):
        read_services(path)
    path.write_text('scheme = "x"\n' + SERVICE.format("a"), "utf-8")
    assert read_services(path)["a"].category == "a"


def test_the_old_generation_has_its_own_classes():
    services = Services.of(TAXONOMIES["cjt214-2007"])
    assert services.scheme == "cjt214-2007"
    assert all(one.group.zh for one in services)
