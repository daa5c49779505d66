package ml.regression_test

import data.ml.fixtures_test as fixtures
import data.ml.regression

settings := {
	"tolerance": {"any": 0.01, "roc_auc": 0.005},
	"fewest_rows": 300,
	"spared_tiers": ["minimal"],
	"first_releases": [],
}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := regression.deny with input as release
		with data.ml_regression as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

accuracy := "/evidence/performance/result/baseline/accuracy"

said(comparison) := messages(deny(fixtures.changed([fixtures.set(accuracy, comparison)])))

test_as_good_as_what_is_deployed_passes if count(deny(fixtures.release)) == 0

test_worse_for_sure_is_caught if {
	comparison := {"n": 2000, "candidate": 0.8, "baseline": 0.83, "change": -0.03, "interval": fixtures.interval(-0.045, -0.015)}
	deny(fixtures.changed([fixtures.set(accuracy, comparison)])) == {{
		"msg": "accuracy is 0.8, and was 0.83 with version 6: worse by 0.015 to 0.045 (95% confidence), where 0.01 is tolerated",
		"path": ["evidence", "performance", "result", "baseline", "accuracy"],
	}}
}

test_noise_does_not_block if {
	comparison := {"n": 2000, "candidate": 0.8, "baseline": 0.82, "change": -0.02, "interval": fixtures.interval(-0.04, -0.009)}
	count(said(comparison)) == 0
}

test_a_metric_may_have_its_own_tolerance if {
	comparison := {"n": 2000, "candidate": 0.8, "baseline": 0.808, "change": -0.008, "interval": fixtures.interval(-0.01, -0.006)}
	release := fixtures.changed([fixtures.set("/evidence/performance/result/baseline/roc_auc", comparison)])
	messages(deny(release)) == {
		"roc_auc is 0.8, and was 0.808 with version 6: worse by 0.006 to 0.01 (95% confidence), where 0.005 is tolerated",
	}
}

itself(release) if {
	some finding in deny(release)
	finding.path == ["release", "performance", "baseline"]
	finding.msg == "was compared with itself, and not with the version that is deployed"
}

test_a_model_that_is_its_own_baseline_is_caught if {
	every release in {
		fixtures.changed([fixtures.set("/release/performance/baseline", {"version": "7"})]),
		fixtures.changed([fixtures.set("/evidence/performance/measured/1", {"what": "baseline", "digest": file})]),
		fixtures.changed([
			fixtures.set("/evidence/performance/measured/1", {"what": "predictions", "digest": "sha256:aa", "path": "p.csv"}),
			fixtures.set("/evidence/performance/measured/2", {"what": "baseline", "digest": "sha256:aa", "path": "copy.csv"}),
		]),
		fixtures.changed([
			fixtures.set("/evidence/performance/result/predictions", "recorded"),
			fixtures.set("/evidence/performance/result/baseline_predictions", "recorded"),
			fixtures.set("/release/performance/baseline", {"version": "6", "predictions": "holdout.csv"}),
		]),
	} {
		itself(release)
	}
	other := {"what": "baseline", "digest": "sha256:bb", "path": "credit-6.onnx"}
	not itself(fixtures.changed([fixtures.set("/evidence/performance/measured/1", other)]))
}

file := fixtures.release.model.files[0].digest

test_an_unknown_change_is_caught if {
	said({"n": 2000, "unknown": "the baseline predicted other rows"}) == {
		"how accuracy compares with version 6 is unknown: the baseline predicted other rows",
	}
	said({"n": 2000, "candidate": 0.8, "baseline": 0.79, "change": 0.01}) == {
		"how accuracy compares with version 6 is unknown: the change has no interval to tell noise from loss",
	}
}

test_a_change_between_unknown_values_is_caught if {
	worse := {"n": 2000, "candidate": 0.8, "baseline": 0.83, "change": -0.03, "interval": fixtures.interval(-0.045, -0.015)}
	every field in ["candidate", "baseline"] {
		said(object.remove(worse, [field])) == {
			"how accuracy compares with version 6 is unknown: the change has no interval to tell noise from loss",
		}
	}
}

test_a_baseline_that_somebody_recorded_does_not_do_in_a_high_tier if {
	messages(deny(fixtures.changed([fixtures.set("/evidence/performance/result/baseline_predictions", "recorded")]))) == {
		"predictions of version 6 are recorded, and tier high wants them from: command, onnx",
	}
	messages(deny(fixtures.changed([fixtures.unset("/evidence/performance/result/baseline_predictions")]))) == {
		"predictions of version 6 are from nobody knows where, and tier high wants them from: command, onnx",
	}
}

test_few_rows_hide_a_loss if {
	comparison := {"n": 299, "candidate": 0.6, "baseline": 0.8, "change": -0.2, "interval": fixtures.interval(-0.41, 0.01)}
	said(comparison) == {"accuracy was compared with version 6 on 299 rows, fewer than the 300 that tell anything"}
}

test_what_was_promised_must_be_compared if {
	messages(deny(fixtures.changed([fixtures.unset(accuracy)]))) == {
		"accuracy was not compared with version 6, and has a declared limit",
	}
}

uncompared := fixtures.changed([
	fixtures.unset("/evidence/performance/result/baseline"),
	fixtures.unset("/evidence/performance/result/baseline_version"),
])

test_nothing_compared_is_caught if {
	messages(deny(uncompared)) == {"was not compared with the version that is deployed, and tier high requires it"}
	messages(deny(fixtures.changed([fixtures.set("/evidence/performance/result/baseline", {})]))) == {
		"was not compared with the version that is deployed, and tier high requires it",
	}
}

first(until) := json.patch(settings, [{"op": "replace", "path": "/first_releases", "value": [{
	"model": "cred*",
	"until": until,
	"reason": "none is deployed yet",
}]}])

test_a_first_release_is_excepted_until_its_day_is_over if {
	count(under(uncompared, first("2027-03-01"))) == 0
	messages(under(uncompared, first("2027-02-28"))) == {
		"was not compared with the version that is deployed, and tier high requires it; its exception ran out on 2027-02-28",
	}
	messages(under(uncompared, first("soon"))) == {
		"was not compared with the version that is deployed, and tier high requires it; its exception ran out on soon",
	}
}

test_an_exception_without_a_reason_or_for_another_model_is_none if {
	every change in [fixtures.unset("/first_releases/0/reason"), fixtures.set("/first_releases/0/model", "other")] {
		count(under(uncompared, json.patch(first("2027-03-31"), [change]))) == 1
	}
}

test_who_says_what_it_replaces_is_held_to_it if {
	release := json.patch(fixtures.spared("drift"), [
		fixtures.unset("/evidence/performance/result/baseline"),
		fixtures.set("/release/performance/baseline", {"version": "6"}),
	])
	messages(deny(release)) == {"was not compared with the version that is deployed, and tier minimal requires it"}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("performance") {
		messages(deny(release)) == {said}
	}
}

test_a_mild_tier_needs_no_comparison if {
	count(deny(fixtures.spared("performance"))) == 0
	count(deny(json.patch(fixtures.spared("drift"), [fixtures.unset("/evidence/performance/result/baseline")]))) == 0
}

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {
		"cannot be judged: data.ml_regression is not loaded (library/data/ml-regression.yaml)",
	}
}
