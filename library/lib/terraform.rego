# What the Terraform policies share. They are asked for each resource change of a plan by itself.
package lib.terraform

# The change makes or alters a resource that Terraform manages; what goes away, or stays as it is, is not judged.
applies(change) if {
	object.get(change, "mode", "managed") == "managed"
	some action in change.change.actions
	action in {"create", "update"}
}

# The tags a resource will have: provider defaults included where Terraform knows them.
tags(change) := object.union(_tags(change, "tags"), _tags(change, "tags_all"))

_tags(change, field) := value if {
	value := change.change.after[field]
	is_object(value)
} else := {}

environment(change) := tags(change).Environment
