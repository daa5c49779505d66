# METADATA
# title: What a model serves is like what it was trained on
# description: >-
#   For every column that both tables have, the population stability index between training and serving lies within its limit,
#   and so does their mean; little more is missing, and few values were never seen in training. Judged by the index, as
#   a p-value on many rows always finds something.
# custom:
#   severity: medium
#   owner: ml-platform
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.10
#     - EU-AI-Act:Art.15
#     - EU-AI-Act:Art.26
#     - NIST-AI-RMF:MEASURE-2.4
#     - ISO-42001:A.6.2.6
#     - ISO-42001:A.7.4
#   remediation: Train anew on data like what is served; library/data/ml-drift.yaml has the limits.
package ml.drift

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_drift", _settings, [["column"], ["overall"], ["more_missing"], ["unseen"], ["may_choose_columns"]])
}

deny contains finding if finding := ml.gap("drift")

deny contains {"msg": msg, "path": array.concat(_column(name), ["psi"])} if {
	some name, column in _judged
	_indexed(column)
	column.psi > _settings.column
	msg := sprintf("column %s drifted: its index is %s, above the limit of %s", [
		name,
		ml.beside(column.psi, _settings.column),
		ml.number(_settings.column),
	])
}

deny contains {"msg": msg, "path": _column(name), "remediation": remediation} if {
	some name, column in _judged
	not _indexed(column)
	msg := sprintf("how far column %s drifted is unknown: %s", [name, object.get(column, "unknown", "it has no index")])
	remediation := _accept
}

# The index of samples this small may be that high without any drift, and as low with some.
deny contains {"msg": msg, "path": array.concat(_column(name), ["noise"]), "remediation": remediation} if {
	some name, column in _judged
	_indexed(column)
	not _telling(column)
	msg := sprintf("column %s has too few values to tell (%v in training, %v in serving): chance alone makes an index of %s", [
		name,
		column.n_training,
		column.n_serving,
		ml.number(object.get(column, "noise", 1)),
	])
	remediation := "Compare with more rows of what is served"
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["missing_serving"])} if {
	some name, column in _judged
	column.missing_serving - column.missing_training > _settings.more_missing
	msg := sprintf("column %s is empty in %s of what is served, and was in %s in training", [
		name,
		ml.percent(column.missing_serving),
		ml.percent(column.missing_training),
	])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["unseen"])} if {
	some name, column in _judged
	column.unseen > _settings.unseen
	msg := sprintf("column %s has values that training never had in %s of what is served%s", [
		name,
		ml.percent(column.unseen),
		_such_as(column),
	])
}

deny contains {"msg": msg, "path": _column(name), "remediation": remediation} if {
	some name, column in _judged
	_indexed(column)
	some field in _shares
	not _share(column, field)
	msg := sprintf("the %s share of column %s is unknown", [field, name])
	remediation := _accept
}

deny contains {"msg": msg, "path": ["evidence", "drift", "result", "overall"]} if {
	_result.overall > _settings.overall
	msg := sprintf("the columns drifted together: the mean of their indices is %s, above the limit of %s%s", [
		ml.beside(_result.overall, _settings.overall),
		ml.number(_settings.overall),
		_largest,
	])
}

# It is left out where the index of a column is; then that is what is told.
deny contains {"msg": msg, "path": ["evidence", "drift", "result"], "remediation": remediation} if {
	_result
	not is_number(object.get(_result, "overall", null))
	count([name | some name, column in _result.columns; not _indexed(column)]) == 0
	msg := "how far the columns drifted together is unknown"
	remediation := "Collect the evidence anew: solon model collect --only drift"
}

deny contains {"msg": msg, "path": ["evidence", "drift", "result", "absent"], "remediation": remediation} if {
	some name in _result.absent
	_taken(name)
	count(_excepted(name)) == 0
	msg := sprintf("column %s is in one of the tables only, so that its drift is unknown", [name])
	remediation := _accept
}

deny contains {"msg": msg, "path": ["evidence", "drift", "result", "columns"], "remediation": remediation} if {
	_result
	count(object.get(_result, "columns", {})) == 0
	msg := "no column was compared"
	remediation := "Name tables under drift in release.yaml that have columns in common"
}

# What was served may be near to any table, if not to the one that counts.
deny contains {"msg": msg, "path": ["release", "drift", "training"], "remediation": remediation} if {
	_result
	ml.measured("data")
	some path in _other_training
	msg := sprintf("compares what is served with %s, and the model was trained on other data", [path])
	remediation := "Name the same table under data.training and drift.training in release.yaml, and collect the evidence anew"
}

# Who chooses what is compared could leave out what drifted; but not of all that the model takes.
deny contains {"msg": msg, "path": ["release", "drift", "columns"], "remediation": remediation} if {
	_result
	count(input.release.drift.columns) > 0
	not _covers
	not ml.tier in _settings.may_choose_columns
	msg := sprintf("compares chosen columns only, and tier %s wants all of them", [ml.tier])
	remediation := "Name all that the model takes, as performance.features does, or leave drift.columns out of release.yaml; those that do not count go to accepted_columns in library/data/ml-drift.yaml"
}

default _settings := {}

_settings := data.ml_drift if is_object(data.ml_drift)

_result := input.evidence.drift.result if ml.measured("drift")

_judged[name] := column if {
	some name, column in _result.columns
	count(_excepted(name)) == 0
}

# What the model takes, where predictions were made with just that. No other column can change what it says, and some, as
# the label, are never served.
_features := {name | some name in input.release.performance.features} if {
	ml.measured("performance")
	input.evidence.performance.result.predictions in {"command", "onnx"}
	count(input.release.performance.features) > 0
}

_taken(name) if name in _features

_taken(_) if not _features

_other_training contains object.get(file, "path", "another table") if {
	some file in input.evidence.drift.measured
	file.what == "training"
	not object.get(file, "digest", "") in _trained_on
}

_trained_on contains file.digest if {
	some file in input.evidence.data.measured
	file.what == "training"
}

_covers if {
	every name in _features {
		name in input.release.drift.columns
	}
}

_column(name) := ["evidence", "drift", "result", "columns", name]

_indexed(column) if is_number(column.psi)

_telling(column) if column.noise <= _settings.column

# Without a limit that is told already.
_telling(_) if not _settings.column

_shares := {"missing_training", "missing_serving", "unseen"}

_share(column, field) if is_number(column[field])

_excepted(name) := [exception |
	some exception in ml.exceptions(object.get(_settings, "accepted_columns", []))
	glob.match(exception.column, null, name)
]

_such_as(column) := sprintf(", such as %s", [concat(", ", array.slice(column.unseen_values, 0, 3))]) if {
	count(column.unseen_values) > 0
} else := ""

_largest := sprintf("; most of all %s", [_result.largest]) if {
	_result.largest
} else := ""

_accept := concat("", [
	"Put right what it says and collect the evidence anew; ",
	"or have the column added to accepted_columns in library/data/ml-drift.yaml, with a reason",
])
