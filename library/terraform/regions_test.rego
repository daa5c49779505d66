package terraform.regions_test

import data.terraform.regions

settings := {
	"production": ["eu-central-1"],
	"default": ["eu-central-1", "eu-north-1"],
	"resource_types": ["aws_s3_bucket"],
	"why": "data stays",
}

deny(type, after) := result if {
	result := regions.deny with data.regions as settings
		with data.production as {"environments": ["production"]}
		with input as {
			"address": "x.y",
			"mode": "managed",
			"type": type,
			"change": {"actions": ["create"], "after": after},
		}
}

test_an_approved_region_passes if {
	count(deny("aws_s3_bucket", {"region": "eu-north-1"})) == 0
	count(deny("aws_s3_bucket", {"region": "eu-central-1", "tags": {"Environment": "production"}})) == 0
}

test_other_types_pass if count(deny("aws_iam_role", {"region": "us-east-1"})) == 0

test_production_has_its_own_list if {
	deny("aws_s3_bucket", {"region": "eu-north-1", "tags": {"Environment": "production"}}) == {{
		"msg": "would be made in eu-north-1, which is not approved for production: data stays",
		"path": ["change", "after", "region"],
		"remediation": "Set region, or use a provider configured for it, to one of: eu-central-1",
	}}
}

test_another_region_is_caught if {
	some finding in deny("aws_s3_bucket", {"region": "us-east-1", "tags": {"Environment": "dev"}})
	finding.msg == "would be made in us-east-1, which is not approved for environment dev: data stays"
	some untagged in deny("aws_s3_bucket", {"region": "us-east-1"})
	untagged.msg == "would be made in us-east-1, which is not approved for a resource without an Environment tag: data stays"
}

test_an_unknown_region_is_caught if {
	some finding in deny("aws_s3_bucket", {"bucket": "features"})
	finding.msg == "its region cannot be told from the plan"
}

test_without_its_data_nothing_passes if {
	findings := regions.deny with input as {} with data.regions as false with data.production as false
	count(findings) == 2
}
