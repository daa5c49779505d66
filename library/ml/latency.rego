# METADATA
# title: A model answers in time
# description: >-
#   The latency and throughput that the release promises, and those of the organisation for its use, are met by enough
#   measured calls; and the model is not slower than what is deployed, timed in turns with it on one machine.
# custom:
#   severity: medium
#   owner: ml-platform
#   subject: ml.release
#   controls:
#     - NIST-AI-RMF:MEASURE-2.3
#     - NIST-AI-RMF:MEASURE-2.6
#     - ISO-42001:A.6.2.4
#     - SOC2:A1.1
#   remediation: Make the model faster, or promise less in release.yaml; library/data/ml-latency.yaml has what its use needs.
package ml.latency

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_latency", _settings, [["fewest_calls"], ["slower"], ["uses"]])
}

deny contains finding if finding := ml.gap("latency")

deny contains {"msg": msg, "path": ["release", "latency"], "remediation": remediation} if {
	_result
	count(_limits) == 0
	not ml.tier in object.get(_settings, "may_promise_none", [])
	msg := sprintf("promises no latency and no throughput, and tier %s promises one", [ml.tier])
	remediation := "Declare latency.maximums or latency.throughput in release.yaml, and collect the evidence anew"
}

deny contains {"msg": msg, "path": ["evidence", "latency", "result", "candidate", limit.measure]} if {
	some limit in _limits
	limit.most < _result.candidate[limit.measure]
	msg := sprintf("%s is %s, above %s of %s", [
		limit.measure,
		ml.beside(_result.candidate[limit.measure], limit.most),
		limit.whose,
		ml.number(limit.most),
	])
}

deny contains {"msg": msg, "path": ["evidence", "latency", "result", "candidate", "throughput"]} if {
	some limit in _limits
	limit.least > _result.candidate[limit.measure]
	msg := sprintf("throughput is %s rows a second, below %s of %s", [
		ml.beside(_result.candidate[limit.measure], limit.least),
		limit.whose,
		ml.number(limit.least),
	])
}

deny contains {"msg": msg, "path": ["evidence", "latency", "result", "candidate"], "remediation": remediation} if {
	some limit in _limits
	not _timed(limit)
	msg := sprintf("%s was not measured, and %s limits it", [limit.measure, limit.whose])
	remediation := "There are p50_ms, p95_ms, p99_ms and throughput; limit one of them, and collect the evidence anew"
}

deny contains {"msg": msg, "path": ["evidence", "latency", "result", "candidate", "calls"], "remediation": remediation} if {
	_result
	not _enough
	msg := sprintf("timed over %s, fewer than the %v that tell anything", [
		ml.count_of(object.get(_result, ["candidate", "calls"], 0), "call"),
		_settings.fewest_calls,
	])
	remediation := "Raise latency.calls in release.yaml, and collect the evidence anew"
}

deny contains {"msg": msg, "path": ["release", "latency", field], "remediation": remediation} if {
	_result
	some field in ml.otherwise("latency")
	msg := sprintf("%s of latency is not that of performance, so that they may be of two models", [field])
	remediation := sprintf("Declare the same %s under both in release.yaml, and collect the evidence anew", [field])
}

# Slower for sure: so is the best that the interval leaves room for.
deny contains {"msg": msg, "path": ["evidence", "latency", "result", "slower"]} if {
	_result.slower.interval.low > _settings.slower
	msg := sprintf("takes %s to %s times as long as %s (%s confidence), where %s is tolerated", [
		ml.number(_result.slower.interval.low),
		ml.number(_result.slower.interval.high),
		_baseline,
		ml.percent(_result.slower.interval.confidence),
		ml.number(_settings.slower),
	])
}

deny contains {"msg": msg, "path": ["evidence", "latency", "result"], "remediation": remediation} if {
	_result
	input.release.latency.baseline
	not _compared
	msg := sprintf("declares a version to compare with, and how it compares with %s is unknown", [_baseline])
	remediation := "Time both in one run: solon model collect --only latency --baseline-predictor COMMAND"
}

default _settings := {}

_settings := data.ml_latency if is_object(data.ml_latency)

_result := input.evidence.latency.result if ml.measured("latency")

_baseline := sprintf("version %s", [_result.baseline_version]) if {
	_result.baseline_version
} else := "the version that is deployed"

_enough if _result.candidate.calls >= _settings.fewest_calls

# What the release promises now, and promised when it was timed; and what its use needs.
_limits contains {"measure": measure, "most": most, "whose": "the declared maximum"} if {
	_result
	some measure, most in input.release.latency.maximums
}

_limits contains {"measure": measure, "most": most, "whose": "the declared maximum"} if some measure, most in _result.maximums

_limits contains {"measure": "throughput", "least": least, "whose": "the declared minimum"} if {
	_result
	least := input.release.latency.throughput
}

_limits contains {"measure": "throughput", "least": _result.throughput, "whose": "the declared minimum"}

_limits contains {"measure": measure, "most": most, "whose": sprintf("the limit for %s", [input.release.use])} if {
	_result
	some measure, most in _settings.uses[input.release.use]
	measure != "throughput"
}

_limits contains {"measure": "throughput", "least": least, "whose": sprintf("the limit for %s", [input.release.use])} if {
	_result
	least := _settings.uses[input.release.use].throughput
}

_compared if is_number(_result.slower.interval.low)

_timed(limit) if is_number(_result.candidate[limit.measure])
