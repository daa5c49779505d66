package ml.evidence_test

import data.ml.evidence
import data.ml.fixtures_test as fixtures

deny(release) := under(release, {"days_ahead": 1}, fixtures.tiers)

under(release, settings, tiers) := result if {
	result := evidence.deny with input as release
		with data.ml_evidence as settings
		with data.ml_tiers as tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(path, value)])))

said_without(path) := messages(deny(fixtures.changed([fixtures.unset(path)])))

test_recent_evidence_about_this_model_passes if count(deny(fixtures.release)) == 0

test_no_evidence_at_all_is_caught if {
	said("/evidence", {}) == {"has no evidence at all"}
	said_without("/evidence") == {"has no evidence at all"}
}

test_files_that_were_not_compared_are_caught if {
	every release in [
		fixtures.changed([fixtures.unset("/model/verified")]),
		fixtures.changed([fixtures.set("/model/verified", false)]),
		fixtures.changed([fixtures.set("/model", {})]),
		fixtures.changed([fixtures.set("/model/verified", "yes")]),
	] {
		messages(deny(release)) == {"the released files are not here, so that whether the evidence is about them cannot be told"}
	}
}

test_old_evidence_is_caught if {
	count(said("/evidence/fairness/collected_at", "2027-01-30T12:00:00Z")) == 0
	deny(fixtures.changed([fixtures.set("/evidence/fairness/collected_at", "2027-01-29T12:00:00Z")])) == {{
		"msg": "evidence of fairness is of 2027-01-29T12:00:00Z, and tier high wants it within 30 days",
		"path": ["evidence", "fairness", "collected_at"],
		"remediation": "Collect it anew: solon model collect --only fairness",
	}}
}

test_evidence_from_the_future_is_caught if {
	count(said("/evidence/fairness/collected_at", "2027-03-02T12:00:00Z")) == 0
	said("/evidence/fairness/collected_at", "2027-03-03T12:00:00Z") == {
		"evidence of fairness is of 2027-03-03T12:00:00Z, and tier high wants it within 30 days",
	}
}

test_evidence_without_a_date_is_caught if {
	said("/evidence/fairness/collected_at", "yesterday") == {
		"evidence of fairness is of yesterday, and tier high wants it within 30 days",
	}
	said_without("/evidence/fairness/collected_at") == {
		"evidence of fairness is of no date that it names, and tier high wants it within 30 days",
	}
}

test_evidence_that_nobody_signed_is_caught if {
	release := fixtures.changed([fixtures.set("/collected_by", {"verified": false, "problem": "nobody signed the evidence"})])
	messages(deny(release)) == {
		"the evidence is signed by nobody who is believed, and tier high requires it: nobody signed the evidence",
	}
	said_without("/collected_by") == {
		"the evidence is signed by nobody who is believed, and tier high requires it: there is no signature",
	}
	unsigned := json.patch(fixtures.tiers, [fixtures.set("/high/signed_evidence", false)])
	count(under(fixtures.changed([fixtures.unset("/collected_by")]), {"days_ahead": 1}, unsigned)) == 0
}

test_a_requirement_that_no_policy_knows_is_told if {
	tiers := json.patch(fixtures.tiers, [fixtures.set("/high/requires/-", "fairnes")])
	messages(under(fixtures.release, {"days_ahead": 1}, tiers)) == {concat("", [
		"cannot be judged: data.ml_tiers.high requires fairnes, which is no part of the evidence ",
		"(library/data/ml-tiers.yaml)",
	])}
}

test_without_its_data_nothing_passes if {
	some finding in under(fixtures.release, false, fixtures.tiers)
	finding.msg == "cannot be judged: data.ml_evidence is not loaded (library/data/ml-evidence.yaml)"
}
