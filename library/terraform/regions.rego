# METADATA
# title: Data and models live in approved regions
# description: >-
#   Buckets, databases, notebooks and model endpoints are made in an approved region; what is tagged production, in one
#   approved for production. Reads the `region` that AWS provider 6 and later puts in the plan.
# custom:
#   severity: high
#   owner: ml-platform
#   subject: terraform.resource
#   controls: ["GDPR:Art.44", "SOC2:C1.1"]
#   remediation: Make the resource in an approved region; library/data/regions.yaml lists them.
package terraform.regions

import data.lib.terraform

deny contains {"msg": msg} if {
	not data.regions
	msg := "cannot be judged: data.regions is not loaded (library/data/regions.yaml)"
}

deny contains {"msg": msg} if {
	not data.production
	msg := "cannot be judged: data.production is not loaded (library/data/production.yaml)"
}

deny contains {"msg": msg, "path": ["change", "after", "region"], "remediation": remediation} if {
	_governed
	region := input.change.after.region
	not region in _approved
	msg := sprintf("would be made in %s, which is not approved for %s: %s", [region, _purpose, data.regions.why])
	remediation := sprintf("Set region, or use a provider configured for it, to one of: %s", [concat(", ", _approved)])
}

deny contains {"msg": msg, "path": ["change", "after"], "remediation": remediation} if {
	_governed
	not input.change.after.region
	msg := "its region cannot be told from the plan"
	remediation := sprintf("Set region on the resource (AWS provider 6 or later) to one of: %s", [concat(", ", _approved)])
}

_governed if {
	terraform.applies(input)
	input.type in data.regions.resource_types
}

_production if terraform.environment(input) in data.production.environments

_purpose := "production" if {
	_production
} else := sprintf("environment %s", [terraform.environment(input)]) if {
	terraform.environment(input)
} else := "a resource without an Environment tag"

_approved := data.regions.production if {
	_production
} else := data.regions["default"]
