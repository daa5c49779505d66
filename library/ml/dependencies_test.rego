package ml.dependencies_test

import data.ml.dependencies
import data.ml.fixtures_test as fixtures

settings := {"severities": ["low", "medium", "high", "critical"], "database_days": 14, "accepted": []}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := dependencies.deny with input as release
		with data.ml_dependencies as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(sprintf("/evidence/dependencies/result%s", [path]), value)])))

said_without(path) := messages(deny(fixtures.changed([fixtures.unset(sprintf("/evidence/dependencies/result%s", [path]))])))

vulnerable(severity) := fixtures.changed([fixtures.set("/evidence/dependencies/result/vulnerabilities", [{
	"id": "GHSA-1",
	"package": "numpy",
	"version": "2.4.1",
	"severity": severity,
	"summary": "reads past the end",
	"aliases": ["CVE-2027-1"],
	"fixed": ["2.4.3"],
}])])

test_nothing_known_passes if {
	count(deny(fixtures.release)) == 0
	count(deny(vulnerable("low"))) == 0
}

test_what_the_tier_refuses_is_caught if {
	every severity in ["medium", "high", "critical", "unknown", "severe"] {
		deny(vulnerable(severity)) == {{
			"msg": sprintf("numpy 2.4.1 has GHSA-1, of severity %s (reads past the end)", [severity]),
			"path": ["evidence", "dependencies", "result", "vulnerabilities", 0],
			"remediation": "Take numpy 2.4.3",
		}}
	}
}

test_a_milder_tier_refuses_less if {
	mild := json.patch(vulnerable("high"), [
		fixtures.set("/release/use", "demand-forecast"),
		fixtures.set("/release/risk", "minimal"),
		fixtures.set("/release/environment", "dev"),
	])
	count(deny(mild)) == 0
	count(deny(json.patch(mild, [fixtures.set("/evidence/dependencies/result/vulnerabilities/0/severity", "critical")]))) == 1
}

test_what_has_no_fix_is_told_so if {
	some finding in deny(json.patch(vulnerable("high"), [
		fixtures.unset("/evidence/dependencies/result/vulnerabilities/0/fixed"),
		fixtures.unset("/evidence/dependencies/result/vulnerabilities/0/summary"),
	]))
	finding.msg == "numpy 2.4.1 has GHSA-1, of severity high"
	startswith(finding.remediation, "No version has a fix: do without numpy")
}

accepting(until) := json.patch(settings, [fixtures.set("/accepted", [{
	"model": "*",
	"id": "CVE-2027-1",
	"package": "numpy",
	"until": until,
	"reason": "nothing is read",
}])])

test_a_vulnerability_may_be_accepted_until_its_day_is_over if {
	count(under(vulnerable("high"), accepting("2027-03-01"))) == 0
	messages(under(vulnerable("high"), accepting("2027-02-28"))) == {
		"numpy 2.4.1 has GHSA-1, of severity high (reads past the end); its exception ran out on 2027-02-28",
	}
	every change in [
		fixtures.unset("/accepted/0/until"),
		fixtures.unset("/accepted/0/reason"),
		fixtures.set("/accepted/0/package", "scipy"),
		fixtures.set("/accepted/0/id", "CVE-2027-2"),
	] {
		count(under(vulnerable("high"), json.patch(accepting("2027-03-01"), [change]))) == 1
	}
}

test_a_package_that_could_not_be_matched_is_caught if {
	said("/packages/0/unknown", "not pinned to a version") == {
		"whether onnxruntime 1.23.2 is vulnerable is unknown: not pinned to a version",
	}
	said("/packages/0/ecosystem", "npm") == {
		"whether onnxruntime is vulnerable is unknown: the database has nothing of its ecosystem",
	}
}

test_an_empty_list_is_caught if {
	said("/packages", []) == {"lists no package at all, which no model runs without"}
	said_without("/packages") == {"lists no package at all, which no model runs without"}
}

test_without_a_database_nothing_is_known if {
	said_without("/database") == {"was matched with no database of vulnerabilities, so that nothing is known"}
	said("/database/records", 0) == {"was matched with no database of vulnerabilities, so that nothing is known"}
}

test_a_stale_database_is_caught if {
	count(said("/database/newest", "2027-02-15T12:00:00Z")) == 0
	said("/database/newest", "2027-02-14T11:00:00Z") == {
		"the newest record of the database is of 2027-02-14T11:00:00Z, and may be 14 days old",
	}
	said("/database/newest", "2029-01-01T00:00:00Z") == {
		"the newest record of the database is of 2029-01-01T00:00:00Z, and may be 14 days old",
	}
	said("/database/newest", "lately") == {"the newest record of the database is of lately, and may be 14 days old"}
	said_without("/database/newest") == {"the newest record of the database is of nobody knows when, and may be 14 days old"}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("dependencies") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("dependencies"))) == 0

test_without_its_data_nothing_passes if {
	some finding in under(fixtures.release, false)
	finding.msg == "cannot be judged: data.ml_dependencies is not loaded (library/data/ml-dependencies.yaml)"
}
