# METADATA
# title: A model is signed, and nothing in it was changed since
# description: >-
#   The signature was verified over every released file, by a key that the organisation trusts for this purpose. Files that the
#   signature says nothing of are refused.
# custom:
#   severity: critical
#   owner: security
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.15
#     - NIST-AI-RMF:MAP-4.2
#     - NIST-AI-RMF:MEASURE-2.7
#     - ISO-42001:A.6.2.5
#     - SOC2:CC6.8
#     - SOC2:CC8.1
#   remediation: Sign the files as they are released, with a key that library/data/ml-signature.yaml or solon.yaml trusts.
package ml.signature

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_signature", _settings, [["keys"]])
}

deny contains finding if finding := ml.gap("signature")

deny contains {"msg": msg, "path": ["evidence", "signature", "result", "verified"]} if {
	_result
	not _result.verified == true
	msg := sprintf("the signature is not verified: %s", [object.get(_result, "problem", "it does not say why")])
}

deny contains {"msg": msg, "path": ["evidence", "signature", "result", "key"], "remediation": remediation} if {
	_result.verified == true
	not _trusted
	msg := sprintf("signed with the key %s, which is not trusted for it%s", [
		object.get(_result, "key", "of nobody knows whom"),
		_ended,
	])
	remediation := "Sign with a key that is on the list; or have this one added to keys in library/data/ml-signature.yaml"
}

deny contains {"msg": msg, "path": ["evidence", "signature", "result", "outside"], "remediation": remediation} if {
	some path in _result.outside
	msg := sprintf("the signature says nothing of %s, which could be exchanged", [path])
	remediation := sprintf("Leave %s out of the release", [path])
}

deny contains {"msg": msg, "path": ["evidence", "signature", "result", "files"], "remediation": remediation} if {
	_result.verified == true
	not _covers
	msg := sprintf("of %s, %v are signed", [
		ml.count_of(count(input.model.files), "released file"),
		object.get(_result, "files", 0),
	])
	remediation := "Sign all the files that are named under model in release.yaml"
}

default _settings := {}

_settings := data.ml_signature if is_object(data.ml_signature)

_result := input.evidence.signature.result if ml.measured("signature")

# Without a list the keys are trusted that the collector was given.
_trusted if object.get(_settings, "keys", []) == []

_trusted if {
	some key in ml.exceptions(_settings.keys)
	key.digest == _result.key
}

_ended := sprintf("; it was until %s", [max(dates)]) if {
	dates := [key.until | some key in ml.expired(_settings.keys); key.digest == _result.key]
	count(dates) > 0
} else := ""

_covers if _result.files + count(object.get(_result, "outside", [])) >= count(input.model.files)
