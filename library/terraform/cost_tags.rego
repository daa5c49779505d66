# METADATA
# title: Taggable AWS resources carry the tags that say who pays
# description: >-
#   A resource without owner, cost centre and environment is found on the bill and nowhere else. Provider
#   default_tags count. Only resources that can be tagged are judged.
# custom:
#   severity: medium
#   owner: finops
#   subject: terraform.resource
#   controls: ["NIST-AI-RMF:GOVERN-1.6", "ISO-42001:A.4.5"]
#   remediation: Add the tags to the resource, or to the provider's default_tags; library/data/cost-tags.yaml has the rules.
package terraform.cost_tags

import data.lib.rules
import data.lib.terraform

deny contains {"msg": msg} if {
	not data.cost_tags
	msg := "cannot be judged: data.cost_tags is not loaded (library/data/cost-tags.yaml)"
}

deny contains {"msg": msg, "path": ["change", "after", "tags"], "remediation": remediation} if {
	_governed
	not _unknown
	count(_missing) > 0
	msg := sprintf("lacks the %s", [rules.named("tag", _missing, _required)])
	examples := [sprintf("%s = %q", [name, rules.example(_required[name])]) | some name in sort(_missing)]
	remediation := sprintf("Add what holds to its tags, or to the provider's default_tags, such as %s", [
		concat(", ", examples),
	])
}

deny contains {"msg": msg, "path": ["change", "after", field, name], "remediation": remediation} if {
	_governed
	some name, rule in _required
	some field in _field(name)
	value := input.change.after[field][name]
	problem := rules.problem(rule, value)
	msg := sprintf("tag %s is %q, which %s", [name, sprintf("%v", [value]), problem])
	remediation := sprintf("Set tag %s to %s", [name, rules.expected(rule)])
}

deny contains {"msg": msg, "path": ["change", "after", "tags"], "remediation": remediation} if {
	_governed
	_unknown
	msg := "its tags are not known before apply, so who pays cannot be told from the plan"
	remediation := "Write the keys of the tags out, and let only their values depend on other resources"
}

_required := data.cost_tags.tags

_governed if {
	terraform.applies(input)
	_taggable
	not input.type in data.cost_tags.exempt_types
	startswith(input.type, "aws_")
}

# A plan has the attribute, be it null, for every resource that can be tagged.
_taggable if object.get(input.change.after, "tags", "no such attribute") != "no such attribute"

_taggable if object.get(input.change, ["after_unknown", "tags"], false) != false

_unknown if input.change.after_unknown.tags == true

_missing contains name if {
	some name, _ in _required
	object.get(terraform.tags(input), name, "") in {"", null}
	not _known_later(name)
}

# The key is there; its value is not known before apply.
_known_later(name) if {
	some field in ["tags", "tags_all"]
	input.change.after_unknown[field][name]
}

# Where the tag stands: the resource's own tags, else the provider's defaults.
_field(name) := ["tags"] if {
	_ = input.change.after.tags[name]
} else := ["tags_all"] if {
	_ = input.change.after.tags_all[name]
} else := []
