package kubernetes_labels_test

import data.kubernetes_labels

test_a_missing_label_is_caught if {
	count(kubernetes_labels.deny) == 1 with input as {"kind": "Deployment", "metadata": {"name": "web"}}
}

test_a_label_passes if {
	deployment := {"kind": "Deployment", "metadata": {"name": "web", "labels": {"team": "search"}}}
	count(kubernetes_labels.deny) == 0 with input as deployment
}
