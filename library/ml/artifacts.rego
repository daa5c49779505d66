# METADATA
# title: Nothing in a model can run code when it is loaded
# description: >-
#   Every released file was looked at, and is of a format that holds no code. Pickle and the like are refused by their format,
#   whatever a scan makes of them; what cannot be told is refused as well. An exception is for one file as it is, by its
#   digest. Paths that signatures leave out are refused.
# custom:
#   severity: critical
#   owner: security
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.15
#     - NIST-AI-RMF:MAP-4.2
#     - NIST-AI-RMF:MEASURE-2.7
#     - ISO-42001:A.6.2.4
#     - SOC2:CC6.8
#   remediation: Save the model as ONNX, safetensors, GGUF or skops; library/data/ml-artifacts.yaml has the exceptions.
package ml.artifacts

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_artifacts", _settings, [["refused_paths"]])
}

deny contains finding if finding := ml.gap("artifacts")

deny contains {"msg": msg, "path": ["evidence", "artifacts", "result", "artifacts", i]} if {
	some i, artifact in _result.artifacts
	artifact.verdict == "unsafe"
	not _told_of_a_member(artifact)
	count(ml.exceptions(_accepted(artifact))) == 0
	msg := sprintf("%s is %s, and loading it can run code%s%s", [
		artifact.path,
		artifact.format,
		_why(artifact),
		ml.ran_out(ml.expired(_accepted(artifact))),
	])
}

deny contains {"msg": msg, "path": ["evidence", "artifacts", "result", "artifacts", i], "remediation": remediation} if {
	some i, artifact in _result.artifacts
	not _told(artifact)
	not _told_of_a_member(artifact)
	msg := sprintf("%s is %s, and whether loading it can run code cannot be told%s", [
		artifact.path,
		object.get(artifact, "format", "of a format that is not known"),
		_why(artifact),
	])
	remediation := "Save it in a format that is known, or leave it out of the release"
}

# What nobody looked at is not safe.
deny contains {"msg": msg, "path": ["model", "files", i], "remediation": remediation} if {
	_result
	some i, file in input.model.files
	path := file.path
	not path in _looked_at
	msg := sprintf("%s is released, and was not looked at", [path])
	remediation := "Collect the evidence anew: solon model collect --only artifacts"
}

deny contains {"msg": msg, "path": ["evidence", "artifacts", "result"], "remediation": remediation} if {
	_result
	count(_looked_at) == 0
	msg := "no file was looked at"
	remediation := "Name the files under model in release.yaml, and collect the evidence anew"
}

deny contains {"msg": msg, "path": ["model", "files", i], "remediation": remediation} if {
	some i, file in input.model.files
	some pattern in _settings.refused_paths
	glob.match(pattern, null, file.path)
	msg := sprintf("%s must not be in a model: signatures leave it out, so that it could be exchanged", [file.path])
	remediation := sprintf("Leave %s out of the release", [file.path])
}

default _settings := {}

_settings := data.ml_artifacts if is_object(data.ml_artifacts)

_result := input.evidence.artifacts.result if ml.measured("artifacts")

_told(artifact) if artifact.verdict in {"safe", "unsafe"}

_looked_at contains artifact.path if some artifact in _result.artifacts

# An archive is as bad as its worst member, model.pt!archive/data.pkl, and that is the one to tell of.
_told_of_a_member(archive) if {
	some artifact in _result.artifacts
	_within(artifact, archive.path)
	artifact.verdict == archive.verdict
}

_within(artifact, path) if startswith(artifact.path, sprintf("%s!", [path]))

# The exceptions for the file that lies there now, with all that is in it.
_accepted(artifact) := [exception |
	some exception in object.get(_settings, "accepted", [])
	some file in input.model.files
	_part_of(artifact, file.path)
	exception.digest == file.digest
]

_part_of(artifact, path) if artifact.path == path

_part_of(artifact, path) if _within(artifact, path)

_why(artifact) := sprintf(": %s", [concat("; ", array.slice(artifact.reasons, 0, 3))]) if {
	count(artifact.reasons) > 0
} else := ""
