package terraform.instance_types_test

import data.terraform.instance_types

settings := {
	"allowed": ["t3.*", "g5.xlarge", "ml.t3.*"],
	"exceptions": [{"address": "aws_instance.repro", "type": "p3.8xlarge", "until": "2027-03-31"}],
	"instead": [{"match": "p3.*", "use": "g5.12xlarge", "why": "they stand idle"}],
}

deny(address, after, today) := result if {
	result := instance_types.deny with data.instance_types as settings
		with time.now_ns as time.parse_rfc3339_ns(today)
		with input as {
			"address": address,
			"mode": "managed",
			"type": "aws_instance",
			"change": {"actions": ["create"], "after": after},
		}
}

today := "2027-01-01T00:00:00Z"

test_an_allowed_type_passes if {
	every type in ["t3.large", "g5.xlarge", "ml.t3.medium"] {
		count(deny("aws_instance.web", {"instance_type": type}, today)) == 0
	}
}

test_a_resource_without_instances_passes if count(deny("aws_s3_bucket.b", {"bucket": "b"}, today)) == 0

test_another_type_is_caught if {
	deny("aws_instance.gpu", {"instance_type": "p3.8xlarge"}, today) == {{
		"msg": "p3.8xlarge is not an allowed instance type: they stand idle",
		"path": ["change", "after", "instance_type"],
		"remediation": concat("", [
			"Use g5.12xlarge; or have an exception for aws_instance.gpu, with an end date, ",
			"added to library/data/instance-types.yaml",
		]),
	}}
}

test_a_glob_does_not_cross_a_dot if count(deny("aws_instance.x", {"instance_type": "t3.large.extra"}, today)) == 1

test_every_place_is_caught if {
	after := {
		"instance_types": ["t3.large", "p4d.24xlarge"],
		"production_variants": [{"instance_type": "ml.p3.2xlarge"}],
	}
	paths := {finding.path | some finding in deny("aws_eks_node_group.gpu", after, today)}
	paths == {
		["change", "after", "instance_types", 1],
		["change", "after", "production_variants", 0, "instance_type"],
	}
}

test_an_exception_holds_until_its_day_is_over if {
	after := {"instance_type": "p3.8xlarge"}
	count(deny("aws_instance.repro", after, "2027-03-31T23:59:59Z")) == 0
	some finding in deny("aws_instance.repro", after, "2027-04-01T00:00:00Z")
	finding.msg == "p3.8xlarge is not an allowed instance type: they stand idle; its exception ran out on 2027-03-31"
}

test_a_type_without_advice_is_told_the_list if {
	some finding in deny("aws_instance.gpu", {"instance_type": "x1.32xlarge"}, today)
	finding.msg == "x1.32xlarge is not an allowed instance type"
	startswith(finding.remediation, "Use one of t3.*, g5.xlarge, ml.t3.*; or have")
}

test_an_exception_is_for_one_address_and_one_type if {
	count(deny("aws_instance.other", {"instance_type": "p3.8xlarge"}, today)) == 1
	count(deny("aws_instance.repro", {"instance_type": "p3.16xlarge"}, today)) == 1
}

test_without_its_data_nothing_passes if {
	findings := instance_types.deny with input as {} with data.instance_types as false
	count(findings) == 1
}
