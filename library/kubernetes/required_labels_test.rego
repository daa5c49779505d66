package kubernetes.required_labels_test

import data.kubernetes.required_labels

settings := {
	"kinds": ["Deployment"],
	"labels": {
		"environment": {"values": ["dev", "production"], "why": "which rules apply"},
		"team": {"pattern": "^[a-z]+$", "example": "fraud", "why": "whom to ask"},
	},
}

deny(object) := result if {
	result := required_labels.deny with input as object with data.required_labels as settings
}

deployment(labels) := {"kind": "Deployment", "metadata": {"name": "scorer", "labels": labels}}

test_all_labels_pass if count(deny(deployment({"team": "fraud", "environment": "dev"}))) == 0

test_other_kinds_pass if count(deny({"kind": "ConfigMap", "metadata": {"name": "settings"}})) == 0

test_one_label_is_missing if {
	deny(deployment({"team": "fraud"})) == {{
		"msg": "lacks the label environment (which rules apply)",
		"path": ["metadata", "labels"],
		"remediation": "Add to metadata.labels what holds, such as environment: dev",
	}}
}

test_every_label_is_missing if {
	some labels in [{}, null]
	some finding in deny(deployment(labels))
	finding.msg == "lacks the labels environment (which rules apply), team (whom to ask)"
}

test_an_object_without_metadata_is_caught if count(deny({"kind": "Deployment"})) == 1

test_an_empty_label_is_a_missing_one if {
	some finding in deny(deployment({"team": "", "environment": "dev"}))
	finding.msg == "lacks the label team (whom to ask)"
}

test_a_value_must_be_one_of_the_list if {
	deny(deployment({"team": "fraud", "environment": "prod"})) == {{
		"msg": "label environment is \"prod\", which must be one of dev, production",
		"path": ["metadata", "labels", "environment"],
		"remediation": "Set metadata.labels.environment to one of dev, production",
	}}
}

test_a_value_must_match_the_pattern if {
	some finding in deny(deployment({"team": "Fraud Team", "environment": "dev"}))
	finding.path == ["metadata", "labels", "team"]
	finding.remediation == "Set metadata.labels.team to a value such as fraud"
}

test_without_its_data_nothing_passes if {
	findings := required_labels.deny with input as deployment({}) with data.required_labels as false
	some finding in findings
	startswith(finding.msg, "cannot be judged")
}
