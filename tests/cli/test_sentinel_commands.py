"""solon check and solon test with Sentinel policy sets, beside Rego ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GPU = """# GPU instances are reserved
# Others cost too much.
# severity: high
# controls: AIGP:1, AIGP:2
# remediation: Reserve it.

import "tfplan/v2" as tfplan
import "shared"

param allowed default ["g5.xlarge"]

gpus = filter tfplan.resource_changes as _, rc { rc.type is "aws_instance" }

print("allowed:", allowed)

main = rule {
	all gpus as _, gpu { shared.among(gpu.change.after.instance_type, allowed) }
}
"""
SHARED = """among = func(value, list) {
	return value in list
}
"""
SETTINGS = """import "module" "shared" { source = "lib/shared.sentinel" }
policy "gpu" {
  source            = "gpu.sentinel"
  enforcement_level = "LEVEL"
}
"""


def change(name: str, instance_type: str) -> dict[str, Any]:
    return {
        "address": f"aws_instance.{name}",
        "mode": "managed",
        "type": "aws_instance",
        "name": name,
        "change": {"actions": ["create"], "before": None, "after": {"instance_type": instance_type}},
    }


def plan(*changes: dict[str, Any]) -> str:
    return json.dumps({"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": changes})


@pytest.fixture(autouse=True)
def repository(tmp_path: Path) -> Path:
    write(tmp_path, "set/gpu.sentinel", GPU)
    write(tmp_path, "set/lib/shared.sentinel", SHARED)
    write(tmp_path, "set/sentinel.hcl", SETTINGS.replace("LEVEL", "hard-mandatory"))
    write(tmp_path, "good.json", plan(change("a", "g5.xlarge")))
    write(tmp_path, "bad.json", plan(change("a", "g5.xlarge"), change("b", "p3.2xlarge")))
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("level", "stage", "status"),
    [("advisory", "warn", 0), ("soft-mandatory", "enforce", 1), ("hard-mandatory", "enforce", 1)],
)
def test_a_plan_is_judged(
    solon: Callable[..., Any], repository: Path, level: str, stage: str, status: int
) -> None:
    write(repository, "set/sentinel.hcl", SETTINGS.replace("LEVEL", level))
    assert solon("check", "-p", "set", "good.json").status == 0
    done = solon("check", "-p", "set", "bad.json", "--format", "json")
    assert done.status == status
    decision = json.loads(done.out)["decisions"][0]
    (finding,) = decision["findings"]
    assert finding["policy"] == "gpu"
    assert finding["stage"] == stage
    assert finding["severity"] == "high"
    assert finding["remediation"] == "Reserve it."
    assert finding["details"]["printed"] == ['allowed: ["g5.xlarge"]']
    assert finding["details"]["rules"] == {"main": "false"}


def test_what_a_policy_says_of_itself(solon: Callable[..., Any]) -> None:
    done = solon("check", "-p", "set", "bad.json", "--format", "sarif")
    (rule,) = json.loads(done.out)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "GPU instances are reserved"
    assert rule["fullDescription"]["text"] == "Others cost too much."
    assert set(rule["properties"]["tags"]) >= {"AIGP:1", "AIGP:2"}


def test_parameters(solon: Callable[..., Any], repository: Path) -> None:
    assert (
        solon("check", "-p", "set", "bad.json", "--param", 'allowed=["g5.xlarge","p3.2xlarge"]').status == 0
    )
    write(
        repository, "solon.yaml", "policies: [set]\nsentinel: {params: {allowed: [g5.xlarge, p3.2xlarge]}}\n"
    )
    assert solon("check", "bad.json").status == 0
    assert solon("check", "bad.json", "--param", "allowed=[]").status == 1


def test_a_parameter_that_no_policy_has(solon: Callable[..., Any]) -> None:
    done = solon("check", "-p", "set", "good.json", "--param", "alowed=[]", "--param", "allowed=[]")
    assert done.status == 2
    assert "no Sentinel policy has a parameter alowed" in done.err


def test_beside_rego(solon: Callable[..., Any], repository: Path) -> None:
    write(
        repository,
        "set/names.rego",
        'package main\n\ndeny contains "b" if input.resource_changes[_].name == "b"\n',
    )
    done = solon("check", "-p", "set", "bad.json", "--format", "json")
    found = {finding["policy"] for finding in json.loads(done.out)["decisions"][0]["findings"]}
    assert found == {"gpu", "main.deny"}


def test_sets_below_a_directory_are_told_apart(solon: Callable[..., Any], repository: Path) -> None:
    for cloud in ("aws", "gcp"):
        write(repository, f"clouds/{cloud}/sentinel.hcl", 'policy "never" {}')
        write(repository, f"clouds/{cloud}/never.sentinel", "main = false\n")
    report = json.loads(solon("check", "-p", "clouds", "good.json", "--format", "json").out)
    assert {f["policy"] for f in report["decisions"][0]["findings"]} == {"aws/never", "gcp/never"}


def test_policies_without_a_configuration_advise(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "loose/never.sentinel", "main = false\n")
    done = solon("check", "-p", "loose", "good.json", "--format", "json")
    (finding,) = json.loads(done.out)["decisions"][0]["findings"]
    assert (done.status, finding["policy"], finding["stage"]) == (0, "never", "warn")


def test_a_configuration_of_mocks_alone_makes_them_no_policies(
    solon: Callable[..., Any], repository: Path
) -> None:
    write(
        repository,
        "mocks/sentinel.hcl",
        'mock "tfplan/v2" { module { source = "mock-tfplan-v2.sentinel" } }\n',
    )
    write(repository, "mocks/mock-tfplan-v2.sentinel", 'terraform_version = "1.0"\n')
    done = solon("check", "-p", "mocks", "good.json")
    assert done.status == 2
    assert "no policies found" in done.err
    write(repository, "mocks/never.sentinel", "main = false\n")
    done = solon("check", "-p", "mocks", "good.json", "--format", "json")
    assert [f["policy"] for f in json.loads(done.out)["decisions"][0]["findings"]] == ["never"]


def test_of_two_configurations_the_one_in_hcl_counts(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/sentinel.json", '{"policy": {"gpu": {"source": "gpu.sentinel"}}}')
    assert solon("check", "-p", "set", "bad.json").status == 1
    (repository / "set/sentinel.hcl").unlink()
    write(repository, "set/gpu.sentinel", "main = false\n")
    assert solon("check", "-p", "set", "bad.json").status == 0  # advisory, as nothing else is said


def test_one_policy_of_a_set(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/other.sentinel", "main = false\n")
    both = SETTINGS.replace("LEVEL", "hard-mandatory") + 'policy "other" {}\n'
    write(repository, "set/sentinel.hcl", both)
    done = solon("check", "-p", "set/gpu.sentinel", "bad.json", "--format", "json")
    assert done.status == 1
    assert [f["policy"] for f in json.loads(done.out)["decisions"][0]["findings"]] == ["gpu"]
    write(repository, "set/loose.sentinel", 'import "shared"\nmain = shared.among(1, [])\n')
    done = solon("check", "-p", "set/loose.sentinel", "bad.json", "--format", "json")
    assert [f["policy"] for f in json.loads(done.out)["decisions"][0]["findings"]] == ["loose"]


def test_other_files_in_hcl(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/backend.hcl", 'bucket = "state"\n')
    write(repository, "set/terragrunt.hcl", 'include "root" {\n  path = find_in_parent_folders()\n}\n')
    write(repository, "set/more.hcl", 'policy "never" {}\n')
    write(repository, "set/never.sentinel", "main = false\n")
    done = solon("check", "-p", "set", "good.json", "--format", "json")
    assert done.err == ""
    assert [f["policy"] for f in json.loads(done.out)["decisions"][0]["findings"]] == ["never"]


def test_an_override_file(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/override.hcl", 'policy "gpu" { enforcement_level = "advisory" }')
    assert solon("check", "-p", "set", "bad.json").status == 0


def test_the_run_and_its_costs(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "costs/sentinel.hcl", 'policy "budget" { enforcement_level = "hard-mandatory" }')
    write(
        repository,
        "costs/budget.sentinel",
        'import "tfrun"\n\nmain = rule {\n'
        '\ttfrun.workspace.name else "" is "dev" or\n'
        "\tfloat(tfrun.cost_estimate.proposed_monthly_cost else 0) < 1000\n}\n",
    )
    write(repository, "high.json", '{"proposed_monthly_cost": "1000.5"}')
    write(repository, "dev.yaml", "workspace: {name: dev}\n")
    assert solon("check", "-p", "costs", "good.json").status == 0
    assert solon("check", "-p", "costs", "good.json", "--cost-estimate", "high.json").status == 1
    both = ["--cost-estimate", "high.json", "--tfrun", "dev.yaml"]
    assert solon("check", "-p", "costs", "good.json", *both).status == 0


def test_a_state_that_the_configuration_names(solon: Callable[..., Any], repository: Path) -> None:
    write(
        repository,
        "set/sentinel.hcl",
        'import "plugin" "tfstate/v2" { config = { path = "state.json" } }\n'
        'policy "state" { enforcement_level = "hard-mandatory" }\n',
    )
    write(
        repository,
        "set/state.sentinel",
        'import "tfstate/v2" as s\nmain = rule { s.terraform_version is "1.9.9" }\n',
    )
    write(
        repository, "set/state.json", '{"format_version": "1.0", "terraform_version": "1.9.9", "values": {}}'
    )
    assert solon("check", "-p", "set", "good.json").status == 0
    write(repository, "set/state.json", '{"prior_state": {"terraform_version": "1.9.8"}}')
    assert solon("check", "-p", "set", "good.json").status == 1
    (repository / "set/state.json").unlink()
    done = solon("check", "-p", "set", "good.json")
    assert done.status == 2
    assert "set/state.json: no such file" in done.err


@pytest.mark.parametrize(("level", "status"), [("soft-mandatory", 0), ("hard-mandatory", 1)])
def test_a_token_is_the_authorised_override_of_what_is_soft(
    solon: Callable[..., Any],
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    status: int,
) -> None:
    monkeypatch.setenv("HOME", str(repository / "home"))
    for command in (
        ["init", "-q"],
        ["config", "user.email", "ana@example.com"],
        ["config", "user.name", "Ana"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)
    write(repository, "set/sentinel.hcl", SETTINGS.replace("LEVEL", level))
    write(repository, "solon.yaml", "policies: [set]\n")
    assert solon("breakglass", "keygen").status == 0
    asked = ["--reason", "the region is full", "--ticket", "GPU-1", "--scope", "environment=production"]
    token = solon("breakglass", "open", *asked, "--minutes", "30").out.strip()
    done = solon("check", "bad.json", "--environment", "production", "--break-glass", token)
    assert done.status == status
    if level == "soft-mandatory":
        assert "let through by break-glass bg-" in done.out
        assert "ALARM" in done.err
        assert "used" in (repository / "breakglass.jsonl").read_text()
    else:
        assert "lets nothing through here: hard-mandatory" in done.out
        assert "ALARM" not in done.err


def test_what_is_undefined_as_nobody_told_of_the_run(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "runs/p.sentinel", 'import "tfrun"\nmain = rule { tfrun.workspace.name is "lab" }\n')
    write(repository, "run.yaml", "workspace: {}\n")
    hint = "--tfrun and --cost-estimate tell of it"
    assert hint in " ".join(solon("check", "-p", "runs", "good.json").out.split())
    assert hint not in " ".join(solon("check", "-p", "runs", "good.json", "--tfrun", "run.yaml").out.split())


def test_undefined_denies_and_says_why(solon: Callable[..., Any], repository: Path) -> None:
    write(
        repository,
        "gone/gone.sentinel",
        'import "tfplan/v2" as tfplan\nmain = rule { tfplan.nothing is 3 }\n',
    )
    write(repository, "gone/sentinel.hcl", 'policy "gone" { enforcement_level = "hard-mandatory" }')
    done = solon("check", "-p", "gone", "good.json")
    assert done.status == 1
    assert "main is undefined: " in done.out
    assert "nothing" in done.out
    assert "gone/gone.sentinel:2:" in done.out


def test_a_run_time_error_is_an_error(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/lib/shared.sentinel", "among = func(value, list) {\n\treturn value + 1\n}\n")
    done = solon("check", "-p", "set", "bad.json")
    assert done.status == 2
    assert "set/lib/shared.sentinel:2:" in done.out


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        (
            "set/sentinel.hcl",
            'policy "gpu" { source = "https://x.example/p.sentinel" }',
            "set/sentinel.hcl:1:1: remote",
        ),
        ("set/sentinel.hcl", 'policy "gpu" { source = "none.sentinel" }', "set/none.sentinel: no such file"),
        ("set/sentinel.hcl", 'policy "gpu" {}', 'set/gpu.sentinel:8:1: there is no import "shared"'),
        ("set/sentinel.hcl", 'plicy "gpu" {}', "set/sentinel.hcl:1:1: unknown block 'plicy'"),
        ("set/gpu.sentinel", "main = rule {\n", "set/gpu.sentinel:"),
    ],
)
def test_sets_that_are_broken(
    solon: Callable[..., Any], repository: Path, file: str, text: str, problem: str
) -> None:
    write(repository, file, text)
    done = solon("check", "-p", "set", "good.json")
    assert done.status == 2
    assert problem in done.err
    assert "nothing was judged" in done.err
    assert "Traceback" not in done.err


# --- solon test

CASE = """import "module" "shared" { source = "../../lib/shared.sentinel" }
mock "tfplan/v2" {
  data = {
    resource_changes = {
      "aws_instance.b" = {
        type   = "aws_instance"
        change = { after = { instance_type = "p3.2xlarge" } }
      }
    }
  }
}
PARAM
test { rules = { main = EXPECTED } }
"""


def case(expected: str, param: str = "") -> str:
    return CASE.replace("PARAM", param).replace("EXPECTED", expected)


def results(solon: Callable[..., Any], *arguments: str) -> tuple[int, dict[str, Any]]:
    done = solon("test", *arguments, "--format", "json")
    found = json.loads(done.out)["results"]
    return done.status, {result["name"]: result for result in found}


def test_cases_pass_and_fail(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/test/gpu/denies.hcl", case("false"))
    write(
        repository,
        "set/test/gpu/allows.hcl",
        case("true", 'param "allowed" { value = ["p3.2xlarge"] }'),
    )
    status, found = results(solon, "set")
    assert status == 0
    assert {name: result["status"] for name, result in found.items()} == {
        "gpu/allows.hcl": "passed",
        "gpu/denies.hcl": "passed",
    }
    assert found["gpu/denies.hcl"]["suite"] == "set/gpu.sentinel"
    assert found["gpu/denies.hcl"]["printed"] == ['allowed: ["g5.xlarge"]']
    assert found["gpu/denies.hcl"]["checks"] == [
        {
            "name": "main",
            "expected": "false",
            "got": "false",
            "passed": True,
            "location": {"file": "set/gpu.sentinel", "line": 16, "column": 8},
        }
    ]
    write(repository, "set/test/gpu/denies.hcl", case("true"))
    status, found = results(solon, "set")
    assert status == 1
    failed = found["gpu/denies.hcl"]
    assert failed["status"] == "failed"
    assert failed["message"].startswith("main is false, expected true\n")
    assert "set/gpu.sentinel:16:8: rule main is false" in failed["message"]


def test_run_selects_by_name(solon: Callable[..., Any], repository: Path) -> None:
    for name in ("one", "two"):
        write(repository, f"set/test/gpu/{name}.hcl", case("false"))
    assert list(results(solon, "set", "--run", "gpu/two")[1]) == ["gpu/two.hcl"]
    done = solon("test", "set", "--run", "three")
    assert done.status == 2
    assert "no test matches" in done.err


def test_a_case_may_be_named(solon: Callable[..., Any], repository: Path) -> None:
    write(
        repository,
        "set/test/gpu/one.json",
        '{"mock": {"tfplan/v2": {"resource_changes": {}}}, "modules": '
        '{"shared": {"path": "../../lib/shared.sentinel"}}, "test": {"main": true}}',
    )
    assert list(results(solon, "set/test/gpu/one.json")[1]) == ["gpu/one.json"]
    assert list(results(solon, "set/gpu.sentinel")[1]) == ["gpu/one.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("test {", "set/test/gpu/c.hcl:1:1: 'test' has no closing brace"),
        ('mock "tfplan/v2" { module { source = "no.sentinel" } }', "set/test/gpu/no.sentinel: no such file"),
        ("", 'set/gpu.sentinel:7:1: there is no import "tfplan/v2"'),
    ],
)
def test_cases_that_cannot_be_run(
    solon: Callable[..., Any], repository: Path, text: str, message: str
) -> None:
    write(repository, "set/test/gpu/c.hcl", text)
    status, found = results(solon, "set")
    assert status == 2
    assert found["gpu/c.hcl"]["status"] == "error"
    assert message in found["gpu/c.hcl"]["message"]


RULES = """a = rule { true }
b = rule { [1, 2] }
unasked = rule { true }
undefined_one = rule { {}.x }
main = rule { a and (b is [1, 2]) and (undefined_one else true) }
"""


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("main = true, a = true, b = [1, 2]", ""),
        ("b = [1.0, 2]", ""),
        ("b = [2, 1]", "b is [1, 2], expected [2, 1]"),
        ("unasked = true", "unasked is not evaluated, expected true"),
        ("undefined_one = false", "undefined_one is undefined, expected false"),
        ("nothing = true", "nothing is not evaluated, expected true"),
    ],
)
def test_each_rule_is_asserted(solon: Callable[..., Any], repository: Path, rules: str, message: str) -> None:
    write(repository, "rules/p.sentinel", RULES)
    write(repository, "rules/test/p/c.hcl", f"test {{ rules = {{ {rules} }} }}")
    status, found = results(solon, "rules")
    assert (status, found["p/c.hcl"]["message"].split("\n")[0]) == (1 if message else 0, message)


def test_without_expectations_main_should_be_true(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "p.sentinel", "main = false\n")
    write(repository, "test/p/c.hcl", "")
    assert results(solon, ".")[1]["p/c.hcl"]["message"].startswith("main is false, expected true")


def test_mocks_stand_for_standard_imports_and_import_others(
    solon: Callable[..., Any], repository: Path
) -> None:
    write(repository, "p.sentinel", 'import "strings"\nmain = rule { strings.to_upper("a") is "mocked" }\n')
    write(repository, "test/p/m.sentinel", 'import "word"\nto_upper = func(s) { return word.value }\n')
    write(repository, "test/p/w.sentinel", 'value = "mocked"\n')
    write(
        repository,
        "test/p/c.hcl",
        'mock "strings" {\n module {\n source = "m.sentinel"\n }\n}\nmock "word" {\n module {\n source = "w.sentinel"\n }\n}\n',
    )
    assert results(solon, ".")[1]["p/c.hcl"]["status"] == "passed"


def test_globals_and_static_imports(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "p.sentinel", 'import "people"\nmain = rule { people.boss is who }\n')
    write(repository, "people.json", '{"boss": "ada"}')
    write(
        repository,
        "test/p/c.hcl",
        'import "static" "people" {\n  source = "../../people.json"\n  format = "json"\n}\nglobal "who" { value = "ada" }\n',
    )
    assert results(solon, ".")[1]["p/c.hcl"]["status"] == "passed"


def test_copies_of_remote_modules(solon: Callable[..., Any], repository: Path) -> None:
    remote = "https://x.example/lib/shared.sentinel"
    write(
        repository,
        "set/sentinel.hcl",
        SETTINGS.replace("LEVEL", "advisory").replace("lib/shared.sentinel", remote),
    )
    write(repository, "set/test/gpu/denies.hcl", case("false").replace("../../lib/shared.sentinel", remote))
    write(repository, "solon.yaml", "policies: [set]\n")
    done = solon("check", "bad.json")
    assert done.status == 2
    assert "sentinel.sources in solon.yaml" in done.err
    write(
        repository,
        "solon.yaml",
        "policies: [set]\nsentinel: {sources: {'https://x.example/lib/': set/lib}}\n",
    )
    assert "warn" in solon("check", "bad.json").out
    assert results(solon, "set")[0] == 0


def test_rego_and_sentinel_together(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/test/gpu/denies.hcl", case("false"))
    write(repository, "set/x_test.rego", "package x\n\ntest_it if true\n")
    assert set(results(solon, "set")[1]) == {"gpu/denies.hcl", "data.x.test_it"}


def test_junit(solon: Callable[..., Any], repository: Path) -> None:
    write(repository, "set/test/gpu/denies.hcl", case("true"))
    done = solon("test", "set", "--format", "junit")
    assert done.status == 1
    assert '<failure message="main is false, expected true"' in done.out


def test_waivers_of_a_repository_with_copies_of_remote_sources(
    solon: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    for folder in ("set", "copy"):
        (own / folder).mkdir(parents=True)
    monkeypatch.chdir(own)
    (own / "solon.yaml").write_text(
        "policies: [set]\nsentinel:\n  sources:\n    https://example.com/sets/: copy\n"
    )
    (own / "set/sentinel.hcl").write_text(
        'policy "one" {\n  source = "https://example.com/sets/one.sentinel"\n}\n'
    )
    (own / "copy/one.sentinel").write_text("main = rule {\n\t1 is 2\n}\n")
    ran = solon("waivers", "check")
    assert (ran.status, ran.err) == (0, "")
