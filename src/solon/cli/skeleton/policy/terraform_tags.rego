# METADATA
# title: Resources say whose they are
# description: Every resource that has tags carries the tags team and cost-center.
# custom:
#   severity: medium
#   owner: platform-security
#   controls: ["ISO-27001:A.5.9"]
#   subject: terraform.resource
#   remediation: Add the tags, on the resource or in the provider's default_tags
package terraform_tags

required := {"team", "cost-center"}

deny contains {"msg": msg, "path": ["change", "after", "tags"]} if {
	after := input.change.after
	_ = after.tags
	missing := required - {name | some name, _ in _tags(after)}
	count(missing) > 0
	msg := sprintf("%s lacks the tags %s", [input.address, concat(", ", missing)])
}

_tags(after) := object.union(_object(after.tags), _object(object.get(after, "tags_all", {})))

_object(value) := value if is_object(value)

_object(value) := {} if not is_object(value)
