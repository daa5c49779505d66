# METADATA
# title: What is written about a model says something, is current, and is about this version
# description: >-
#   The documents that the tier asks for are there; each was reviewed lately, agrees with the release on name, version, digest,
#   use and risk, and has its required fields filled in with more than a placeholder. The card and the risk assessment were
#   written after the last training.
# custom:
#   severity: high
#   owner: responsible-ai
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.9
#     - EU-AI-Act:Art.11
#     - EU-AI-Act:Art.13
#     - EU-AI-Act:Art.14
#     - EU-AI-Act:Art.50
#     - EU-AI-Act:Annex-IV
#     - NIST-AI-RMF:GOVERN-4.2
#     - NIST-AI-RMF:MAP-1.1
#     - NIST-AI-RMF:MAP-2.2
#     - NIST-AI-RMF:MAP-3.3
#     - NIST-AI-RMF:MAP-3.5
#     - NIST-AI-RMF:MAP-5.1
#     - NIST-AI-RMF:MEASURE-1.3
#     - NIST-AI-RMF:MEASURE-2.5
#     - NIST-AI-RMF:MEASURE-2.8
#     - NIST-AI-RMF:MEASURE-2.9
#     - NIST-AI-RMF:MANAGE-1.3
#     - NIST-AI-RMF:MANAGE-1.4
#     - NIST-AI-RMF:MANAGE-4.1
#     - ISO-42001:A.4.3
#     - ISO-42001:A.5.3
#     - ISO-42001:A.6.2.7
#     - ISO-42001:A.7.3
#     - ISO-42001:A.8.2
#     - ISO-42001:A.9.4
#   remediation: Bring the document up to date for this version; library/data/ml-documentation.yaml has the required fields.
package ml.documentation

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_documentation", _settings, [
		["fields"], ["fields_of_uses"], ["fewest_words"], ["after_training"],
		["says"], ["digest"],
	])
}

deny contains finding if finding := ml.gap("documentation")

deny contains {"msg": msg, "path": ["release", "documentation", kind], "remediation": remediation} if {
	_result
	some kind in ml.demands.documents
	not _result.documents[kind]
	msg := sprintf("has no %s, and tier %s requires one", [_spoken(kind), ml.tier])
	remediation := sprintf("Write one, name its file under documentation.%s in release.yaml, and collect the evidence anew", [kind])
}

deny contains {"msg": msg, "path": array.concat(_document(kind), ["problems", i])} if {
	some kind, document in _result.documents
	some i, problem in document.problems
	msg := sprintf("%s: %s", [document.path, problem])
}

# --- What it says

deny contains {"msg": msg, "path": array.concat(_document(kind), ["fields"]), "remediation": remediation} if {
	some kind, document in _result.documents
	some name in _wanted(kind)
	not document.fields[name]
	msg := sprintf("%s says nothing of %s: there is no such section", [document.path, _spoken(name)])
	remediation := sprintf("Add a section `%s` to %s", [_spoken(name), document.path])
}

deny contains {"msg": msg, "path": array.concat(_document(kind), ["fields", name]), "remediation": remediation} if {
	some kind, document in _result.documents
	some name in _wanted(kind)
	field := document.fields[name]
	not _says_enough(field)
	msg := sprintf("%s%s says nothing of %s: %s", [document.path, _line(field), _spoken(name), _instead(field)])
	remediation := sprintf("Say it in at least %v words", [_settings.fewest_words])
}

# --- When it was written and reviewed

deny contains {"msg": msg, "path": ["release", "trained_at"], "remediation": remediation} if {
	count(_result.documents) > 0
	not _trained
	msg := "does not say when it was trained, so that whether its documents are current cannot be told"
	remediation := "Set trained_at in release.yaml to the end of the last training, such as 2027-02-10T08:00:00Z"
}

deny contains {"msg": msg, "path": array.concat(_document(kind), ["written_at"]), "remediation": remediation} if {
	some kind, document in _result.documents
	kind in _settings.after_training
	not _current(document)
	_trained
	msg := sprintf("%s is of %s, and the model was trained on %s", [
		document.path,
		object.get(document, "written_at", "no date that it names"),
		input.release.trained_at,
	])
	remediation := sprintf("Bring %s up to date for this training, and date it", [document.path])
}

deny contains {"msg": msg, "path": array.concat(_document(kind), ["reviewed_at"]), "remediation": remediation} if {
	some kind, document in _result.documents
	not _reviewed(document)
	msg := sprintf("%s was reviewed on %s, and tier %s wants it within %v days", [
		document.path,
		object.get(document, "reviewed_at", "no date that it names"),
		ml.tier,
		ml.demands.reviewed_days,
	])
	remediation := sprintf("Have %s reviewed, by somebody who says so in it with a name and the date", [document.path])
}

deny contains {"msg": msg, "path": array.concat(_document(kind), ["reviewed_at"])} if {
	some kind, document in _result.documents
	ml.moment(document.reviewed_at) < ml.moment(document.written_at)
	msg := sprintf("%s was reviewed on %s, before it was written on %s", [document.path, document.reviewed_at, document.written_at])
}

deny contains {"msg": msg, "path": array.concat(_document(kind), ["reviewer"]), "remediation": remediation} if {
	some kind, document in _result.documents
	not document.reviewer
	msg := sprintf("%s does not say who reviewed it", [document.path])
	remediation := "Name the reviewer"
}

# --- What it is about

deny contains {"msg": msg, "path": array.concat(_document(kind), [field]), "remediation": remediation} if {
	some kind, document in _result.documents
	some field, is in _about
	says := object.get(document, field, is)
	says != is
	msg := sprintf("%s is about %s %s, and this is %s", [document.path, _spoken(field), says, is])
	remediation := sprintf("Write %s for this version", [document.path])
}

deny contains {"msg": msg, "path": _document(kind), "remediation": remediation} if {
	some kind, document in _result.documents
	some field in _stated(kind)
	not document[field]
	msg := sprintf("%s does not say its %s", [document.path, _spoken(field)])
	remediation := sprintf("Add %s to %s, for this version", [field, document.path])
}

default _settings := {}

_settings := data.ml_documentation if is_object(data.ml_documentation)

_result := input.evidence.documentation.result if ml.measured("documentation")

_document(kind) := ["evidence", "documentation", "result", "documents", kind]

_spoken(name) := replace(name, "_", " ")

# The fields that a document must have, and those for the use of the release.
_wanted(kind) := {name | some name in object.get(_settings.fields, kind, [])} | {name |
	some name in object.get(_settings.fields_of_uses, [object.get(input.release, "use", ""), kind], [])
}

_says_enough(field) if {
	field.says_something == true
	field.words >= _settings.fewest_words
}

_instead(field) := sprintf("it says %q", [field.placeholder]) if {
	field.placeholder
} else := sprintf("it is %s long", [ml.count_of(object.get(field, "words", 0), "word")])

_line(field) := sprintf(":%v", [field.line]) if {
	field.line
} else := ""

_trained if ml.moment(input.release.trained_at)

_current(document) if ml.moment(document.written_at) >= _day_of(input.release.trained_at)

# A date without a time may be any of its day.
_day_of(text) := ml.moment(substring(text, 0, 10))

_reviewed(document) if {
	age := ml.days_since(document.reviewed_at)
	age >= -1
	age <= ml.demands.reviewed_days
}

# What the release is. A document that says something else is about another.
_about["model_name"] := input.release.name

_about["model_version"] := input.release.version

_about["model_digest"] := input.model.digest

_about["use"] := input.release.use

_about["risk"] := input.release.risk

# What a document must say of this.
_stated(kind) := {field | some field in object.get(_settings.says, kind, [])} | {"model_digest" |
	ml.tier in _settings.digest
}
