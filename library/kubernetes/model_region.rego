# METADATA
# title: Models in production are pinned to an approved region
# description: >-
#   A model that serves in production is scheduled on nodes of approved regions only, by nodeSelector or by a required
#   node affinity. Without either a multi-region cluster may run it, with the data it is sent, anywhere.
# custom:
#   severity: high
#   owner: ml-platform
#   subject: kubernetes.object
#   controls: ["GDPR:Art.44", "SOC2:C1.1"]
#   remediation: Set a nodeSelector for the region; library/data/regions.yaml lists the approved ones.
package kubernetes.model_region

import data.kubernetes.model_registry
import data.lib.kubernetes

deny contains {"msg": msg} if {
	not data.regions
	msg := "cannot be judged: data.regions is not loaded (library/data/regions.yaml)"
}

deny contains {"msg": msg} if {
	not data.production
	msg := "cannot be judged: data.production is not loaded (library/data/production.yaml)"
}

deny contains {"msg": msg, "path": group.path, "remediation": _remediation(group)} if {
	model_registry.production_model
	some group in kubernetes.pod_groups(input)
	not _regions(group.spec)
	msg := sprintf("serves a model in production, but nothing says in which region: no nodeSelector %s", [_label])
}

deny contains {"msg": msg, "path": _place(group), "remediation": _remediation(group)} if {
	model_registry.production_model
	some group in kubernetes.pod_groups(input)
	some region in _regions(group.spec)
	not region in _approved
	msg := sprintf("serves a model in production in %s, which is not an approved region: %s", [region, data.regions.why])
}

_approved := data.regions.production

_label := data.regions.node_label

# The regions a pod may run in; undefined when nothing limits them.
_regions(spec) := {region} if {
	region := spec.nodeSelector[_label]
} else := {region |
	some term in _terms(spec)
	some region in _limits(term)
} if {
	count(_terms(spec)) > 0
	every term in _terms(spec) { count(_limits(term)) > 0 }
}

_terms(spec) := object.get(
	spec,
	["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"],
	[],
)

# The regions a term allows; none listed is no limit.
_limits(term) := [region |
	some expression in term.matchExpressions
	expression.key == _label
	expression.operator == "In"
	some region in expression.values
]

_place(group) := array.concat(group.path, ["nodeSelector", _label]) if {
	group.spec.nodeSelector[_label]
} else := array.concat(group.path, ["affinity"])

_remediation(group) := sprintf("Set %s.nodeSelector[%q] to %s", [
	concat(".", [sprintf("%v", [step]) | some step in group.path]),
	_label,
	concat(" or ", _approved),
])
