# METADATA
# title: A model does no worse than the one it replaces
# description: >-
#   On the same rows, each metric with a declared minimum is compared with the version that is deployed. A release is denied
#   where the whole interval of the change lies below the tolerance, so that noise does not block; and where nothing was
#   compared, or on too few rows to tell, as an interval that is wide enough shows nothing.
# custom:
#   severity: high
#   owner: ml-platform
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.15
#     - NIST-AI-RMF:MEASURE-2.3
#     - NIST-AI-RMF:MEASURE-4.3
#     - ISO-42001:A.6.2.4
#     - SOC2:CC8.1
#   remediation: >-
#     Improve the model until it does as well as what is deployed; library/data/ml-regression.yaml has how much worse it may be.
package ml.regression

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_regression", _settings, [["tolerance", "any"], ["fewest_rows"], ["spared_tiers"]])
}

deny contains finding if {
	_wanted
	finding := ml.gap("performance")
}

# Nobody says what it replaces.
deny contains {"msg": msg, "path": ["release", "performance"], "remediation": remediation} if {
	_result
	_wanted
	count(_compared) == 0
	msg := sprintf("was not compared with the version that is deployed, and tier %s requires it%s", [
		ml.tier,
		ml.ran_out(ml.expired(_first)),
	])
	remediation := concat("", [
		"Declare performance.baseline in release.yaml, with its predictions on the same rows; ",
		"or have the model added to first_releases in library/data/ml-regression.yaml where none is deployed",
	])
}

# Compared, but not in what was promised.
deny contains {"msg": msg, "path": ["release", "performance", "metrics"], "remediation": remediation} if {
	_wanted
	count(_compared) > 0
	some metric, _ in input.release.performance.minimums
	not _compared[metric]
	msg := sprintf("%s was not compared with %s, and has a declared limit", [metric, _baseline])
	remediation := sprintf("Add %s to performance.metrics in release.yaml, and collect the evidence anew", [metric])
}

# Worse for sure: so is the best that the interval leaves room for.
deny contains {"msg": msg, "path": ["evidence", "performance", "result", "baseline", metric]} if {
	some metric, comparison in _compared
	comparison.interval.high < 0 - _tolerance(metric)
	msg := sprintf("%s is %s, and was %s with %s: worse by %s to %s (%s confidence), where %s is tolerated", [
		metric,
		ml.number(comparison.candidate),
		ml.number(comparison.baseline),
		_baseline,
		ml.number(0 - comparison.interval.high),
		ml.number(0 - comparison.interval.low),
		ml.percent(comparison.interval.confidence),
		ml.number(_tolerance(metric)),
	])
}

deny contains {"msg": msg, "path": ["evidence", "performance", "result", "baseline", metric], "remediation": remediation} if {
	some metric, comparison in _compared
	not _interval(comparison)
	msg := sprintf("how %s compares with %s is unknown: %s", [
		metric,
		_baseline,
		object.get(comparison, "unknown", "the change has no interval to tell noise from loss"),
	])
	remediation := "Put right what it says, then collect the evidence anew: solon model collect --only performance"
}

deny contains {"msg": msg, "path": ["evidence", "performance", "result", "baseline", metric], "remediation": remediation} if {
	some metric, comparison in _compared
	not _enough(comparison)
	msg := sprintf("%s was compared with %s on %s, fewer than the %v that tell anything", [
		metric,
		_baseline,
		ml.count_of(object.get(comparison, "n", 0), "row"),
		_settings.fewest_rows,
	])
	remediation := "Compare them on more data that was held out"
}

# What is compared with itself is never worse.
deny contains {"msg": msg, "path": ["release", "performance", "baseline"], "remediation": remediation} if {
	_result.baseline
	_itself
	msg := "was compared with itself, and not with the version that is deployed"
	remediation := "Name the version that is deployed, and its files, under performance.baseline in release.yaml"
}

# Who recorded what the deployed version predicted could have recorded worse.
deny contains {"msg": msg, "path": ["evidence", "performance", "result", "baseline_predictions"], "remediation": remediation} if {
	count(_compared) > 0
	not _fit
	msg := sprintf("predictions of %s are %s, and tier %s wants them from: %s", [
		_baseline,
		object.get(_result, "baseline_predictions", "from nobody knows where"),
		ml.tier,
		concat(", ", ml.demands.predictions),
	])
	remediation := "Have them made while measuring: name the deployed model under performance.baseline.onnx, or collect with --baseline-predictor"
}

default _settings := {}

_settings := data.ml_regression if is_object(data.ml_regression)

_result := input.evidence.performance.result if ml.measured("performance")

default _compared := {}

_compared := _result.baseline

_baseline := sprintf("version %s", [_result.baseline_version]) if {
	_result.baseline_version
} else := "the version that is deployed"

# A comparison is wanted where the tier asks for it, or the release says what it replaces; not of a model's first release.
_wanted if {
	not _spared
	count(ml.exceptions(_first)) == 0
}

_wanted if input.release.performance.baseline

_spared if ml.tier in _settings.spared_tiers

_first := object.get(_settings, "first_releases", [])

_tolerance(metric) := object.get(_settings.tolerance, metric, _settings.tolerance.any)

_interval(comparison) if {
	is_number(comparison.candidate)
	is_number(comparison.baseline)
	is_number(comparison.interval.low)
	is_number(comparison.interval.high)
}

_itself if input.release.performance.baseline.version == input.release.version

_itself if {
	_result.predictions == "recorded"
	_result.baseline_predictions == "recorded"
	declared := input.release.performance
	object.get(declared.baseline, "predictions", "") == object.get(declared, "predictions", declared.data)
}

_itself if {
	some file in input.evidence.performance.measured
	file.what == "baseline"
	_of_candidate[file.digest]
}

# The released files, and the predictions that were recorded for them.
_of_candidate[file.digest] if some file in input.model.files

_of_candidate[file.digest] if {
	some file in input.evidence.performance.measured
	file.what in {"predictions", "data"}
}

_fit if _result.baseline_predictions in ml.demands.predictions

_enough(comparison) if comparison.n >= _settings.fewest_rows
