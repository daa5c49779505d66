package kubernetes.team_label_test

import data.kubernetes.team_label

deployment(metadata) := {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}

test_a_workload_without_a_team_is_caught if {
	some finding in team_label.deny with input as deployment({"name": "web"})
	finding.msg == "Deployment has no team label"
}

test_an_empty_team_is_caught if {
	count(team_label.deny) == 1 with input as deployment({"name": "web", "labels": {"team": ""}})
}

test_a_workload_with_a_team_passes if {
	count(team_label.deny) == 0 with input as deployment({"name": "web", "labels": {"team": "payments"}})
}

test_what_is_no_workload_passes if {
	count(team_label.deny) == 0 with input as {"kind": "Service", "metadata": {"name": "web"}}
}
