package ml.artifacts_test

import data.ml.artifacts
import data.ml.fixtures_test as fixtures

settings := {"refused_paths": [".git/*", "*/.git/*", ".gitignore"], "accepted": []}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := artifacts.deny with input as release
		with data.ml_artifacts as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

# A release of one file, with what was found of it.
of(found) := fixtures.changed([
	fixtures.set("/model/files", [{"path": "model.pt", "bytes": 9, "digest": "sha256:aa02"}]),
	fixtures.set("/evidence/artifacts/result/artifacts", found),
])

safe := {"path": "model.pt", "format": "zip", "bytes": 9, "verdict": "safe"}

pickle := {
	"path": "model.pt!archive/data.pkl",
	"format": "pickle",
	"bytes": 5,
	"verdict": "unsafe",
	"reasons": ["imports os.system", "REDUCE calls it"],
}

test_safe_formats_pass if {
	count(deny(fixtures.release)) == 0
	count(deny(of([safe]))) == 0
}

test_what_can_run_code_is_caught if {
	deny(of([safe, pickle])) == {{
		"msg": "model.pt!archive/data.pkl is pickle, and loading it can run code: imports os.system; REDUCE calls it",
		"path": ["evidence", "artifacts", "result", "artifacts", 1],
	}}
	clean := json.patch(pickle, [fixtures.unset("/reasons")])
	messages(deny(of([safe, clean]))) == {"model.pt!archive/data.pkl is pickle, and loading it can run code"}
}

test_of_an_archive_its_worst_member_is_told if {
	archive := object.union(safe, {"verdict": "unsafe", "reasons": ["a member is unsafe"]})
	messages(deny(of([archive, pickle]))) == {
		"model.pt!archive/data.pkl is pickle, and loading it can run code: imports os.system; REDUCE calls it",
	}
	unknown := object.union(pickle, {"verdict": "unknown"})
	messages(deny(of([archive, unknown]))) == {
		"model.pt is zip, and loading it can run code: a member is unsafe",
		concat("", [
			"model.pt!archive/data.pkl is pickle, and whether loading it can run code cannot be told: ",
			"imports os.system; REDUCE calls it",
		]),
	}
}

test_what_cannot_be_told_is_caught if {
	messages(deny(of([object.union(safe, {"verdict": "unknown", "reasons": ["ends before its directory"]})]))) == {
		"model.pt is zip, and whether loading it can run code cannot be told: ends before its directory",
	}
	messages(deny(of([{"path": "model.pt"}]))) == {
		"model.pt is of a format that is not known, and whether loading it can run code cannot be told",
	}
	messages(deny(of([object.union(safe, {"verdict": "clean"})]))) == {
		"model.pt is zip, and whether loading it can run code cannot be told",
	}
}

test_a_file_that_nobody_looked_at_is_caught if {
	messages(deny(of([object.union(safe, {"path": "other.onnx"})]))) == {"model.pt is released, and was not looked at"}
	messages(deny(of([]))) == {"model.pt is released, and was not looked at", "no file was looked at"}
}

accepting(until) := json.patch(settings, [fixtures.set("/accepted", [{
	"model": "cred*",
	"digest": "sha256:aa02",
	"until": until,
	"reason": "loaded in a sandbox",
}])])

test_a_file_may_be_accepted_until_its_day_is_over if {
	count(under(of([safe, pickle]), accepting("2027-03-01"))) == 0
	messages(under(of([safe, pickle]), accepting("2027-02-28"))) == {concat("", [
		"model.pt!archive/data.pkl is pickle, and loading it can run code: imports os.system; REDUCE calls it; ",
		"its exception ran out on 2027-02-28",
	])}
}

test_an_exception_is_for_one_file_as_it_is if {
	every change in [
		fixtures.set("/accepted/0/digest", "sha256:bb"),
		fixtures.unset("/accepted/0/digest"),
		fixtures.set("/accepted/0/model", "fraud"),
		fixtures.unset("/accepted/0/reason"),
		fixtures.unset("/accepted/0/until"),
	] {
		count(under(of([safe, pickle]), json.patch(accepting("2027-03-01"), [change]))) == 1
	}
}

test_what_cannot_be_told_is_not_accepted if {
	unknown := object.union(pickle, {"verdict": "unknown"})
	count(under(of([safe, unknown]), accepting("2027-03-01"))) == 1
}

test_what_signatures_leave_out_is_caught if {
	every path in [".git/evil.pkl", "weights/.git/hooks/post", ".gitignore"] {
		release := fixtures.changed([
			fixtures.set("/model/files/-", {"path": path, "bytes": 1, "digest": "sha256:cc"}),
			fixtures.set("/evidence/artifacts/result/artifacts/-", object.union(safe, {"path": path})),
		])
		messages(deny(release)) == {sprintf(
			"%s must not be in a model: signatures leave it out, so that it could be exchanged",
			[path],
		)}
	}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("artifacts") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if {
	tiers := json.patch(fixtures.tiers, [fixtures.set("/minimal/requires", [])])
	count(artifacts.deny) == 0 with input as fixtures.spared("artifacts")
		with data.ml_artifacts as settings
		with data.ml_tiers as tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
}

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {"cannot be judged: data.ml_artifacts is not loaded (library/data/ml-artifacts.yaml)"}
}
