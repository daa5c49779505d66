"""JSON, SARIF, JUnit and workflow commands, read back as their readers do."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from solon.frameworks.policy import Stage
from solon.lang.values import Set
from solon.report import render
from solon.subjects.subject import Location


class TestJson:
    def test_names_its_schema_and_sums_up(self, sample_report):
        data = json.loads(render("json", sample_report))
        assert data["schema"] == "solon.check/v1"
        assert data["started"] == "2026-03-01T09:30:00.000000007Z"
        assert data["summary"] == {
            "subjects": 5,
            "denied": 1,
            "warned": 1,
            "errors": 1,
            "allowed": 2,
            "unmatched": 1,
            "policies": 5,
            "overridden": 0,
            "waived": 1,
            "recorded": 2,
            "unreadable": 2,
        }
        assert [d["outcome"] for d in data["decisions"]] == [
            "deny",
            "error",
            "allow",
            "warn",
            "allow",
            "allow",
        ]
        assert [d["unmatched"] for d in data["decisions"]] == [False] * 5 + [True]

    def test_hostile_text_comes_back_as_it_was(self, nasty_report):
        data = json.loads(render("json", nasty_report))
        names = [decision.subject.name for decision in nasty_report.decisions]
        assert [d["subject"]["name"] for d in data["decisions"]] == names
        assert [d["findings"][0]["details"]["name"] for d in data["decisions"]] == names

    def test_values_of_policies_become_json(self, build):
        policy, subject = build.policy("p"), build.subject()
        details = {"missing": Set.of(["b", "a"]), "n": 2**70}
        report = build.report(build.decision(subject, build.finding(policy, subject, "no", details=details)))
        finding = json.loads(render("json", report))["decisions"][0]["findings"][0]
        assert finding["details"] == {"missing": ["a", "b"], "n": 2**70}

    def test_path_is_a_json_pointer(self, build):
        policy, subject = build.policy("p"), build.subject()
        found = build.finding(policy, subject, "no", path=("metadata", "annotations", "a/b~c", 0))
        data = json.loads(render("json", build.report(build.decision(subject, found))))
        assert data["decisions"][0]["findings"][0]["path"] == "/metadata/annotations/a~1b~0c/0"


def sarif(report):
    return json.loads(render("sarif", report))["runs"][0]


class TestSarif:
    def test_structure(self, nasty_report):
        """What the schema requires and code scanning services read."""
        run = sarif(nasty_report)
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        for rule in rules:
            assert rule["help"]["text"]
            assert rule["shortDescription"]["text"]
            assert len(set(rule["properties"]["tags"])) == len(rule["properties"]["tags"])
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in ("error", "warning", "note")
            assert result["message"]["text"]
            (place,) = result["locations"]
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"([A-Za-z0-9\-._~/]|%[0-9A-F]{2})+", uri)
            assert place["physicalLocation"]["region"]["startLine"] >= 1
            assert place["logicalLocations"][0]["fullyQualifiedName"]
        assert [n["level"] for n in run["invocations"][0]["toolExecutionNotifications"]] == ["error"] * 9

    def test_levels(self, sample_report):
        found = {(r["ruleId"], r["level"]) for r in sarif(sample_report)["results"]}
        assert found >= {
            ("approved-registry", "error"),
            ("gpu-quota", "error"),
            ("cost-tags", "warning"),
            ("instance-types", "note"),
        }

    def test_an_excepted_finding_is_suppressed(self, sample_report):
        suppressed = [r for r in sarif(sample_report)["results"] if "suppressions" in r]
        assert [r["suppressions"][0]["justification"] for r in suppressed] == [
            "waived until 2026-06-30 by waivers/gpu.yaml:1:3 (risk, approved by finance): the new cluster comes in June",
            "excepted by sandbox accounts",
        ]

    def test_unreadable_input_means_the_run_did_not_succeed(self, sample_report, build):
        assert sarif(sample_report)["invocations"][0]["executionSuccessful"] is False
        assert sarif(build.report())["invocations"][0]["executionSuccessful"] is True

    def test_fingerprints_stay_when_lines_move_and_tell_findings_apart(self, build):
        policy = build.policy("p")

        def fingerprints(line):
            subject = build.subject(line=line)
            found = [build.finding(policy, subject, message) for message in ("same", "same", "other")]
            run = sarif(build.report(build.decision(subject, *found)))
            return [r["partialFingerprints"]["solonFinding/v1"] for r in run["results"]]

        assert fingerprints(1) == fingerprints(99)
        assert len(set(fingerprints(1))) == 3

    @pytest.mark.parametrize(
        "file,artifact",
        [
            ("a/b.yaml", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
            ("./b c.yaml", {"uri": "b%20c.yaml", "uriBaseId": "%SRCROOT%"}),
            ("x:y.yaml", {"uri": "x%3Ay.yaml", "uriBaseId": "%SRCROOT%"}),
            ("../up.yaml", {"uri": "../up.yaml", "uriBaseId": "%SRCROOT%"}),
            ("/tmp/ü.yaml", {"uri": "file:///tmp/%C3%BC.yaml"}),
            ("-", {"uri": "stdin", "uriBaseId": "%SRCROOT%"}),
        ],
    )
    def test_uris(self, build, file, artifact):
        policy, subject = build.policy("p"), build.subject(file=file)
        run = sarif(build.report(build.decision(subject, build.finding(policy, subject, "no"))))
        assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == artifact

    def test_a_file_without_a_line_has_no_region(self, build):
        policy, subject = build.policy("p"), build.subject()
        found = build.finding(policy, subject, "no", location=Location("x.yaml"))
        run = sarif(build.report(build.decision(subject, found)))
        assert "region" not in run["results"][0]["locations"][0]["physicalLocation"]


class TestJunit:
    def test_hostile_text_is_well_formed_and_counts_add_up(self, nasty_report):
        root = ET.fromstring(render("junit", nasty_report).encode())
        for element in [root, *root]:
            cases = list(element.iter("testcase"))
            assert int(element.get("tests")) == len(cases)
            for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(element.get(count)) == sum(case.find(tag) is not None for case in cases)
        assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("9", "18", "0")

    def test_a_subject_that_no_policy_matched_is_not_passed(self, build):
        root = ET.fromstring(render("junit", build.report(build.decision(build.subject(), policies=0))))
        assert root.find(".//testcase/skipped").get("message") == "no policy matched"

    def test_findings_of_one_policy_are_one_case(self, build):
        policy, subject = build.policy("p"), build.subject()
        found = [build.finding(policy, subject, message) for message in ("first", "second")]
        root = ET.fromstring(render("junit", build.report(build.decision(subject, *found))))
        (failure,) = root.findall(".//failure")
        assert failure.get("message") == "first (and 1 more)"
        assert "second" in failure.text

    def test_a_warning_passes(self, build):
        policy, subject = build.policy("p", Stage.WARN), build.subject()
        report = build.report(build.decision(subject, build.finding(policy, subject, "careful")))
        root = ET.fromstring(render("junit", report))
        assert root.get("failures") == "0"
        assert "careful" in root.find(".//system-out").text


class TestGithub:
    def test_no_text_begins_a_command_of_its_own(self, nasty_report):
        lines = render("github", nasty_report).splitlines()
        command = re.compile(r"::(error|warning|notice) file=[^:,]*,(line=\d+,)?(col=\d+,)?title=[^:,]*::")
        assert len(lines) == 9 * 4 + 1
        assert all(command.match(line) for line in lines[:-1])
        assert not lines[-1].startswith("::")

    def test_escaping(self, build):
        policy, subject = build.policy("p:q,r%"), build.subject("Pod/a,b:c", "d,e:f%.yaml", 3)
        text = render(
            "github", build.report(build.decision(subject, build.finding(policy, subject, "50%\nnext: x, y")))
        )
        assert text.splitlines()[0] == (
            "::error file=d%2Ce%3Af%25.yaml,line=3,title=p%3Aq%2Cr%25 (deny)::Pod/a,b:c: 50%25%0Anext: x, y"
        )

    def test_the_gravest_come_first(self, build):
        subject = build.subject()
        stages = (Stage.DRYRUN, Stage.WARN, Stage.ENFORCE)
        found = [build.finding(build.policy(stage.value, stage), subject, "no") for stage in stages]
        lines = render("github", build.report(*(build.decision(subject, f) for f in found))).splitlines()
        assert [line.split(" ")[0] for line in lines[:3]] == ["::error", "::warning", "::notice"]
