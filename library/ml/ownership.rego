# METADATA
# title: Somebody answers for a model
# description: >-
#   The release names whom to ask, and the team that is told when the model no longer complies, in a form that can be written to.
# custom:
#   severity: medium
#   owner: ml-platform
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.17
#     - NIST-AI-RMF:GOVERN-2.1
#     - ISO-42001:A.3.2
#     - SOC2:CC1.3
#   remediation: Name owner and team in release.yaml; library/data/ml-ownership.yaml has what they may be.
package ml.ownership

import data.lib.ml
import data.lib.rules

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_ownership", _settings, [["fields"]])
}

deny contains {"msg": msg, "path": ["release"], "remediation": remediation} if {
	some name, rule in _settings.fields
	object.get(input.release, name, "") == ""
	msg := sprintf("names no %s (%s)", [name, rule.why])
	remediation := sprintf("Set %s in release.yaml to %s", [name, rules.expected(rule)])
}

deny contains {"msg": msg, "path": ["release", name], "remediation": remediation} if {
	some name, rule in _settings.fields
	value := object.get(input.release, name, "")
	value != ""
	problem := rules.problem(rule, value)
	msg := sprintf("%s is %q, which %s", [name, sprintf("%v", [value]), problem])
	remediation := sprintf("Set %s in release.yaml to %s", [name, rules.expected(rule)])
}

default _settings := {}

_settings := data.ml_ownership if is_object(data.ml_ownership)
