# METADATA
# title: ML workloads carry the labels that say whose they are
# description: >-
#   Without team, cost centre, environment and data classification nobody can be asked, billed or warned, and the
#   rules that depend on them (GPU quota, production, residency) cannot tell what they look at.
# custom:
#   severity: medium
#   owner: ml-platform
#   subject: kubernetes.object
#   controls: ["NIST-AI-RMF:GOVERN-1.6", "ISO-42001:A.4.2"]
#   remediation: Add the labels under metadata.labels; library/data/required-labels.yaml says what each may be.
package kubernetes.required_labels

import data.lib.rules

deny contains {"msg": msg} if {
	not data.required_labels
	msg := "cannot be judged: data.required_labels is not loaded (library/data/required-labels.yaml)"
}

deny contains {"msg": msg, "path": ["metadata", "labels"], "remediation": remediation} if {
	_governed
	count(_missing) > 0
	msg := sprintf("lacks the %s", [rules.named("label", _missing, _required)])
	examples := [sprintf("%s: %s", [name, rules.example(_required[name])]) | some name in sort(_missing)]
	remediation := sprintf("Add to metadata.labels what holds, such as %s", [concat(", ", examples)])
}

deny contains {"msg": msg, "path": ["metadata", "labels", name], "remediation": remediation} if {
	_governed
	some name, rule in _required
	not name in _missing
	value := _labels[name]
	problem := rules.problem(rule, value)
	msg := sprintf("label %s is %q, which %s", [name, sprintf("%v", [value]), problem])
	remediation := sprintf("Set metadata.labels.%s to %s", [name, rules.expected(rule)])
}

_governed if input.kind in data.required_labels.kinds

_required := data.required_labels.labels

_labels := value if {
	value := input.metadata.labels
	is_object(value)
} else := {}

_missing contains name if {
	some name, _ in _required
	object.get(_labels, name, "") in {"", null}
}
