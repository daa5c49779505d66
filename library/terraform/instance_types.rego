# METADATA
# title: Only allowed instance types are started
# description: >-
#   Every instance_type and instance_types that a resource sets must be on the allowed list, or have an exception for
#   that address which has not run out. Covers EC2, EKS node groups, launch templates and SageMaker alike.
# custom:
#   severity: high
#   owner: finops
#   subject: terraform.resource
#   controls: ["ISO-42001:A.4.5", "SOC2:CC8.1"]
#   remediation: Use an allowed type, or ask for an exception with an end date; both are in library/data/instance-types.yaml.
package terraform.instance_types

import data.lib.terraform

deny contains {"msg": msg} if {
	not data.instance_types
	msg := "cannot be judged: data.instance_types is not loaded (library/data/instance-types.yaml)"
}

deny contains {"msg": msg, "path": array.concat(["change", "after"], use.path), "remediation": remediation} if {
	terraform.applies(input)
	some use in _uses
	not _allowed(use.type)
	not _excepted(use.type)
	msg := sprintf("%s is not an allowed instance type%s%s", [use.type, _why(use.type), _expired(use.type)])
	remediation := sprintf("Use %s; or have an exception for %s, with an end date, added to library/data/instance-types.yaml", [
		_instead(use.type),
		input.address,
	])
}

_settings := data.instance_types

# Every instance type the resource sets, with its place.
_uses contains {"type": value, "path": path} if {
	walk(input.change.after, [path, value])
	is_string(value)
	_names_a_type(path)
}

_names_a_type(path) if path[count(path) - 1] == "instance_type"

_names_a_type(path) if path[count(path) - 2] == "instance_types"

_allowed(type) if {
	some pattern in _settings.allowed
	glob.match(pattern, ["."], type)
}

_excepted(type) if {
	some exception in _exceptions(type)
	time.now_ns() < _end(exception)
}

_exceptions(type) := [exception |
	some exception in object.get(_settings, "exceptions", [])
	exception.address == input.address
	exception.type == type
]

# The exception holds until the end of its day, UTC.
_end(exception) := time.add_date(time.parse_ns("2006-01-02", exception.until), 0, 0, 1)

_expired(type) := sprintf("; its exception ran out on %s", [max(ends)]) if {
	ends := [exception.until | some exception in _exceptions(type)]
	count(ends) > 0
} else := ""

_why(type) := concat("", [sprintf(": %s", [advice.why]) | some advice in _advice(type)])

_instead(type) := concat(", or ", [advice.use | some advice in _advice(type)]) if {
	count(_advice(type)) > 0
} else := sprintf("one of %s", [concat(", ", _settings.allowed)])

_advice(type) := [advice |
	some advice in object.get(_settings, "instead", [])
	glob.match(advice.match, ["."], type)
]
