"""The Terraform imports, field by field, from a plan as `terraform show -json` writes it."""

import copy

import pytest

from solon.frameworks.sentinel.terraform import Documents, imports_of
from solon.frameworks.sentinel.terraform.run import cost_estimate, of_run_task
from solon.lang.budget import Budget, Meter
from solon.lang.sentinel.values import Failure, Surroundings

REGISTRY = "registry.terraform.io/hashicorp/aws"

PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.9.5",
    "variables": {"region": {"value": "eu-west-1"}, "secret": {}},
    "planned_values": {
        "outputs": {
            "ip": {"sensitive": False},
            "name": {"sensitive": True, "type": "string", "value": "web"},
        },
        "root_module": {
            "resources": [
                {
                    "address": "aws_instance.web[0]",
                    "mode": "managed",
                    "type": "aws_instance",
                    "name": "web",
                    "index": 0,
                    "provider_name": REGISTRY,
                    "schema_version": 1,
                    "values": {"ami": "ami-1", "tags": None},
                    "sensitive_values": {},
                }
            ],
            "child_modules": [
                {
                    "address": "module.net",
                    "resources": [
                        {
                            "address": 'module.net.aws_subnet.s["a"]',
                            "mode": "managed",
                            "type": "aws_subnet",
                            "name": "s",
                            "index": "a",
                            "provider_name": REGISTRY,
                            "values": {"cidr_block": "10.0.0.0/24"},
                        }
                    ],
                }
            ],
        },
    },
    "resource_changes": [
        {
            "address": "aws_instance.web[0]",
            "mode": "managed",
            "type": "aws_instance",
            "name": "web",
            "index": 0,
            "provider_name": REGISTRY,
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"ami": "ami-1", "tags": None},
                "after_unknown": {"id": True},
                "before_sensitive": False,
                "after_sensitive": {},
                "replace_paths": [["ami"]],
            },
            "action_reason": "replace_because_cannot_update",
        },
        {
            "address": "module.net.aws_subnet.s",
            "module_address": "module.net",
            "mode": "managed",
            "type": "aws_subnet",
            "name": "s",
            "deposed": "byebye01",
            "provider_name": REGISTRY,
            "change": {"actions": ["delete"], "before": {"id": "s-1"}, "after": None, "after_unknown": {}},
        },
    ],
    "output_changes": {
        "ip": {"actions": ["create"], "before": None, "after_unknown": True},
        "name": {"actions": ["no-op"], "before": "web", "after": "web", "after_unknown": False},
    },
    "prior_state": {
        "format_version": "1.0",
        "terraform_version": "1.9.4",
        "values": {
            "outputs": {"name": {"sensitive": False, "value": "web", "type": "string"}},
            "root_module": {
                "resources": [
                    {
                        "address": "data.aws_ami.ubuntu",
                        "mode": "data",
                        "type": "aws_ami",
                        "name": "ubuntu",
                        "provider_name": REGISTRY,
                        "values": {"id": "ami-1"},
                        "depends_on": ["aws_vpc.main"],
                        "tainted": True,
                    },
                    {"address": "aws_eip.old", "deposed_key": "dead0001", "values": {}},
                    {"address": "aws_eip.old", "values": {}},
                ]
            },
        },
    },
    "configuration": {
        "provider_config": {
            "aws": {
                "name": "aws",
                "full_name": REGISTRY,
                "version_constraint": "~> 5.0",
                "expressions": {"region": {"references": ["var.region"]}},
            },
            "module.net:aws.west": {"name": "aws", "alias": "west", "module_address": "module.net"},
        },
        "root_module": {
            "outputs": {
                "ip": {
                    "expression": {"references": ["aws_instance.web"]},
                    "description": "address",
                    "sensitive": True,
                    "depends_on": ["aws_vpc.main"],
                }
            },
            "resources": [
                {
                    "address": "aws_instance.web",
                    "mode": "managed",
                    "type": "aws_instance",
                    "name": "web",
                    "provider_config_key": "aws",
                    "provisioners": [
                        {"type": "local-exec", "expressions": {"command": {"constant_value": "true"}}},
                        {"type": "file"},
                    ],
                    "expressions": {"ami": {"constant_value": "ami-1"}},
                    "schema_version": 1,
                    "count_expression": {"constant_value": 2},
                    "depends_on": ["aws_vpc.main"],
                }
            ],
            "module_calls": {
                "net": {
                    "source": "./net",
                    "version_constraint": "1.2.0",
                    "expressions": {"cidr": {"constant_value": "10.0.0.0/16"}},
                    "for_each_expression": {"references": ["var.nets"]},
                    "module": {
                        "variables": {"cidr": {}},
                        "resources": [
                            {
                                "address": "aws_subnet.s",
                                "mode": "managed",
                                "type": "aws_subnet",
                                "name": "s",
                                "for_each_expression": {"references": ["var.subnets"]},
                            }
                        ],
                        "module_calls": {"deep": {"source": "../deep", "module": {"outputs": {"o": {}}}}},
                    },
                }
            },
            "variables": {"region": {"default": "eu-west-1", "description": "where"}},
        },
    },
}

SURROUNDINGS = Surroundings(now_ns=0, meter=Meter(Budget()))


def opened(name, plan=PLAN, **others):
    return imports_of(Documents(plan, **others))[name](SURROUNDINGS, {})


def got(view, *path):
    value = view
    for name in path:
        value = value.get(name, "MISSING")
    return value


def test_plan_parts_as_they_are():
    view = opened("tfplan/v2")
    assert got(view, "terraform_version") == "1.9.5"
    assert got(view, "raw") is PLAN
    assert got(view, "variables") == {
        "region": {"name": "region", "value": "eu-west-1"},
        "secret": {"name": "secret"},
    }
    assert got(view, "nothing") == "MISSING"


def test_resource_changes():
    changes = got(opened("tfplan/v2"), "resource_changes")
    assert changes == {
        "aws_instance.web[0]": {
            "address": "aws_instance.web[0]",
            "module_address": "",
            "mode": "managed",
            "type": "aws_instance",
            "name": "web",
            "index": 0,
            "provider_name": REGISTRY,
            "deposed": "",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"ami": "ami-1", "tags": None},
                "after_unknown": {"id": True},
            },
        },
        "module.net.aws_subnet.s:byebye01": {
            "address": "module.net.aws_subnet.s",
            "module_address": "module.net",
            "mode": "managed",
            "type": "aws_subnet",
            "name": "s",
            "index": None,
            "provider_name": REGISTRY,
            "deposed": "byebye01",
            "change": {"actions": ["delete"], "before": {"id": "s-1"}, "after": None, "after_unknown": {}},
        },
    }
    # Documents are used as they are.
    assert changes["aws_instance.web[0]"]["change"]["after"] is PLAN["resource_changes"][0]["change"]["after"]


def test_drift_has_the_form_of_changes():
    plan = {"resource_drift": PLAN["resource_changes"][:1]}
    assert list(got(opened("tfplan/v2", plan), "resource_drift")) == ["aws_instance.web[0]"]
    assert got(opened("tfplan/v2"), "resource_drift") == {}


def test_an_output_that_is_not_known_has_no_value():
    assert got(opened("tfplan/v2"), "output_changes") == {
        "ip": {"name": "ip", "change": {"actions": ["create"], "before": None, "after_unknown": True}},
        "name": {
            "name": "name",
            "change": {"actions": ["no-op"], "before": "web", "after": "web", "after_unknown": False},
        },
    }
    assert got(opened("tfplan/v2"), "planned_values", "outputs") == {
        "ip": {"name": "ip", "sensitive": False},
        "name": {"name": "name", "sensitive": True, "value": "web"},
    }


def test_planned_resources_of_all_modules():
    planned = got(opened("tfplan/v2"), "planned_values", "resources")
    assert list(planned) == ["aws_instance.web[0]", 'module.net.aws_subnet.s["a"]']
    assert planned['module.net.aws_subnet.s["a"]'] == {
        "address": 'module.net.aws_subnet.s["a"]',
        "module_address": "module.net",
        "mode": "managed",
        "type": "aws_subnet",
        "name": "s",
        "index": "a",
        "provider_name": REGISTRY,
        "values": {"cidr_block": "10.0.0.0/24"},
        "depends_on": [],
        "tainted": False,
        "deposed_key": "",
    }


def test_state():
    view = opened("tfstate/v2")
    assert got(view, "terraform_version") == "1.9.4"
    assert got(view, "outputs") == {"name": {"name": "name", "sensitive": False, "value": "web"}}
    resources = got(view, "resources")
    assert list(resources) == ["data.aws_ami.ubuntu", "aws_eip.old:dead0001", "aws_eip.old"]
    assert resources["data.aws_ami.ubuntu"] == {
        "address": "data.aws_ami.ubuntu",
        "module_address": "",
        "mode": "data",
        "type": "aws_ami",
        "name": "ubuntu",
        "index": None,
        "provider_name": REGISTRY,
        "values": {"id": "ami-1"},
        "depends_on": ["aws_vpc.main"],
        "tainted": True,
        "deposed_key": "",
    }


def test_without_a_state_there_is_no_version_and_nothing_else():
    view = opened("tfstate/v2", {})
    assert got(view, "terraform_version") == "MISSING"
    assert got(view, "resources") == {}
    assert got(view, "outputs") == {}


def test_configuration_resources():
    resources = got(opened("tfconfig/v2"), "resources")
    provisioners = [
        {
            "resource_address": "aws_instance.web",
            "type": "local-exec",
            "index": "0",
            "config": {"command": {"constant_value": "true"}},
        },
        {"resource_address": "aws_instance.web", "type": "file", "index": "1", "config": {}},
    ]
    assert resources == {
        "aws_instance.web": {
            "address": "aws_instance.web",
            "module_address": "",
            "mode": "managed",
            "type": "aws_instance",
            "name": "web",
            "provider_config_key": "aws",
            "provisioners": provisioners,
            "config": {"ami": {"constant_value": "ami-1"}},
            "count": {"constant_value": 2},
            "for_each": {},
            "depends_on": ["aws_vpc.main"],
        },
        "module.net.aws_subnet.s": {
            "address": "module.net.aws_subnet.s",
            "module_address": "module.net",
            "mode": "managed",
            "type": "aws_subnet",
            "name": "s",
            "provider_config_key": "",
            "provisioners": [],
            "config": {},
            "count": {},
            "for_each": {"references": ["var.subnets"]},
            "depends_on": [],
        },
    }
    assert got(opened("tfconfig/v2"), "provisioners") == {
        "aws_instance.web:0": provisioners[0],
        "aws_instance.web:1": provisioners[1],
    }


def test_configuration_providers():
    assert got(opened("tfconfig/v2"), "providers") == {
        "aws": {
            "provider_config_key": "aws",
            "name": "aws",
            "full_name": REGISTRY,
            "alias": "",
            "module_address": "",
            "config": {"region": {"references": ["var.region"]}},
            "version_constraint": "~> 5.0",
        },
        "module.net:aws.west": {
            "provider_config_key": "module.net:aws.west",
            "name": "aws",
            "full_name": "",
            "alias": "west",
            "module_address": "module.net",
            "config": {},
            "version_constraint": "",
        },
    }


def test_configuration_variables_outputs_and_calls_of_all_modules():
    view = opened("tfconfig/v2")
    assert got(view, "variables") == {
        "region": {"module_address": "", "name": "region", "default": "eu-west-1", "description": "where"},
        "module.net:cidr": {
            "module_address": "module.net",
            "name": "cidr",
            "default": None,
            "description": "",
        },
    }
    assert got(view, "outputs") == {
        "ip": {
            "module_address": "",
            "name": "ip",
            "sensitive": True,
            "value": {"references": ["aws_instance.web"]},
            "description": "address",
            "depends_on": ["aws_vpc.main"],
        },
        "module.net.module.deep:o": {
            "module_address": "module.net.module.deep",
            "name": "o",
            "sensitive": False,
            "value": {},
            "description": "",
            "depends_on": [],
        },
    }
    assert got(view, "module_calls") == {
        "net": {
            "module_address": "",
            "name": "net",
            "source": "./net",
            "config": {"cidr": {"constant_value": "10.0.0.0/16"}},
            "count": {},
            "for_each": {"references": ["var.nets"]},
            "depends_on": [],
            "version_constraint": "1.2.0",
        },
        "module.net:deep": {
            "module_address": "module.net",
            "name": "deep",
            "source": "../deep",
            "config": {},
            "count": {},
            "for_each": {},
            "depends_on": [],
            "version_constraint": "",
        },
    }


@pytest.mark.parametrize(
    "address, stripped",
    [
        ('module.a[0].x.y["k"]', "module.a.x.y"),
        ("aws_instance.web", "aws_instance.web"),
        ('module.a["b.c"].x.y[12]', "module.a.x.y"),
        ('x.y["a]b"].z', "x.y.z"),
        (r'x.y["a\"]"]', "x.y"),
    ],
)
def test_strip_index(address, stripped):
    assert got(opened("tfconfig/v2"), "strip_index")(address) == stripped


def test_strip_index_takes_a_string():
    with pytest.raises(Failure, match="strip_index takes a string"):
        got(opened("tfconfig/v2"), "strip_index")(3)


def test_a_part_is_made_once():
    documents = Documents(PLAN)
    first, second = (imports_of(documents)["tfplan/v2"](SURROUNDINGS, {}) for _ in range(2))
    assert got(first, "resource_changes") is got(second, "resource_changes")


def test_documents_that_stand_in():
    state = {"terraform_version": "1.0.0", "values": {}}
    assert got(opened("tfstate/v2", {}, state=state), "terraform_version") == "1.0.0"
    assert got(opened("tfstate/v2", PLAN, state=state), "terraform_version") == "1.9.4"
    written = {"root_module": {"variables": {"v": {}}}}
    assert list(got(opened("tfconfig/v2", {}, configuration=written), "variables")) == ["v"]


BROKEN = [None, 3, "x", [], [None, 3, {}, {"address": 3}], {"a": None, "b": 3}, {"root_module": 3}]


@pytest.mark.parametrize(
    "part", ["variables", "resource_changes", "output_changes", "planned_values", "prior_state"]
)
@pytest.mark.parametrize("value", BROKEN)
def test_a_plan_may_hold_anything(part, value):
    plan = copy.deepcopy(PLAN) | {part: value}
    for name, parts in {
        "tfplan/v2": ["variables", "resource_changes", "output_changes", "planned_values"],
        "tfstate/v2": ["resources", "outputs"],
    }.items():
        for wanted in parts:
            assert isinstance(got(opened(name, plan), wanted), dict)


@pytest.mark.parametrize(
    "where", [("root_module",), ("root_module", "resources"), ("root_module", "module_calls")]
)
@pytest.mark.parametrize("value", BROKEN)
def test_a_configuration_may_hold_anything(where, value):
    plan = copy.deepcopy(PLAN)
    inside = plan["configuration"]
    for name in where[:-1]:
        inside = inside[name]
    inside[where[-1]] = value
    for part in ("providers", "resources", "provisioners", "variables", "outputs", "module_calls"):
        assert isinstance(got(opened("tfconfig/v2", plan), part), dict)


def test_a_run_that_nobody_told_of_is_undefined():
    assert got(opened("tfrun"), "cost_estimate") == "MISSING"
    assert got(opened("tfrun"), "is_destroy") == "MISSING"


def test_a_run_that_is_told_of_in_part():
    view = opened("tfrun", run={"workspace": {"name": "prod"}, "speculative": True})
    assert got(view, "workspace", "name") == "prod"
    assert got(view, "speculative") is True
    assert got(view, "is_destroy") is False
    assert got(view, "target_addrs") is None
    assert got(view, "cost_estimate") == "MISSING"


@pytest.mark.parametrize(
    "document, costs",
    [
        ({"proposed_monthly_cost": 123.45}, {"proposed_monthly_cost": "123.45"}),
        (
            {"cost_estimate": {"prior_monthly_cost": "0.0", "delta_monthly_cost": "5"}},
            {"prior_monthly_cost": "0.0", "delta_monthly_cost": "5"},
        ),
        (
            {
                "totalMonthlyCost": "10.5",
                "pastTotalMonthlyCost": "8",
                "diffTotalMonthlyCost": "2.5",
                "projects": [],
            },
            {"prior_monthly_cost": "8", "proposed_monthly_cost": "10.5", "delta_monthly_cost": "2.5"},
        ),
        ({"totalMonthlyCost": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_costs_are_strings(document, costs):
    assert cost_estimate(document) == costs


def test_a_run_from_the_payload_of_a_run_task():
    run = of_run_task(
        {
            "payload_version": 1,
            "is_speculative": False,
            "organization_name": "hashicorp",
            "run_id": "run-i3Df5to9ELvibKpQ",
            "run_created_at": "2021-09-02T14:47:13.036Z",
            "run_created_by": "username",
            "run_message": "Triggered via UI",
            "vcs_branch": "main",
            "vcs_commit_url": "https://github.com/hashicorp/terraform-random/commit/7d8fb2a2d601edebdb7a59ad2088a96673637d22",
            "vcs_repo_url": "https://github.com/hashicorp/terraform-random",
            "workspace_id": "ws-ck4G5bb1Yei5szRh",
            "workspace_name": "tfr_github_0",
            "workspace_working_directory": "/terraform",
        }
    )
    view = opened("tfrun", run=run)
    assert got(view, "commit_sha") == "7d8fb2a2d601edebdb7a59ad2088a96673637d22"
    assert got(view, "organization", "name") == "hashicorp"
    assert got(view, "workspace", "vcs_repo", "identifier") == "hashicorp/terraform-random"
    assert got(view, "cost_estimate") == "MISSING"


def test_a_run_without_version_control():
    assert of_run_task({"workspace_name": "w"})["workspace"]["vcs_repo"] is None
