# METADATA
# title: The evidence about a model is about this model, is recent, and is from somebody who is believed
# description: >-
#   There is evidence; the files that lie here were compared with what was measured; no part of it is too old, and a collector
#   that is believed signed it where the tier requires that. Whether a part that the tier requires is there, and about this
#   model, the policy that judges the part says, so that each can be rolled out and waived by itself.
# custom:
#   severity: critical
#   owner: ml-platform
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.11
#     - EU-AI-Act:Annex-IV
#     - NIST-AI-RMF:MEASURE-2.1
#     - NIST-AI-RMF:MEASURE-2.8
#     - NIST-AI-RMF:MANAGE-1.1
#     - ISO-42001:A.4.4
#     - ISO-42001:A.6.2.5
#     - ISO-42001:A.7.5
#     - SOC2:CC8.1
#   remediation: "Collect the evidence where the released files lie: solon model collect"
package ml.evidence

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_evidence", _settings, [["days_ahead"]])
}

deny contains {"msg": msg, "path": ["evidence"]} if {
	count(object.get(input, "evidence", {})) == 0
	msg := "has no evidence at all"
}

deny contains {"msg": msg, "path": ["model"], "remediation": remediation} if {
	not input.model.verified == true
	msg := "the released files are not here, so that whether the evidence is about them cannot be told"
	remediation := "Judge the release where its files lie"
}

# A requirement that no policy knows would be kept by nobody.
deny contains {"msg": msg} if {
	some part in ml.demands.requires
	not part in ml.parts
	msg := sprintf("cannot be judged: data.ml_tiers.%s requires %s, which is no part of the evidence (library/data/ml-tiers.yaml)", [
		ml.tier,
		part,
	])
}

deny contains {"msg": msg, "path": ["evidence", name, "collected_at"], "remediation": remediation} if {
	some name, item in input.evidence
	not _recent(item)
	msg := sprintf("evidence of %s is of %s, and tier %s wants it within %v days", [
		name,
		object.get(item, "collected_at", "no date that it names"),
		ml.tier,
		ml.demands.evidence_days,
	])
	remediation := sprintf("Collect it anew: solon model collect --only %s", [name])
}

deny contains {"msg": msg, "path": ["collected_by"], "remediation": remediation} if {
	ml.demands.signed_evidence
	count(object.get(input, "evidence", {})) > 0
	not input.collected_by.verified == true
	msg := sprintf("the evidence is signed by nobody who is believed, and tier %s requires it: %s", [
		ml.tier,
		object.get(input, ["collected_by", "problem"], "there is no signature"),
	])
	remediation := "Let a collector gather it whose key is under models.collectors in solon.yaml"
}

default _settings := {}

_settings := data.ml_evidence if is_object(data.ml_evidence)

_recent(item) if {
	age := ml.days_since(item.collected_at)
	age >= 0 - _settings.days_ahead
	age <= ml.demands.evidence_days
}
