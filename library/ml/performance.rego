# METADATA
# title: A model does as well as was promised before its training
# description: >-
#   Every minimum that the release declares, and every limit of the organisation for the task and the use, was measured on
#   enough rows and is met, over all rows and on each slice. Of an error the limit is the most. The tier says whether a
#   value or the worse end of its interval is held against it, and whether predictions that somebody recorded will do.
# custom:
#   severity: high
#   owner: ml-platform
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.9
#     - EU-AI-Act:Art.15
#     - EU-AI-Act:Annex-IV
#     - NIST-AI-RMF:MAP-2.1
#     - NIST-AI-RMF:MEASURE-1.1
#     - NIST-AI-RMF:MEASURE-2.3
#     - NIST-AI-RMF:MEASURE-2.5
#     - NIST-AI-RMF:MEASURE-2.6
#     - ISO-42001:A.6.2.4
#     - SOC2:CC8.1
#   remediation: >-
#     Improve the model until it meets the limit; where only the interval breaks it, measure on more data that was held
#     out. library/data/ml-performance.yaml has the limits of the organisation.
package ml.performance

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_performance", _settings, [["limits"], ["fewest_rows"], ["slices", "slack"], ["slices", "smallest"]])
}

deny contains finding if finding := ml.gap("performance")

# Nothing was promised.
deny contains {"msg": msg, "path": ["release", "performance"], "remediation": remediation} if {
	_result
	count(_declared) == 0
	not ml.tier in object.get(_settings, "may_declare_none", [])
	msg := sprintf("declares no minimum, and tier %s promises one before the training", [ml.tier])
	remediation := "Declare under performance.minimums in release.yaml what the model must reach, and collect the evidence anew"
}

# Promised, or asked for, and not measured.
deny contains {"msg": msg, "path": ["release", "performance", "metrics"], "remediation": remediation} if {
	some wanted in _wanted
	not _result.metrics[wanted.metric]
	msg := sprintf("%s was not measured, and has %s", [wanted.metric, wanted.phrase])
	remediation := sprintf("Add %s to performance.metrics in release.yaml, and collect the evidence anew", [wanted.metric])
}

deny contains {"msg": msg, "path": ["evidence", "performance", "result", "metrics", wanted.metric]} if {
	some wanted in _wanted
	metric := _result.metrics[wanted.metric]
	msg := ml.shortfall(wanted.metric, metric, _limit(wanted, metric), wanted.whose, ml.demands.judged_by)
}

# A limit that cannot be held against anything limits nothing.
deny contains {"msg": msg} if {
	some limit in _settings.limits
	not _limits(limit)
	msg := sprintf("cannot be judged: a limit of %v lacks `metric`, or one number as `least` or `most` (library/data/ml-performance.yaml)", [object.get(limit, "metric", "no metric")])
}

deny contains {"msg": msg, "path": ["evidence", "performance", "result", "n"], "remediation": remediation} if {
	_result
	not _enough
	msg := sprintf("measured on %s, fewer than the %v that tell anything", [ml.count_of(object.get(_result, "n", 0), "row"), _settings.fewest_rows])
	remediation := "Measure on more data that was held out"
}

deny contains {"msg": msg, "path": ["release", "performance", "data"], "remediation": remediation} if {
	_result
	some path in ml.learnt("performance")
	msg := sprintf("measured on %s, which the model was trained on", [path])
	remediation := "Measure on data that was held out"
}

# Who recorded predictions could have recorded others.
deny contains {"msg": msg, "path": ["evidence", "performance", "result", "predictions"], "remediation": remediation} if {
	msg := ml.unfit(_result)
	remediation := "Have them made while measuring: name the model under performance.onnx, or collect with --predictor"
}

# --- Slices

deny contains {"msg": msg, "path": ["evidence", "performance", "result", "slices", i, "metrics", name]} if {
	some i, slice in _result.slices
	some name, minimum in _declared
	metric := slice.metrics[name]
	not _too_small(metric)
	what := sprintf("%s where %s is %s (%s)", [name, slice.column, slice.value, ml.count_of(object.get(metric, "n", 0), "row")])
	whose := sprintf("the declared limit for a slice (%s off)", [ml.percent(_settings.slices.slack)])
	msg := ml.shortfall(what, metric, _slackened(minimum, metric), whose, ml.demands.judged_by)
}

deny contains {"msg": msg, "path": ["evidence", "performance", "result", "slices", i], "remediation": remediation} if {
	some i, slice in _result.slices
	some name, _ in _declared
	not slice.metrics[name]
	msg := sprintf("%s where %s is %s was not measured, and has a declared limit", [name, slice.column, slice.value])
	remediation := "Collect the evidence anew"
}

deny contains {"msg": msg, "path": ["release", "performance", "slices"], "remediation": remediation} if {
	_result
	some column, asker in _sliced
	not column in {slice.column | some slice in _result.slices}
	msg := sprintf("was not measured by %s, and %s asks for it", [column, asker])
	remediation := sprintf("Add %s to performance.slices in release.yaml, and collect the evidence anew", [column])
}

default _settings := {}

_settings := data.ml_performance if is_object(data.ml_performance)

_result := input.evidence.performance.result if ml.measured("performance")

_enough if _result.n >= _settings.fewest_rows

_too_small(metric) if metric.n < _settings.slices.smallest

# The columns that the model must be measured by, and who says so.
_sliced[column] := "release.yaml" if some column in input.release.performance.slices

_sliced[column] := sprintf("the use %s", [input.release.use]) if {
	some column in _settings.slices.columns[input.release.use]
	not column in object.get(input.release, ["performance", "slices"], [])
}

# What the release promises now, and what it promised when it was measured.
_declared[name] := minimum if some name, minimum in input.release.performance.minimums

_declared[name] := minimum if {
	some name, minimum in _result.minimums
	not input.release.performance.minimums[name]
}

# Each limit that a metric has: the declared ones, and those of the organisation.
_wanted contains {"metric": name, "value": minimum, "phrase": phrase, "whose": "the declared limit"} if {
	_result
	some name, minimum in _declared
	phrase := sprintf("a declared limit of %s", [ml.number(minimum)])
}

_wanted contains {"metric": limit.metric, "limit": limit, "phrase": "a limit of the organisation", "whose": _whose(limit)} if {
	_result
	some limit in _settings.limits
	_applies(limit)
}

# A limit is for a task, for a use, or for both; without either it is for every release.
_applies(limit) if {
	object.get(limit, "task", _task) == _task
	object.get(limit, "use", _use) == _use
}

_limits(limit) if {
	is_string(limit.metric)
	ml.bounded(limit)
}

_task := object.get(input.release, "task", "other")

_use := object.get(input.release, "use", "")

_whose(limit) := sprintf("the limit for %s", [concat(" and ", [limit[field] | some field in ["task", "use"]; limit[field]])]) if {
	count([field | some field in ["task", "use"]; limit[field]]) > 0
} else := "the limit for every model"

# A declared limit is the least of what should be high, and the most of an error.
_limit(wanted, _) := wanted.limit

_limit(wanted, metric) := _bound(wanted.value, metric) if not wanted.limit

_slackened(minimum, metric) := _bound(minimum - (abs(minimum) * _settings.slices.slack), metric) if {
	object.get(metric, "higher_is_better", true)
} else := _bound(minimum + (abs(minimum) * _settings.slices.slack), metric)

_bound(value, metric) := {"least": value} if {
	object.get(metric, "higher_is_better", true)
} else := {"most": value}
