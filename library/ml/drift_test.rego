package ml.drift_test

import data.ml.drift
import data.ml.fixtures_test as fixtures

settings := {
	"column": 0.2,
	"overall": 0.1,
	"more_missing": 0.05,
	"unseen": 0.05,
	"may_choose_columns": ["minimal"],
	"accepted_columns": [],
}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := drift.deny with input as release
		with data.ml_drift as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(sprintf("/evidence/drift/result%s", [path]), value)])))

said_without(path) := messages(deny(fixtures.changed([fixtures.unset(sprintf("/evidence/drift/result%s", [path]))])))

trained_on(digest) := {"what": "training", "digest": digest, "path": "train.csv"}

compared(one, other) := deny(fixtures.changed([
	fixtures.set("/evidence/data/measured/1", trained_on(one)),
	fixtures.set("/evidence/drift/measured/1", trained_on(other)),
]))

test_another_table_than_was_trained_on_is_caught if {
	count(compared("sha256:aa", "sha256:aa")) == 0
	some finding in compared("sha256:aa", "sha256:bb")
	finding.msg == "compares what is served with train.csv, and the model was trained on other data"
	finding.path == ["release", "drift", "training"]
}

test_what_did_not_drift_passes if count(deny(fixtures.release)) == 0

test_a_column_that_drifted_is_caught if {
	deny(fixtures.changed([fixtures.set("/evidence/drift/result/columns/income/psi", 0.31)])) == {{
		"msg": "column income drifted: its index is 0.31, above the limit of 0.2",
		"path": ["evidence", "drift", "result", "columns", "income", "psi"],
	}}
}

test_columns_that_drifted_together_are_caught if {
	said("/overall", 0.12) == {
		"the columns drifted together: the mean of their indices is 0.12, above the limit of 0.1; most of all purpose",
	}
	unnamed := fixtures.changed([
		fixtures.set("/evidence/drift/result/overall", 0.12),
		fixtures.unset("/evidence/drift/result/largest"),
	])
	messages(deny(unnamed)) == {"the columns drifted together: the mean of their indices is 0.12, above the limit of 0.1"}
}

test_an_unknown_index_is_caught if {
	said_without("/columns/income/psi") == {"how far column income drifted is unknown: it has no index"}
	release := fixtures.changed([
		fixtures.set("/evidence/drift/result/columns/income", {
			"kind": "category",
			"n_training": 5000,
			"n_serving": 0,
			"unknown": "every value of serving is missing",
		}),
		fixtures.unset("/evidence/drift/result/overall"),
	])
	messages(deny(release)) == {"how far column income drifted is unknown: every value of serving is missing"}
	said("/columns/income/psi", "0.01") == {"how far column income drifted is unknown: it has no index"}
}

test_an_unknown_mean_is_caught if {
	said_without("/overall") == {"how far the columns drifted together is unknown"}
}

test_few_values_tell_nothing if {
	said("/columns/income/noise", 0.21) == {
		"column income has too few values to tell (5000 in training, 4000 in serving): chance alone makes an index of 0.21",
	}
	said_without("/columns/income/noise") == {
		"column income has too few values to tell (5000 in training, 4000 in serving): chance alone makes an index of 1",
	}
}

test_more_missing_is_caught if {
	said("/columns/income/missing_serving", 0.0725) == {
		"column income is empty in 7.25% of what is served, and was in 2% in training",
	}
	said_without("/columns/income/missing_serving") == {"the missing_serving share of column income is unknown"}
	said_without("/columns/income/missing_training") == {"the missing_training share of column income is unknown"}
}

test_values_never_seen_are_caught if {
	said("/columns/income/unseen", 0.06) == {"column income has values that training never had in 6% of what is served"}
	release := fixtures.changed([
		fixtures.set("/evidence/drift/result/columns/purpose/unseen", 0.5),
		fixtures.set("/evidence/drift/result/columns/purpose/unseen_values", ["boat", "car", "pet", "van"]),
	])
	messages(deny(release)) == {
		"column purpose has values that training never had in 50% of what is served, such as boat, car, pet",
	}
	said_without("/columns/income/unseen") == {"the unseen share of column income is unknown"}
}

test_a_column_in_one_table_only_is_caught if {
	said("/absent", ["postcode"]) == {"column postcode is in one of the tables only, so that its drift is unknown"}
}

test_nothing_compared_is_caught if {
	said("/columns", {}) == {"no column was compared"}
	said_without("/columns") == {"no column was compared"}
}

test_who_releases_does_not_choose_in_a_high_tier if {
	release := fixtures.changed([fixtures.set("/release/drift/columns", ["income"])])
	messages(deny(release)) == {"compares chosen columns only, and tier high wants all of them"}
}

# A model that takes these two, as its predictions show.
taking(changes) := fixtures.changed(array.concat([fixtures.set("/release/performance/features", ["income", "purpose"])], changes))

test_what_the_model_takes_is_enough_to_compare if {
	every changes in [
		[fixtures.set("/release/drift/columns", ["income", "purpose", "age"])],
		[fixtures.set("/evidence/drift/result/absent", ["repaid"])],
	] {
		count(deny(taking(changes))) == 0
		count(deny(taking(array.concat(changes, [fixtures.set("/evidence/performance/result/predictions", "recorded")])))) == 1
		count(deny(taking(array.concat(changes, [fixtures.set("/evidence/performance/status", "error")])))) == 1
	}
	messages(deny(taking([fixtures.set("/release/drift/columns", ["income"])]))) == {
		"compares chosen columns only, and tier high wants all of them",
	}
	messages(deny(taking([fixtures.set("/evidence/drift/result/absent", ["income"])]))) == {
		"column income is in one of the tables only, so that its drift is unknown",
	}
}

accepting(until) := json.patch(settings, [fixtures.set("/accepted_columns", [{
	"model": "credit",
	"column": "in*",
	"until": until,
	"reason": "paid in another currency since",
}])])

test_a_column_may_be_accepted_until_its_day_is_over if {
	every change in [
		fixtures.set("/evidence/drift/result/columns/income/psi", 3),
		fixtures.set("/evidence/drift/result/columns/income/noise", 3),
		fixtures.set("/evidence/drift/result/columns/income/unseen", 1),
		fixtures.set("/evidence/drift/result/absent", ["interest"]),
	] {
		count(under(fixtures.changed([change]), accepting("2027-03-01"))) == 0
		count(under(fixtures.changed([change]), accepting("2027-02-28"))) == 1
	}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("drift") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("drift"))) == 0

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {"cannot be judged: data.ml_drift is not loaded (library/data/ml-drift.yaml)"}
}
