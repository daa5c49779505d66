# METADATA
# title: A release says what it is for and how much harm it may do, and does not say too little
# description: >-
#   The use is one that is known, and none that is prohibited; the declared risk is at least that of its use; and the environment
#   is said. What is not said counts as the strictest tier, so that saying nothing gains nothing.
# custom:
#   severity: critical
#   owner: responsible-ai
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.5
#     - EU-AI-Act:Art.6
#     - EU-AI-Act:Art.9
#     - EU-AI-Act:Annex-III
#     - NIST-AI-RMF:GOVERN-1.3
#     - NIST-AI-RMF:MAP-1.1
#     - NIST-AI-RMF:MAP-1.5
#     - NIST-AI-RMF:MAP-3.3
#     - NIST-AI-RMF:MANAGE-1.1
#     - ISO-42001:A.5.2
#     - ISO-42001:A.9.4
#   remediation: Declare use, risk and environment in release.yaml as they are; library/data/ml-risk.yaml has the uses and their tiers.
package ml.risk_level

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_risk", _settings, [["tiers"], ["uses"], ["prohibited_uses"], ["environments"]])
}

deny contains {"msg": msg, "path": ["release", "use"], "remediation": remediation} if {
	why := _settings.prohibited_uses[input.release.use]
	msg := sprintf("is for %s, which is prohibited: %s", [input.release.use, why])
	remediation := "Do not release it: no waiver makes it lawful"
}

deny contains {"msg": msg, "path": ["release", "risk"], "remediation": remediation} if {
	input.release.risk == "prohibited"
	msg := "declares itself prohibited"
	remediation := "Do not release it; or declare the risk that it has"
}

deny contains {"msg": msg, "path": ["release", "use"], "remediation": remediation} if {
	ml.production
	not _known_use
	msg := sprintf("%s, so that its risk is unknown, and it is for production", [_used])
	remediation := sprintf("Set use in release.yaml to one of: %s; or have it added to library/data/ml-risk.yaml, with its tier", [
		concat(", ", sort(object.keys(_settings.uses))),
	])
}

deny contains {"msg": msg, "path": ["release", "risk"], "remediation": remediation} if {
	not _known_risk
	msg := sprintf("declares %s, and so counts as %s", [_declared, ml.tier])
	remediation := sprintf("Set risk in release.yaml to one of: %s", [concat(", ", _settings.tiers)])
}

deny contains {"msg": msg, "path": ["release", "risk"], "remediation": remediation} if {
	_known_risk
	_known_use
	ml.rank(input.release.risk) < ml.use_rank
	use := _settings.uses[input.release.use]
	msg := sprintf("declares the risk %s, and its use %s is of tier %s: %s", [
		input.release.risk,
		input.release.use,
		use.tier,
		object.get(use, "why", "library/data/ml-risk.yaml says so"),
	])
	remediation := sprintf("Set risk in release.yaml to %s", [use.tier])
}

deny contains {"msg": msg, "path": ["release", "environment"], "remediation": remediation} if {
	_settings.environments
	not _known_environment
	msg := sprintf("%s, and so counts as production", [_placed])
	remediation := sprintf("Set environment in release.yaml to one of: %s", [
		concat(", ", sort(object.keys(_settings.environments))),
	])
}

default _settings := {}

_settings := data.ml_risk if is_object(data.ml_risk)

_known_use if _settings.uses[input.release.use]

_known_use if _settings.prohibited_uses[input.release.use]

_known_environment if _settings.environments[input.release.environment]

_known_risk if input.release.risk in _settings.tiers

_known_risk if input.release.risk == "prohibited"

_used := sprintf("is for %s, which is no use that is known", [input.release.use]) if {
	input.release.use
} else := "does not say what it is for"

_declared := sprintf("the risk %s, which is no tier", [input.release.risk]) if {
	input.release.risk
} else := "no risk"

_placed := sprintf("is for the environment %s, which is not on the list", [input.release.environment]) if {
	input.release.environment
} else := "does not say for which environment it is"
