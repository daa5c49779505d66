package ml.performance_test

import data.ml.fixtures_test as fixtures
import data.ml.performance

settings := {
	"may_declare_none": ["minimal"],
	"fewest_rows": 100,
	"limits": [
		{"task": "classification", "metric": "accuracy", "least": 0.6},
		{"use": "credit-scoring", "metric": "roc_auc", "least": 0.7},
		{"task": "regression", "metric": "r2", "least": 0},
	],
	"slices": {"slack": 0.1, "smallest": 50, "columns": {"credit-scoring": ["region"]}},
}

deny(release) := under(release, settings, fixtures.tiers)

under(release, settings, tiers) := result if {
	result := performance.deny with input as release
		with data.ml_performance as settings
		with data.ml_tiers as tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

# What is said of the good release with one change.
said(path, value) := {finding.msg | some finding in deny(fixtures.changed([fixtures.set(path, value)]))}

said_without(path) := {finding.msg | some finding in deny(fixtures.changed([fixtures.unset(path)]))}

accuracy := "/evidence/performance/result/metrics/accuracy"

test_a_good_model_passes if count(deny(fixtures.release)) == 0

test_below_a_declared_minimum_is_caught if {
	deny(fixtures.changed([fixtures.set(accuracy, {"n": 2000, "value": 0.74, "interval": fixtures.interval(0.72, 0.76)})])) == {{
		"msg": "accuracy is 0.74, below the declared limit of 0.75",
		"path": ["evidence", "performance", "result", "metrics", "accuracy"],
	}}
}

test_the_low_end_of_the_interval_counts if {
	metric := {"n": 2000, "value": 0.76, "interval": fixtures.interval(0.7412, 0.78)}
	said(accuracy, metric) == {"accuracy is 0.76, but with 95% confidence may be 0.7412, below the declared limit of 0.75"}
}

test_a_tier_may_be_judged_by_the_value if {
	metric := {"n": 2000, "value": 0.76}
	release := fixtures.changed([fixtures.set(accuracy, metric)])
	tiers := json.patch(fixtures.tiers, [{"op": "replace", "path": "/high/judged_by", "value": "value"}])
	count(under(release, settings, tiers)) == 0
}

test_without_an_interval_nothing_is_told if {
	said(accuracy, {"n": 2000, "value": 0.9}) == {
		"accuracy has no interval to tell noise from failing, and is judged by it; the declared limit is 0.75",
		concat("", [
			"accuracy has no interval to tell noise from failing, and is judged by it; ",
			"the limit for classification is 0.6",
		]),
	}
}

test_below_without_an_interval_is_told_once if {
	said(accuracy, {"n": 2000, "value": 0.7}) == {
		"accuracy is 0.7, below the declared limit of 0.75",
		concat("", [
			"accuracy has no interval to tell noise from failing, and is judged by it; ",
			"the limit for classification is 0.6",
		]),
	}
}

test_of_an_error_the_limit_is_the_most if {
	metric := {"n": 2000, "value": 0.7, "interval": fixtures.interval(0.65, 0.75), "higher_is_better": false}
	said("/evidence/performance/result/metrics/log_loss", metric) == {"log_loss is 0.7, above the declared limit of 0.6"}
}

test_a_value_that_is_unknown_is_caught if {
	said(accuracy, {"n": 2000, "unknown": "one class only"}) == {
		"accuracy is unknown (one class only), and the declared limit is 0.75",
		"accuracy is unknown (one class only), and the limit for classification is 0.6",
	}
	said(accuracy, {"n": 2000, "value": "0.99"}) == {
		"accuracy is unknown (no value was measured), and the declared limit is 0.75",
		"accuracy is unknown (no value was measured), and the limit for classification is 0.6",
	}
}

test_what_was_not_measured_is_caught if {
	said_without(accuracy) == {
		"accuracy was not measured, and has a declared limit of 0.75",
		"accuracy was not measured, and has a limit of the organisation",
	}
}

test_a_minimum_that_was_declared_since_counts if {
	said("/release/performance/minimums", {"f1": 0.9}) == {
		"f1 was not measured, and has a declared limit of 0.9",
		"f1 where region is south was not measured, and has a declared limit",
	}
}

test_a_minimum_that_is_no_longer_declared_counts if {
	release := fixtures.changed([
		fixtures.unset("/release/performance/minimums"),
		fixtures.set("/evidence/performance/result/minimums", {"accuracy": 0.9}),
	])
	some finding in deny(release)
	finding.msg == "accuracy is 0.8, below the declared limit of 0.9"
}

test_a_limit_of_the_organisation_holds_whatever_is_declared if {
	metric := {"n": 2000, "value": 0.65, "interval": fixtures.interval(0.62, 0.68)}
	said("/evidence/performance/result/metrics/roc_auc", metric) == {"roc_auc is 0.65, below the limit for credit-scoring of 0.7"}
}

test_a_limit_without_a_number_is_caught if {
	broken := json.patch(settings, [{"op": "replace", "path": "/limits", "value": [{"metric": "f1", "atleast": 1}]}])
	some finding in under(fixtures.release, broken, fixtures.tiers)
	startswith(finding.msg, "cannot be judged: a limit of f1 lacks `metric`, or one number")
}

test_a_limit_of_every_model_is_told_so if {
	general := json.patch(settings, [{"op": "replace", "path": "/limits", "value": [{"metric": "accuracy", "least": 0.9}]}])
	some finding in under(fixtures.release, general, fixtures.tiers)
	finding.msg == "accuracy is 0.8, below the limit for every model of 0.9"
}

test_what_lies_a_hair_below_does_not_look_equal if {
	metric := {"n": 2000, "value": 0.7499999, "interval": fixtures.interval(0.7, 0.8)}
	said(accuracy, metric) == {"accuracy is 0.7499999, below the declared limit of 0.75"}
}

test_a_slice_is_judged_with_slack if {
	slice := "/evidence/performance/result/slices/0/metrics/accuracy"
	metric := {"n": 400, "value": 0.66, "interval": fixtures.interval(0.61, 0.71)}
	some finding in deny(fixtures.changed([fixtures.set(slice, metric)]))
	finding.msg == concat("", [
		"accuracy where region is south (400 rows) is 0.66, ",
		"below the declared limit for a slice (10% off) of 0.675",
	])
	finding.path == ["evidence", "performance", "result", "slices", 0, "metrics", "accuracy"]
	error := {"n": 400, "value": 0.7, "interval": fixtures.interval(0.6, 0.8), "higher_is_better": false}
	said("/evidence/performance/result/slices/0/metrics/log_loss", error) == {concat("", [
		"log_loss where region is south (400 rows) is 0.7, ",
		"above the declared limit for a slice (10% off) of 0.66",
	])}
}

test_a_small_slice_is_not_judged if {
	count(said("/evidence/performance/result/slices/0/metrics/accuracy", {"n": 49, "value": 0.1})) == 0
}

test_a_slice_that_the_use_asks_for_is_missed if {
	said("/evidence/performance/result/slices", []) == {"was not measured by region, and the use credit-scoring asks for it"}
}

test_a_slice_that_the_release_asks_for_is_missed if {
	said("/release/performance/slices", ["region", "channel"]) == {"was not measured by channel, and release.yaml asks for it"}
}

test_a_slice_of_an_unknown_size_is_judged if {
	said("/evidence/performance/result/slices/0/metrics/accuracy", {"unknown": "too few rows"}) == {concat("", [
		"accuracy where region is south (0 rows) is unknown (too few rows), ",
		"and the declared limit for a slice (10% off) is 0.675",
	])}
}

test_few_rows_tell_nothing if {
	said("/evidence/performance/result/n", 99) == {"measured on 99 rows, fewer than the 100 that tell anything"}
}

test_without_a_number_of_rows_nothing_passes if {
	said_without("/evidence/performance/result/n") == {"measured on 0 rows, fewer than the 100 that tell anything"}
	said_without("/evidence/performance/result/predictions") == {
		"predictions are from nobody knows where, and tier high wants them from: command, onnx",
	}
}

test_recorded_predictions_do_not_do_in_a_high_tier if {
	said("/evidence/performance/result/predictions", "recorded") == {
		"predictions are recorded, and tier high wants them from: command, onnx",
	}
}

test_nothing_promised_is_caught if {
	release := fixtures.changed([
		fixtures.unset("/release/performance/minimums"),
		fixtures.set("/evidence/performance/result/minimums", {}),
	])
	{finding.msg | some finding in deny(release)} == {"declares no minimum, and tier high promises one before the training"}
}

test_what_the_model_was_trained_on_tells_nothing if {
	measured := [
		fixtures.set("/evidence/performance/measured/-", {"what": "data", "digest": "sha256:7a", "path": "holdout.csv"}),
		fixtures.set("/evidence/drift/measured/-", {"what": "training", "digest": "sha256:7a", "path": "train.csv"}),
	]
	{finding.msg | some finding in deny(fixtures.changed(measured))} == {"measured on holdout.csv, which the model was trained on"}
	elsewhere := json.patch(fixtures.changed(measured), [fixtures.set("/evidence/drift/measured/1/digest", "sha256:7b")])
	count(deny(elsewhere)) == 0
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("performance") {
		{finding.msg | some finding in deny(release)} == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("performance"))) == 0

test_where_it_is_not_asked_for_it_may_not_be_about_another_model if {
	refused := json.patch(fixtures.spared("latency"), [
		fixtures.set("/evidence/performance/status", "refused"),
		fixtures.set("/evidence/performance/problem", "holdout.csv has changed since it was measured"),
	])
	{finding.msg | some finding in deny(refused)} == {
		"evidence of performance is refused: holdout.csv has changed since it was measured",
	}
}

test_where_it_is_not_asked_for_it_is_judged_all_the_same if {
	release := json.patch(fixtures.spared("latency"), [fixtures.set(accuracy, {"n": 2000, "value": 0.1})])
	some finding in deny(release)
	finding.msg == "accuracy is 0.1, below the declared limit of 0.75"
}

test_without_its_data_nothing_passes if {
	under(fixtures.release, false, fixtures.tiers) == {{
		"msg": "cannot be judged: data.ml_performance is not loaded (library/data/ml-performance.yaml)",
	}}
	some finding in under(fixtures.release, json.patch(settings, [fixtures.unset("/slices/slack")]), fixtures.tiers)
	finding.msg == "cannot be judged: data.ml_performance.slices.slack is not set (library/data/ml-performance.yaml)"
	tiers := json.patch(fixtures.tiers, [fixtures.unset("/high/predictions")])
	some lacking in under(fixtures.release, settings, tiers)
	lacking.msg == "cannot be judged: data.ml_tiers.high.predictions is not set, or no array (library/data/ml-tiers.yaml)"
	some other in under(fixtures.release, settings, {})
	other.msg == "cannot be judged: data.ml_tiers says nothing of the tier high (library/data/ml-tiers.yaml)"
}
