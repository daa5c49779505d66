"""What a policy finds in a plan: which resources, where, and why."""

import textwrap

import pytest

from solon.frameworks.policy import Context, evaluate
from solon.frameworks.sentinel.findings import Resources, printed
from solon.frameworks.sentinel.load import load, notes_of
from solon.subjects import terraform
from solon.subjects.documents import Document
from solon.subjects.positions import SourceFile

CONTEXT = Context(now_ns=0)


def change(address, after, mode="managed"):
    kind, name = address.partition("[")[0].split(".")[-2:]
    return {
        "address": address,
        "mode": mode,
        "type": kind,
        "name": name,
        "change": {"actions": ["create"], "before": None, "after": after},
    }


PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.9.0",
    "resource_changes": [
        change(
            "aws_instance.a", {"type": "t3.micro", "tags": {"team": "x", "cost": "y"}, "disks": [{"size": 8}]}
        ),
        change(
            "aws_instance.b",
            {"type": "p3.xlarge", "tags": {"team": "x"}, "disks": [{"size": 8}, {"size": 99}]},
        ),
        change("aws_instance.c", {"tags": {}, "type": "p4.xlarge", "disks": []}),
    ],
}
HEAD = 'import "tfplan/v2" as tfplan\nchanges = tfplan.resource_changes\n'


@pytest.fixture
def findings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subject = next(iter(terraform.subjects(Document(PLAN, 0, 1), SourceFile("plan.json", lambda: "{}"))))

    def judge(policy):
        (tmp_path / "p.sentinel").write_text(HEAD + textwrap.dedent(policy))
        policy_set, problems = load("p.sentinel")
        assert problems == []
        return evaluate([policy_set], subject, CONTEXT).findings

    return judge


def told(found):
    return [(finding.message, finding.path) for finding in found]


B, C = ("resource_changes", 1), ("resource_changes", 2)
SMALL = 'rc.change.after.type is "t3.micro"'


@pytest.mark.parametrize(
    "policy, expected",
    [
        pytest.param(
            f"main = rule {{ all changes as _, rc {{ {SMALL} }} }}",
            [(f"aws_instance.b: not true: {SMALL}", B), (f"aws_instance.c: not true: {SMALL}", C)],
            id="all",
        ),
        pytest.param(
            f"bad = filter changes as _, rc {{ not ({SMALL}) }}\nmain = rule {{ length(bad) is 0 }}",
            [
                (f"aws_instance.b: not true: not ({SMALL})", B),
                (f"aws_instance.c: not true: not ({SMALL})", C),
            ],
            id="filter",
        ),
        pytest.param(
            """
            main = rule {
                all changes as _, rc {
                    all ["team", "cost"] as tag { rc.change.after.tags contains tag }
                }
            }
            """,
            [
                (
                    'aws_instance.b: not true for "cost" of ["team", "cost"]: rc.change.after.tags contains tag',
                    B,
                ),
                (
                    'aws_instance.c: not true for "team", "cost" of ["team", "cost"]: rc.change.after.tags contains tag',
                    C,
                ),
            ],
            id="loops in loops",
        ),
        pytest.param(
            """
            main = rule {
                all changes as _, rc { all rc.change.after.disks as disk { disk.size < 10 } }
            }
            """,
            [("aws_instance.b: not true for 1 of rc.change.after.disks: disk.size < 10", B)],
            id="what is inside and no text is told by its index",
        ),
        pytest.param(
            """
            bad = []
            for changes as address, rc {
                if rc.change.after.type is not "t3.micro" {
                    print("too large:", address)
                    append(bad, address)
                }
            }
            main = rule { bad is empty }
            """,
            [
                ("aws_instance.b:\ntoo large: aws_instance.b", B),
                ("aws_instance.c:\ntoo large: aws_instance.c", C),
            ],
            id="what is printed of a resource is said of it",
        ),
        pytest.param(
            """
            print("aws_instance.b has the wrong type")
            main = rule { all changes as _, rc { rc.change.after.type is not "p3.xlarge" } }
            """,
            [("aws_instance.b has the wrong type", B)],
            id="a line that begins with the resource",
        ),
        pytest.param(
            'print("never")\nmain = rule { tfplan.terraform_version is "2.0" }',
            [("main is false\nnever", None)],
            id="no resource is known",
        ),
        pytest.param(
            "main = rule { tfplan.gone is 3 }",
            [('main is undefined: no key "gone" at p.sentinel:3:22', None)],
            id="undefined",
        ),
        pytest.param(
            "main = rule { all changes as _, rc { rc.change.after.tags is not empty or true } }",
            [],
            id="passes",
        ),
        pytest.param("main = rule { {} }", [], id="an empty map passes"),
    ],
)
def test_findings(findings, policy, expected):
    assert told(findings(policy)) == expected


@pytest.mark.parametrize(
    "line, resource",
    [
        ("aws_instance.b is wrong", "aws_instance.b"),
        ("wrong: aws_instance.b.", "aws_instance.b"),
        ("aws_instance.b.tags.team is missing", "aws_instance.b"),
        ("(aws_instance.b[0])", "aws_instance.b"),
        ('module.m["x.y"].aws_eip.e[3]: no', 'module.m["x.y"].aws_eip.e[3]'),
        ("aws_instance.bc is wrong", ""),
        ("my-aws_instance.b is wrong", ""),
        ("aws_instance", ""),
        ("a" * 200_000, ""),
        ("a." * 100_000, ""),
        ("a[" * 100_000, ""),
    ],
)
def test_the_resource_that_a_line_names(line, resource):
    changes = [{"address": "aws_instance.b"}, {"address": 'module.m["x.y"].aws_eip.e[3]'}]
    named, others = printed([line], Resources({"resource_changes": changes}))
    assert (named, others) == (({resource: [line]}, []) if resource else ({}, [line]))


def test_a_resource_for_which_it_is_undefined(findings):
    (found,) = findings('main = rule { all changes as _, rc { rc.change.after.tags.team is "x" } }')
    first, second = found.message.split("\n")
    assert first == 'aws_instance.c: undefined: rc.change.after.tags.team is "x"'
    assert second == 'main is undefined: no key "team" at p.sentinel:3:59'
    assert found.path == C


def test_a_run_time_error_is_an_error(findings):
    (found,) = findings('print("before")\nmain = rule { 1 / 0 }')
    assert found.error
    assert found.message.startswith("p.sentinel:4:")
    assert found.details["printed"] == ["before"]


def test_details_have_the_rules_and_what_was_printed(findings):
    (found, _) = findings(
        f'print("x", [1])\nsmall = rule {{ all changes as _, rc {{ {SMALL} }} }}\nmain = rule {{ small }}'
    )
    assert found.details == {
        "address": "aws_instance.b",
        "rules": {"small": "false", "main": "false"},
        "printed": ["x [1]"],
    }


def test_the_imports_of_version_1_name_resources_with_an_index(findings):
    (found,) = findings('main = rule { all {"aws_instance.b[0]": 1} as address, n { n is 2 } }')
    assert found.path == B


def test_one_policy_does_not_change_what_another_sees(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sentinel").write_text(
        HEAD + 'delete(changes, "aws_instance.b")\nchanges["aws_instance.a"].change.after["type"] = "x"\n'
        'main = length(changes) is 2 and changes["aws_instance.a"].change.after.type is "x"\n'
    )
    (tmp_path / "b.sentinel").write_text(
        HEAD + 'main = length(changes) is 3 and changes["aws_instance.a"].change.after.type is "t3.micro"\n'
    )
    policy_set, problems = load(".")
    assert (problems, [policy.id for policy in policy_set.policies]) == ([], ["a", "b"])
    subject = next(iter(terraform.subjects(Document(PLAN, 0, 1), SourceFile("plan.json", lambda: "{}"))))
    assert [finding.message for finding in evaluate([policy_set], subject, CONTEXT).findings] == []
    assert PLAN["resource_changes"][0]["change"]["after"]["type"] == "t3.micro"


def test_only_plans_are_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sentinel").write_text("main = false\n")
    policy_set, _ = load("a.sentinel")
    plan, resource, *_ = terraform.subjects(Document(PLAN, 0, 1), SourceFile("plan.json", lambda: "{}"))
    assert len(policy_set.candidates(plan)) == 1
    assert policy_set.candidates(resource) == ()


def test_the_revision_is_that_of_all_that_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sentinel.hcl").write_text('module "m" { source = "m.sentinel" }\npolicy "a" {}')
    (tmp_path / "a.sentinel").write_text('import "m"\nmain = m.x\n')
    seen = set()
    for text in ("x = 1\n", "x = 2\n"):
        (tmp_path / "m.sentinel").write_text(text)
        policy_set, problems = load(".")
        assert problems == []
        assert [each.file for each in policy_set.texts] == ["./sentinel.hcl", "a.sentinel", "m.sentinel"]
        seen.add(policy_set.revision)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "comment, fields",
    [
        ("", ("", "", "medium", "", (), "")),
        ("Title\nmore\nand more", ("Title", "more\nand more", "medium", "", (), "")),
        ("Title\nseverity: HIGH\nwhy", ("Title", "why", "high", "", (), "")),
        ("title: T\nabout it", ("T", "about it", "medium", "", (), "")),
        ("T\nseverity: dreadful", ("T", "", "medium", "", (), "")),
        ("T\ncontrols: A:1, B:2,", ("T", "", "medium", "", ("A:1", "B:2"), "")),
        ("T\nOwner: @ml\nremediation: do it: now", ("T", "", "medium", "@ml", (), "do it: now")),
    ],
)
def test_what_the_comment_at_the_top_says(comment, fields):
    notes = notes_of(comment)
    assert (
        notes.title,
        notes.description,
        notes.severity,
        notes.owner,
        notes.controls,
        notes.remediation,
    ) == fields


def test_what_is_printed_has_an_end(findings):
    (found,) = findings('for range(0, 5000) as i { print("line", i) }\nmain = false')
    assert found.message.split("\n")[-2:] == ["line 19", "and 4,980 more lines"]
    assert len(found.details["printed"]) == 1_001
