# METADATA
# title: What a model depends on has no known vulnerabilities
# description: >-
#   Every package was matched, by its exact version, with a database of vulnerabilities that is not stale, and nothing as
#   severe as the tier refuses was found without an exception. A package that could not be matched is not clean, and neither
#   is a list without packages.
# custom:
#   severity: high
#   owner: security
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.15
#     - NIST-AI-RMF:MAP-4.2
#     - NIST-AI-RMF:MEASURE-2.7
#     - NIST-AI-RMF:MANAGE-3.1
#     - ISO-42001:A.10.3
#     - SOC2:CC7.1
#   remediation: Take the version that has a fix; library/data/ml-dependencies.yaml has the exceptions.
package ml.dependencies

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_dependencies", _settings, [["severities"], ["database_days"]])
}

deny contains finding if finding := ml.gap("dependencies")

deny contains {"msg": msg, "path": ["evidence", "dependencies", "result", "vulnerabilities", i], "remediation": remediation} if {
	some i, found in _result.vulnerabilities
	_severe(found)
	count(ml.exceptions(_accepted(found))) == 0
	msg := sprintf("%s %s has %s, of severity %s%s%s", [
		found.package,
		found.version,
		found.id,
		found.severity,
		_about(found),
		ml.ran_out(ml.expired(_accepted(found))),
	])
	remediation := _advice(found)
}

deny contains {"msg": msg, "path": ["evidence", "dependencies", "result", "packages", i], "remediation": remediation} if {
	some i, package_ in _result.packages
	package_.unknown
	msg := sprintf("whether %s is vulnerable is unknown: %s", [_called(package_), package_.unknown])
	remediation := "Pin its exact version in the lock file, and have the database cover where it comes from"
}

deny contains {"msg": msg, "path": ["evidence", "dependencies", "result", "packages", i], "remediation": remediation} if {
	some i, package_ in _result.packages
	_result.database
	not package_.unknown
	not _covered(package_)
	msg := sprintf("whether %s is vulnerable is unknown: the database has nothing of its ecosystem", [package_.name])
	remediation := "Give the collector a database that has it: solon model collect --only dependencies --vulnerabilities PATH"
}

deny contains {"msg": msg, "path": ["evidence", "dependencies", "result"], "remediation": remediation} if {
	_result
	count(object.get(_result, "packages", [])) == 0
	msg := "lists no package at all, which no model runs without"
	remediation := "Name the lock file or SBOM of what the model is run with under supply in release.yaml"
}

deny contains {"msg": msg, "path": ["evidence", "dependencies", "result"], "remediation": remediation} if {
	_result
	not _filled
	msg := "was matched with no database of vulnerabilities, so that nothing is known"
	remediation := "Give the collector one: solon model collect --only dependencies --vulnerabilities PATH"
}

deny contains {"msg": msg, "path": ["evidence", "dependencies", "result", "database", "newest"], "remediation": remediation} if {
	_filled
	not _fresh
	msg := sprintf("the newest record of the database is of %v, and may be %v days old", [
		object.get(_result.database, "newest", "nobody knows when"),
		_settings.database_days,
	])
	remediation := "Bring the database up to date, and collect the evidence anew"
}

default _settings := {}

_settings := data.ml_dependencies if is_object(data.ml_dependencies)

_result := input.evidence.dependencies.result if ml.measured("dependencies")

_called(package_) := trim_space(sprintf("%s %s", [package_.name, object.get(package_, "version", "")]))

# As severe as the tier refuses, or of nobody knows what severity.
_severe(found) if not _mild(found)

_mild(found) if {
	some i, severity in _settings.severities
	found.severity == severity
	some j, refused in _settings.severities
	ml.demands.severity == refused
	i < j
}

_accepted(found) := [exception |
	some exception in object.get(_settings, "accepted", [])
	exception.id in ({found.id} | {alias | some alias in found.aliases})
	exception.package == found.package
]

_about(found) := sprintf(" (%s)", [found.summary]) if {
	found.summary
} else := ""

_advice(found) := sprintf("Take %s %s", [found.package, concat(" or ", found.fixed)]) if {
	count(found.fixed) > 0
} else := sprintf("No version has a fix: do without %s, or have %s added to accepted in library/data/ml-dependencies.yaml", [
	found.package,
	found.id,
])

_covered(package_) if object.get(package_, "ecosystem", "PyPI") in _result.database.ecosystems

_filled if _result.database.records > 0

_fresh if {
	age := ml.days_since(_result.database.newest)
	age >= -1
	age <= _settings.database_days
}
