package ml.fairness_test

import data.ml.fairness
import data.ml.fixtures_test as fixtures

settings := {
	"limits": {
		"demographic_parity_difference": {"most": 0.1},
		"demographic_parity_ratio": {"least": 0.8},
		"calibration_difference": {"most": 0.05, "where_measured": true},
	},
	"judged_by": "value",
	"smallest": 30,
	"uses": {"credit-scoring": ["sex", "age"], "demand-forecast": []},
	"any_use": ["sex", "ethnicity"],
	"intersections": true,
	"columns": {"sex": ["sex", "gender"], "age": ["age", "age_group"]},
	"accepted_small_groups": [],
}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := fairness.deny with input as release
		with data.ml_fairness as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(sprintf("/evidence/fairness/result%s", [path]), value)])))

parity := "/attributes/sex/disparities/demographic_parity_difference"

otherwise(field, value) := {finding.msg |
	some finding in deny(fixtures.changed([
		fixtures.set("/release/performance/onnx", "model.onnx"),
		fixtures.set("/release/performance/features", ["income", "debt"]),
		fixtures.set("/release/fairness/onnx", "model.onnx"),
		fixtures.set("/release/fairness/features", ["income", "debt"]),
		fixtures.set(sprintf("/release/fairness/%s", [field]), value),
	]))
}

test_another_model_or_other_columns_than_under_performance_are_caught if {
	otherwise("features", ["income", "debt"]) == set()
	otherwise("features", ["debt", "nothing"]) == {"features of fairness is not that of performance, so that they may be of two models"}
	otherwise("onnx", "fair.onnx") == {"onnx of fairness is not that of performance, so that they may be of two models"}
}

test_within_the_limits_passes if {
	count(deny(fixtures.release)) == 0
	count(said("/attributes/sex/disparities/calibration_difference", {"value": 0.04, "low": "a", "high": "b"})) == 0
}

test_over_a_limit_is_caught if {
	disparity := {"value": 0.1234, "low": "female", "high": "male"}
	deny(fixtures.changed([fixtures.set(sprintf("/evidence/fairness/result%s", [parity]), disparity)])) == {{
		"msg": "demographic_parity_difference by sex (between female and male) is 0.1234, above the limit of 0.1",
		"path": ["evidence", "fairness", "result", "attributes", "sex", "disparities", "demographic_parity_difference"],
	}}
	said("/attributes/sex/disparities/demographic_parity_ratio", {"value": 0.79, "low": "female", "high": "male"}) == {
		"demographic_parity_ratio by sex (between female and male) is 0.79, below the limit of 0.8",
	}
	said("/attributes/sex/disparities/calibration_difference", {"value": 0.06, "low": "female", "high": "male"}) == {
		"calibration_difference by sex (between female and male) is 0.06, above the limit of 0.05",
	}
}

test_a_disparity_between_nobody_knows_whom_is_caught if {
	said(parity, {"value": 0.3}) == {"demographic_parity_difference by sex is 0.3, above the limit of 0.1"}
}

test_groups_together_are_judged if {
	path := "/attributes/sex x age_group/disparities/demographic_parity_difference"
	said(path, {"value": 0.3, "low": "female x < 25", "high": "male x >= 65"}) == {concat("", [
		"demographic_parity_difference by sex x age_group (between female x < 25 and male x >= 65) is 0.3, ",
		"above the limit of 0.1",
	])}
}

test_the_worse_end_of_the_interval_may_count if {
	strict := json.patch(settings, [fixtures.set("/judged_by", "interval")])
	wide := fixtures.changed([fixtures.set(
		sprintf("/evidence/fairness/result%s", [parity]),
		{"value": 0.09, "interval": fixtures.interval(0.05, 0.14), "low": "a", "high": "b"},
	)])
	count(deny(wide)) == 0
	messages(under(wide, strict)) == {concat("", [
		"demographic_parity_difference by sex (between a and b) is 0.09, ",
		"but with 95% confidence may be 0.14, above the limit of 0.1",
	])}
}

test_an_unknown_disparity_is_caught if {
	said(parity, {"unknown": "all rows are in one group"}) == {
		"demographic_parity_difference by sex is unknown (all rows are in one group), and the limit is 0.1",
	}
}

test_what_was_not_measured_is_caught if {
	messages(deny(fixtures.changed([fixtures.unset(sprintf("/evidence/fairness/result%s", [parity]))]))) == {
		"demographic_parity_difference by sex was not measured, and has a limit",
	}
}

test_calibration_is_asked_for_where_there_are_scores if {
	messages(deny(fixtures.changed([fixtures.set("/release/fairness/score", "probability")]))) == {sprintf(
		"calibration_difference by %s was not measured, and has a limit",
		[name],
	) |
		some name, _ in fixtures.release.evidence.fairness.result.attributes
	}
}

test_an_attribute_that_the_use_asks_for_is_missed if {
	release := fixtures.changed([fixtures.unset("/evidence/fairness/result/attributes/age_group")])
	deny(release) == {{
		"msg": "was not measured by age, and the use credit-scoring asks for it",
		"path": ["release", "fairness", "attributes"],
		"remediation": "Add the column to fairness.attributes in release.yaml, under one of these names: age, age_group",
	}}
}

test_a_use_without_a_list_has_that_of_any_use if {
	messages(deny(fixtures.changed([fixtures.set("/release/use", "triage")]))) == {
		"was not measured by ethnicity, and every use that has no list of its own asks for it",
	}
	messages(deny(fixtures.changed([fixtures.unset("/release/use")]))) == {
		"was not measured by ethnicity, and every use that has no list of its own asks for it",
	}
}

test_pairs_must_be_judged_together if {
	release := fixtures.changed([fixtures.unset("/evidence/fairness/result/attributes/sex x age_group")])
	messages(deny(release)) == {"was not measured by age_group and sex together"}
	count(under(release, json.patch(settings, [fixtures.set("/intersections", false)]))) == 0
}

small := fixtures.changed([
	fixtures.set("/evidence/fairness/result/attributes/sex/groups", [
		{"values": {"sex": "female"}, "n": 900, "n_positive": 300, "n_negative": 600, "rates": {}},
		{"values": {"sex": "x"}, "n": 12, "n_positive": 4, "n_negative": 8, "rates": {}},
	]),
	fixtures.set(sprintf("/evidence/fairness/result%s/left_out", [parity]), ["x"]),
])

accepting(until) := json.patch(settings, [fixtures.set("/accepted_small_groups", [{
	"model": "credit",
	"attribute": "sex",
	"group": "x",
	"until": until,
	"reason": "12 customers",
}])])

test_a_group_too_small_to_judge_is_told if {
	messages(deny(small)) == {"the group x of sex is too small to judge (12 rows, 4 positive)"}
	unlisted := json.patch(small, [fixtures.set("/evidence/fairness/result/attributes/sex/groups", [])])
	messages(deny(unlisted)) == {"the group x of sex is too small to judge"}
}

test_a_small_group_may_be_accepted_until_its_day_is_over if {
	count(under(small, accepting("2027-03-01"))) == 0
	messages(under(small, accepting("2027-02-28"))) == {
		"the group x of sex is too small to judge (12 rows, 4 positive); its exception ran out on 2027-02-28",
	}
	unreasoned := json.patch(accepting("2027-03-01"), [fixtures.unset("/accepted_small_groups/0/reason")])
	count(under(small, unreasoned)) == 1
	elsewhere := json.patch(accepting("2027-03-01"), [fixtures.set("/accepted_small_groups/0/attribute", "age")])
	count(under(small, elsewhere)) == 1
}

test_what_is_unknown_for_small_groups_alone_is_accepted_with_them if {
	unknown := {"unknown": "1 of 2 groups can be judged", "left_out": ["x"]}
	release := json.patch(small, [fixtures.set(sprintf("/evidence/fairness/result%s", [parity]), unknown)])
	count(under(release, accepting("2027-03-01"))) == 0
	messages(deny(release)) == {
		"demographic_parity_difference by sex is unknown (1 of 2 groups can be judged), and the limit is 0.1",
		"the group x of sex is too small to judge (12 rows, 4 positive)",
	}
	nothing_left_out := json.patch(release, [fixtures.set(sprintf("/evidence/fairness/result%s/left_out", [parity]), [])])
	count(under(nothing_left_out, accepting("2027-03-01"))) == 1
}

test_who_releases_does_not_say_what_is_small if {
	said("/smallest", 1) == {"judges groups of 1, smaller than the 30 that tell anything"}
}

test_what_is_not_said_does_not_pass if {
	messages(deny(fixtures.changed([fixtures.unset("/evidence/fairness/result/smallest")]))) == {
		"judges groups of 0, smaller than the 30 that tell anything",
	}
	messages(deny(fixtures.changed([fixtures.unset("/evidence/fairness/result/predictions")]))) == {
		"predictions are from nobody knows where, and tier high wants them from: command, onnx",
	}
}

test_recorded_predictions_do_not_do_in_a_high_tier if {
	said("/predictions", "recorded") == {"predictions are recorded, and tier high wants them from: command, onnx"}
}

test_a_limit_without_a_number_is_caught if {
	every limit in [{"max": 0.1}, {"most": "0.1"}, {"most": 0.1, "least": 0}] {
		broken := json.patch(settings, [fixtures.set("/limits/demographic_parity_difference", limit)])
		some finding in under(fixtures.release, broken)
		finding.msg == concat("", [
			"cannot be judged: the limit of demographic_parity_difference has not one number as `least` or `most` ",
			"(library/data/ml-fairness.yaml)",
		])
	}
}

test_what_the_model_was_trained_on_tells_nothing if {
	measured := [
		fixtures.set("/evidence/fairness/measured/-", {"what": "data", "digest": "sha256:7a", "path": "holdout.csv"}),
		fixtures.set("/evidence/drift/measured/-", {"what": "training", "digest": "sha256:7a", "path": "train.csv"}),
	]
	{finding.msg | some finding in deny(fixtures.changed(measured))} == {"measured on holdout.csv, which the model was trained on"}
	elsewhere := json.patch(fixtures.changed(measured), [fixtures.set("/evidence/drift/measured/1/digest", "sha256:7b")])
	count(deny(elsewhere)) == 0
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("fairness") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("fairness"))) == 0

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {"cannot be judged: data.ml_fairness is not loaded (library/data/ml-fairness.yaml)"}
}
