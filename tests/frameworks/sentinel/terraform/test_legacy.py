"""tfplan, tfconfig and tfstate of version 1, from the same documents."""

import pytest

from solon.frameworks.sentinel.terraform import Documents, imports_of
from solon.frameworks.sentinel.terraform.legacy import path_of
from solon.lang.budget import Budget, Meter
from solon.lang.sentinel.values import Failure, Surroundings, Undefined

PLAN = {
    "terraform_version": "0.12.31",
    "variables": {"region": {"value": "eu"}},
    "resource_changes": [
        {
            "address": "aws_instance.web[1]",
            "mode": "managed",
            "type": "aws_instance",
            "name": "web",
            "index": 1,
            "change": {
                "actions": ["update"],
                "before": {"ami": "a", "size": 8, "tags": {"Name": "x"}, "ports": [80], "id": "i-1"},
                "after": {"ami": "a", "size": 9, "tags": {"Name": "y", "Team": "t"}, "ports": [80, 443]},
                "after_unknown": {"id": True, "tags": {}},
            },
        },
        {
            "address": "data.aws_ami.u",
            "mode": "data",
            "type": "aws_ami",
            "name": "u",
            "change": {"actions": ["read"], "before": None, "after": {"ok": True}, "after_unknown": {}},
        },
        {
            "address": 'module.a.module.b.aws_eip.ip["k"]',
            "module_address": "module.a.module.b",
            "mode": "managed",
            "type": "aws_eip",
            "name": "ip",
            "index": "k",
            "change": {"actions": ["delete", "create"], "before": {}, "after": {}, "after_unknown": {}},
        },
        {
            "address": "aws_eip.gone",
            "mode": "managed",
            "type": "aws_eip",
            "name": "gone",
            "change": {"actions": ["delete"], "before": {"vpc": True}, "after": None, "after_unknown": {}},
        },
    ],
    "prior_state": {
        "terraform_version": "0.12.30",
        "values": {
            "outputs": {"ip": {"sensitive": True, "value": "10.0.0.1"}},
            "root_module": {
                "child_modules": [
                    {
                        "address": "module.a",
                        "resources": [
                            {
                                "address": "module.a.aws_eip.ip",
                                "mode": "managed",
                                "type": "aws_eip",
                                "name": "ip",
                                "values": {"id": "eip-1", "vpc": True},
                                "depends_on": ["aws_vpc.v"],
                            }
                        ],
                    }
                ]
            },
        },
    },
    "configuration": {
        "provider_config": {
            "aws": {
                "name": "aws",
                "version_constraint": "~> 3.0",
                "expressions": {"region": {"constant_value": "eu"}},
            },
            "aws.w": {"name": "aws", "alias": "w", "expressions": {"region": {"references": ["var.region"]}}},
        },
        "root_module": {
            "resources": [
                {
                    "address": "aws_instance.web",
                    "mode": "managed",
                    "type": "aws_instance",
                    "name": "web",
                    "expressions": {
                        "ami": {"constant_value": "a"},
                        "subnet": {"references": ["aws_subnet.s"]},
                        "disk": [{"size": {"constant_value": 8}, "type": {"references": ["var.t"]}}],
                    },
                }
            ],
            "outputs": {
                "a": {"expression": {"constant_value": 1}, "description": "d"},
                "b": {"expression": {"references": ["aws_instance.web"]}, "sensitive": True},
            },
            "module_calls": {"a": {"source": "./a", "version_constraint": "1.0", "module": {}}},
        },
    },
}


def opened(name):
    return imports_of(Documents(PLAN))[name](Surroundings(0, Meter(Budget())), {})


def got(view, *path):
    value = view
    for name in path:
        value = value.get(name, "MISSING")
    return value


def module(view, *path):
    return view.get("module", None)(list(path))


def test_what_changes_is_told_in_dotted_names():
    resource = got(opened("tfplan"), "resources", "aws_instance", "web", 1)
    assert resource == {
        "applied": {"ami": "a", "size": 9, "tags": {"Name": "y", "Team": "t"}, "ports": [80, 443]},
        "diff": {
            "size": {"old": "8", "new": "9", "computed": False},
            "tags.%": {"old": "1", "new": "2", "computed": False},
            "tags.Name": {"old": "x", "new": "y", "computed": False},
            "tags.Team": {"old": "", "new": "t", "computed": False},
            "ports.#": {"old": "1", "new": "2", "computed": False},
            "ports.1": {"old": "", "new": "443", "computed": False},
            "id": {"old": "i-1", "new": "", "computed": True},
        },
        "destroy": False,
        "requires_new": False,
    }


def test_resources_by_module_type_name_and_index():
    plan = opened("tfplan/v1")
    assert got(plan, "module_paths") == [[], ["a"], ["a", "b"]]
    assert got(plan, "path") == []
    assert got(plan, "data", "aws_ami", "u", 0, "applied") == {"ok": True}
    assert module(plan, "a") == {"path": ["a"], "resources": {}, "data": {}}
    replaced = module(plan, "a", "b")["resources"]["aws_eip"]["ip"]["k"]
    assert (replaced["destroy"], replaced["requires_new"]) == (True, True)
    gone = got(plan, "resources", "aws_eip", "gone", 0)
    assert (gone["destroy"], gone["requires_new"], gone["applied"]) == (True, False, {})
    assert gone["diff"] == {"vpc": {"old": "true", "new": "", "computed": False}}
    assert got(plan, "variables") == {"region": "eu"}
    assert got(plan, "terraform_version") == "0.12.31"


def test_state():
    state = opened("tfstate")
    assert got(state, "module_paths") == [[], ["a"]]
    assert got(state, "outputs") == {"ip": {"sensitive": True, "value": "10.0.0.1"}}
    assert module(state, "a")["resources"]["aws_eip"]["ip"][0] == {
        "attr": {"id": "eip-1", "vpc": True},
        "depends_on": ["aws_vpc.v"],
        "id": "eip-1",
        "tainted": False,
    }


def test_configuration():
    config = opened("tfconfig")
    assert got(config, "module_paths") == [[], ["a"]]
    assert got(config, "resources", "aws_instance", "web") == {
        "config": {"ami": "a", "disk": [{"size": 8}]},
        "references": {"ami": [], "subnet": ["aws_subnet.s"], "disk": [{"size": [], "type": ["var.t"]}]},
        "provisioners": None,
    }
    assert got(config, "providers", "aws") == {
        "alias": {"w": {"version": "", "config": {}, "references": {"region": ["var.region"]}}},
        "config": {"region": "eu"},
        "references": {"region": []},
        "version": "~> 3.0",
    }
    assert got(config, "modules", "a", "version") == "1.0"
    assert got(config, "outputs", "a", "value") == 1
    assert got(config, "outputs", "b", "value") == "MISSING"
    assert got(config, "outputs", "b", "references") == ["aws_instance.web"]


def test_a_module_that_is_not_there_is_undefined():
    assert isinstance(module(opened("tfplan"), "x"), Undefined)
    with pytest.raises(Failure, match="module takes a list of names"):
        opened("tfplan").get("module", None)("a")


@pytest.mark.parametrize(
    "address, path",
    [
        ("", ()),
        ("module.a", ("a",)),
        ("module.a[0].module.b", ("a[0]", "b")),
        ('module.a["x.module.y"].module.b', ('a["x.module.y"]', "b")),
    ],
)
def test_paths_of_modules(address, path):
    assert path_of(address) == path
