# METADATA
# title: A model treats the groups that its use must not tell apart within limits
# description: >-
#   For the protected attributes that the use asks for, and each pair of them together, every disparity that has a limit
#   was measured and lies within it. A group that is too small to judge is no group that was judged: it is denied, unless
#   the organisation accepted that it cannot be. What the release calls too small is held to the organisation's number.
# custom:
#   severity: high
#   owner: responsible-ai
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.10
#     - EU-AI-Act:Annex-IV
#     - NIST-AI-RMF:MEASURE-2.11
#     - ISO-42001:A.5.4
#     - ISO-42001:A.6.2.4
#   remediation: >-
#     Find out what the groups are treated differently by, and train without it or with it made even; where it is
#     unknown, or breaks its limit by its interval alone, measure on more data of each group; library/data/ml-fairness.yaml has the limits.
package ml.fairness

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_fairness", _settings, [["limits"], ["columns"], ["any_use"], ["uses"], ["smallest"], ["judged_by"], ["intersections"]])
}

deny contains finding if finding := ml.gap("fairness")

deny contains {"msg": msg, "path": ["release", "fairness", "attributes"], "remediation": remediation} if {
	some concept in _concepts
	count(_columns(concept)) == 0
	msg := sprintf("was not measured by %s, and %s asks for it", [concept, _asker])
	remediation := sprintf("Add the column to fairness.attributes in release.yaml, under one of these names: %s", [
		concat(", ", object.get(_settings.columns, concept, [concept])),
	])
}

# Together: what is even for women and men, and for young and old, may be uneven for old women.
deny contains {"msg": msg, "path": ["release", "fairness", "intersections"], "remediation": remediation} if {
	_settings.intersections
	some i, one in _attributes
	some j, other in _attributes
	i < j
	not _together(one, other)
	msg := sprintf("was not measured by %s and %s together", [one, other])
	remediation := "Leave fairness.intersections out of release.yaml, so that each pair is judged, and collect the evidence anew"
}

deny contains {"msg": msg, "path": _path(name, disparity)} if {
	some name, attribute in _result.attributes
	some disparity, limit in _settings.limits
	found := attribute.disparities[disparity]
	not _too_small_and_accepted(name, found)
	what := sprintf("%s by %s%s", [disparity, name, _between(found)])
	msg := ml.shortfall(what, found, limit, "the limit", _settings.judged_by)
}

deny contains {"msg": msg, "path": ["evidence", "fairness", "result", "attributes", name], "remediation": remediation} if {
	some name, attribute in _result.attributes
	some disparity, limit in _settings.limits
	not attribute.disparities[disparity]
	not _scoreless(limit)
	msg := sprintf("%s by %s was not measured, and has a limit", [disparity, name])
	remediation := "Collect the evidence anew, on data held out with labels: solon model collect --only fairness"
}

# What a disparity leaves out, it says nothing of.
deny contains {"msg": msg, "path": ["evidence", "fairness", "result", "attributes", name, "groups"], "remediation": remediation} if {
	some name, attribute in _result.attributes
	some group in _left_out(attribute)
	not _accepted(name, group)
	msg := sprintf("the group %s of %s is too small to judge%s%s", [
		group,
		name,
		_size(attribute, group),
		ml.ran_out([each | some each in ml.expired(_small_groups); _matches(each, name, group)]),
	])
	remediation := concat("", [
		"Measure on data with more of these people, or on coarser groups; ",
		"or have the group added to accepted_small_groups in library/data/ml-fairness.yaml, with a reason",
	])
}

deny contains {"msg": msg, "path": ["release", "fairness", "smallest"], "remediation": remediation} if {
	_result
	not _large_enough
	msg := sprintf("judges groups of %v, smaller than the %v that tell anything", [object.get(_result, "smallest", 0), _settings.smallest])
	remediation := sprintf("Set fairness.smallest in release.yaml to at least %v, and collect the evidence anew", [_settings.smallest])
}

deny contains {"msg": msg, "path": ["release", "fairness", "data"], "remediation": remediation} if {
	_result
	some path in ml.learnt("fairness")
	msg := sprintf("measured on %s, which the model was trained on", [path])
	remediation := "Measure on data that was held out"
}

deny contains {"msg": msg, "path": ["release", "fairness", field], "remediation": remediation} if {
	_result
	some field in ml.otherwise("fairness")
	msg := sprintf("%s of fairness is not that of performance, so that they may be of two models", [field])
	remediation := sprintf("Declare the same %s under both in release.yaml, and collect the evidence anew", [field])
}

# Who recorded predictions could have recorded others.
deny contains {"msg": msg, "path": ["evidence", "fairness", "result", "predictions"], "remediation": remediation} if {
	msg := ml.unfit(_result)
	remediation := "Have them made while measuring: name the model under fairness.onnx, or collect with --predictor"
}

deny contains {"msg": msg} if {
	some disparity, limit in _settings.limits
	not ml.bounded(limit)
	msg := sprintf("cannot be judged: the limit of %s has not one number as `least` or `most` (library/data/ml-fairness.yaml)", [disparity])
}

default _settings := {}

_settings := data.ml_fairness if is_object(data.ml_fairness)

_result := input.evidence.fairness.result if ml.measured("fairness")

_large_enough if _result.smallest >= _settings.smallest

# What the use must be judged by: as it says, or as any use that says nothing.
_concepts := concepts if {
	_result
	concepts := object.get(_settings.uses, object.get(input.release, "use", ""), _settings.any_use)
}

_asker := sprintf("the use %s", [input.release.use]) if {
	_settings.uses[input.release.use]
} else := "every use that has no list of its own"

# The columns, judged alone, that stand for something protected.
_columns(concept) := {column |
	some attribute in _result.attributes
	count(attribute.columns) == 1
	some column in attribute.columns
	lower(column) in object.get(_settings.columns, concept, [concept])
}

# The attributes that the use asks for, and that were measured.
_attributes := sort({column | some concept in _concepts; some column in _columns(concept)})

_together(one, other) if {
	some attribute in _result.attributes
	{one, other} == {column | some column in attribute.columns}
}

# The limit is one of scores, and the release declares none.
_scoreless(limit) if {
	limit.where_measured
	not input.release.fairness.score
}

_left_out(attribute) := {group |
	some disparity, _ in _settings.limits
	some group in attribute.disparities[disparity].left_out
}

_small_groups := object.get(_settings, "accepted_small_groups", [])

_accepted(name, group) if {
	some each in ml.exceptions(_small_groups)
	_matches(each, name, group)
}

_matches(exception, name, group) if {
	glob.match(exception.attribute, null, name)
	glob.match(exception.group, null, group)
}

# Nothing is known, as of what would be compared too much is left out; and all of that was accepted.
_too_small_and_accepted(name, found) if {
	not ml.known(found)
	count(found.left_out) > 0
	every group in found.left_out { _accepted(name, group) }
}

_size(attribute, name) := sprintf(" (%s, %v positive)", [ml.count_of(group.n, "row"), group.n_positive]) if {
	some group in attribute.groups
	concat(" x ", [group.values[column] | some column in attribute.columns]) == name
} else := ""

_between(found) := sprintf(" (between %s and %s)", [found.low, found.high]) if {
	ml.known(found)
} else := ""

_path(name, disparity) := ["evidence", "fairness", "result", "attributes", name, "disparities", disparity]
