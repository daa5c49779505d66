package terraform.cost_tags_test

import data.terraform.cost_tags

settings := {
	"tags": {
		"CostCenter": {"pattern": "^cc-[0-9]+$", "example": "cc-1", "why": "who pays"},
		"Team": {"pattern": "^[a-z]+$", "example": "fraud", "why": "whom to ask"},
	},
	"exempt_types": ["aws_autoscaling_group"],
}

deny(change) := result if {
	result := cost_tags.deny with input as change with data.cost_tags as settings
}

change(after, unknown) := {
	"address": "aws_s3_bucket.features",
	"mode": "managed",
	"type": "aws_s3_bucket",
	"change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown},
}

good := {"CostCenter": "cc-1", "Team": "fraud"}

test_a_tagged_resource_passes if count(deny(change({"tags": good}, {"tags_all": true}))) == 0

test_default_tags_count if {
	count(deny(change({"tags": {"Team": "fraud"}, "tags_all": good}, {}))) == 0
	count(deny(change({"tags": null, "tags_all": good}, {}))) == 0
}

test_what_cannot_be_tagged_passes if count(deny(change({"bucket": "features"}, {}))) == 0

test_what_goes_away_or_stays_passes if {
	every actions in [["delete"], ["no-op"], ["read"]] {
		count(deny(json.patch(change({"tags": null}, {}), [{
			"op": "replace",
			"path": "/change/actions",
			"value": actions,
		}]))) == 0
	}
}

test_other_providers_and_exempt_types_pass if {
	every type in ["google_storage_bucket", "aws_autoscaling_group"] {
		count(deny(object.union(change({"tags": null}, {}), {"type": type}))) == 0
	}
}

test_an_untagged_resource_is_caught if {
	deny(change({"tags": null}, {"tags_all": true})) == {{
		"msg": "lacks the tags CostCenter (who pays), Team (whom to ask)",
		"path": ["change", "after", "tags"],
		"remediation": concat("", [
			"Add what holds to its tags, or to the provider's default_tags, ",
			`such as CostCenter = "cc-1", Team = "fraud"`,
		]),
	}}
}

test_a_replacement_is_judged if {
	replaced := json.patch(change({"tags": null}, {}), [{
		"op": "replace",
		"path": "/change/actions",
		"value": ["delete", "create"],
	}])
	count(deny(replaced)) == 1
}

test_a_bad_value_is_caught_where_it_stands if {
	some own in deny(change({"tags": {"CostCenter": "marketing", "Team": "fraud"}}, {}))
	own.msg == `tag CostCenter is "marketing", which must match ^cc-[0-9]+$`
	own.path == ["change", "after", "tags", "CostCenter"]
	some inherited in deny(change({"tags": null, "tags_all": {"CostCenter": "marketing", "Team": "fraud"}}, {}))
	inherited.path == ["change", "after", "tags_all", "CostCenter"]
}

test_a_value_known_after_apply_passes if {
	count(deny(change({"tags": {"Team": "fraud"}}, {"tags": {"CostCenter": true}}))) == 0
}

test_tags_wholly_unknown_are_caught if {
	some finding in deny(change({}, {"tags": true, "tags_all": true}))
	startswith(finding.msg, "its tags are not known before apply")
}

test_without_its_data_nothing_passes if {
	findings := cost_tags.deny with input as change({"tags": good}, {}) with data.cost_tags as false
	count(findings) == 1
}
