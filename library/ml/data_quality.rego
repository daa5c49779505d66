# METADATA
# title: A model is trained on data that is known, clean and permitted
# description: >-
#   Every column of the training data is in its dictionary and keeps to its schema, little is missing, no category is there
#   that the use must not learn from, personal data was looked for in enough rows and is only where the dictionary says so,
#   and the preparations that are required were recorded by the pipeline.
# custom:
#   severity: high
#   owner: data-governance
#   subject: ml.release
#   controls:
#     - EU-AI-Act:Art.10
#     - EU-AI-Act:Annex-IV
#     - GDPR:Art.5
#     - GDPR:Art.9
#     - NIST-AI-RMF:MAP-2.3
#     - NIST-AI-RMF:MEASURE-2.10
#     - ISO-42001:A.7.4
#     - ISO-42001:A.7.6
#   remediation: Put the training data or its dictionary right, and train anew; library/data/ml-data.yaml has what is required.
package ml.data_quality

import data.lib.ml

deny contains {"msg": msg} if {
	some msg in ml.unjudged("ml_data", _settings, [
		["fewest_rows"],
		["looked_at"],
		["missing"],
		["prohibited", "any_use"],
		["personal"],
		["steps"],
	])
}

deny contains finding if finding := ml.gap("data")

# --- Columns

deny contains {"msg": msg, "path": _column(name), "remediation": remediation} if {
	some name, column in _result.columns
	not _declared(column)
	msg := sprintf("column %s is not in the dictionary", [name])
	remediation := sprintf("Describe %s in %s, or leave it out of the training data", [name, _dictionary])
}

deny contains {"msg": msg, "path": ["evidence", "data", "result", "columns"]} if {
	_result
	count(object.get(_result, "columns", {})) == 0
	msg := "no column was looked at"
}

deny contains {"msg": msg, "path": ["evidence", "data", "result", "absent"], "remediation": remediation} if {
	some name in _result.absent
	msg := sprintf("column %s is in the dictionary, and not in the training data", [name])
	remediation := sprintf("Take %s out of %s, or put it into the training data", [name, _dictionary])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["problems"])} if {
	some name, column in _result.columns
	some problem in column.problems
	msg := sprintf("column %s breaks its schema: %s", [name, problem])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["missing"]), "remediation": remediation} if {
	some name, column in _result.columns
	column.missing / column.rows > _settings.missing
	msg := sprintf("column %s is empty in %s of the rows, where %s may be", [
		name,
		ml.percent(column.missing / column.rows),
		ml.percent(_settings.missing),
	])
	remediation := sprintf("Fill in %s, or leave it out of the training data", [name])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["missing"])} if {
	some name, column in _result.columns
	not _counted(column)
	msg := sprintf("how much of column %s is missing is unknown", [name])
}

# --- What must not be learnt from

deny contains {"msg": msg, "path": array.concat(_column(name), ["category"]), "remediation": remediation} if {
	some name, column in _result.columns
	column.category in _prohibited
	msg := sprintf("column %s is of the category %s, which %s must not learn from", [name, column.category, _asker])
	remediation := sprintf("Leave %s out of the training data", [name])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["suspected"]), "remediation": remediation} if {
	some name, column in _result.columns
	column.suspected in _prohibited
	object.get(column, "category", "") != column.suspected
	count(_excepted(name, column.suspected)) == 0
	msg := sprintf("column %s sounds like the category %s, which %s must not learn from", [name, column.suspected, _asker])
	remediation := sprintf("Leave %s out; or have it added to accepted_columns in library/data/ml-data.yaml, with what it is", [name])
}

# --- Personal data

deny contains {"msg": msg, "path": array.concat(_column(name), ["detected"]), "remediation": remediation} if {
	some name, column in _result.columns
	not _personal(column)
	some found in column.detected
	count(_excepted(name, found.kind)) == 0
	msg := sprintf("column %s has %s in %v of %s looked at, and the dictionary %s", [
		name,
		found.kind,
		found.rows,
		ml.count_of(found.looked_at, "row"),
		_given(column),
	])
	remediation := sprintf("Remove it from %s, or give the column a category of personal data in %s", [name, _dictionary])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["suspected"]), "remediation": remediation} if {
	some name, column in _result.columns
	suspected := column.suspected
	suspected in _settings.personal
	not suspected in _prohibited
	not _personal(column)
	count(_excepted(name, column.suspected)) == 0
	msg := sprintf("column %s sounds like the category %s, and the dictionary %s", [name, column.suspected, _given(column)])
	remediation := sprintf("Give the column its category in %s; or have it added to accepted_columns in library/data/ml-data.yaml", [_dictionary])
}

deny contains {"msg": msg, "path": array.concat(_column(name), ["unsearched"]), "remediation": remediation} if {
	some name, column in _result.columns
	column.unsearched
	not _personal(column)
	count(_excepted(name, "unsearched")) == 0
	msg := sprintf("column %s was not searched for personal data: %s", [name, column.unsearched])
	remediation := "Keep it in a form that can be searched; or have it added to accepted_columns in library/data/ml-data.yaml"
}

deny contains {"msg": msg, "path": ["evidence", "data", "result", "looked_at"], "remediation": remediation} if {
	_result
	not _searched
	msg := sprintf("personal data was looked for in %v of %s, fewer than the %v that tell anything", [
		object.get(_result, "looked_at", 0),
		ml.count_of(object.get(_result, "rows", 0), "row"),
		_settings.looked_at,
	])
	remediation := "Collect the evidence anew: solon model collect --only data"
}

deny contains {"msg": msg, "path": ["evidence", "data", "result", "rows"]} if {
	_result
	not _enough
	msg := sprintf("trained on %s, fewer than %v", [ml.count_of(object.get(_result, "rows", 0), "row"), _settings.fewest_rows])
}

# --- Preparations

deny contains {"msg": msg, "path": ["evidence", "data", "result", "steps_recorded"], "remediation": remediation} if {
	count(_steps) > 0
	not _result.steps_recorded
	msg := sprintf("no preparation is on record (%s), and %s", [
		object.get(_result, "steps_unknown", "nothing was recorded"),
		_steps_wanted,
	])
	remediation := "Let the pipeline write down the steps that ran, and name that file under data.recorded in release.yaml"
}

deny contains {"msg": msg, "path": ["evidence", "data", "result", "steps_recorded"], "remediation": remediation} if {
	recorded := _result.steps_recorded
	some step in _steps
	not step in recorded
	msg := sprintf("the preparation %s is not on record, and %s", [step, _steps_wanted])
	remediation := sprintf("Run %s before the training, and let the pipeline write it down", [step])
}

# In another order they do something else: who fills in before splitting has seen the held-out rows.
deny contains {"msg": msg, "path": ["evidence", "data", "result", "steps_recorded"]} if {
	declared := _result.steps_declared
	ran := [step | some step in _result.steps_recorded; step in declared]
	count({step | some step in declared} - {step | some step in ran}) == 0
	ran != declared
	msg := sprintf("the preparations ran as %s, and are declared as %s", [concat(", ", ran), concat(", ", declared)])
}

default _settings := {}

_settings := data.ml_data if is_object(data.ml_data)

_result := input.evidence.data.result if ml.measured("data")

_column(name) := ["evidence", "data", "result", "columns", name]

_dictionary := object.get(input.release, ["data", "columns"], "the dictionary")

_declared(column) if column.declared == true

_counted(column) if {
	is_number(column.missing)
	column.rows > 0
}

_use := object.get(input.release, "use", "")

# The categories that nobody may learn from, and those that this use may not; less what it may.
_prohibited := ({category | some category in _settings.prohibited.any_use} | _categories("uses")) - _categories("permitted")

_categories(field) := {category | some category in object.get(_settings.prohibited, [field, _use], [])}

_asker := sprintf("the use %s", [_use]) if {
	_use != ""
} else := "a release that names no use"

_personal(column) if column.category in _settings.personal

_given(column) := sprintf("gives it the category %s", [column.category]) if {
	column.category
} else := "gives it no category"

_excepted(name, found) := [exception |
	some exception in ml.exceptions(object.get(_settings, "accepted_columns", []))
	exception.column == name
	found in exception.found
]

_enough if _result.rows >= _settings.fewest_rows

_searched if {
	is_number(_result.looked_at)
	_result.looked_at >= min([_settings.looked_at, _result.rows])
}

# What the release declares, and what the organisation requires for its use.
_steps := {step | some step in _result.steps_declared} | {step |
	_result
	some step in object.get(_settings.steps, _use, object.get(_settings.steps, "any_use", []))
}

_steps_wanted := sprintf("these are required: %s", [concat(", ", sort(_steps))])
