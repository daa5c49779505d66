package kubernetes.model_region_test

import data.kubernetes.model_region

regions := {"production": ["eu-central-1", "eu-west-1"], "node_label": "topology.kubernetes.io/region", "why": "data stays"}

deny(predictor) := result if {
	result := model_region.deny with data.regions as regions
		with data.production as {"environments": ["production"], "namespaces": []}
		with data.model_registry as {"annotations": {}, "component_labels": [], "environment_variables": []}
		with input as {
			"kind": "InferenceService",
			"metadata": {"name": "scorer", "labels": {"environment": "production"}},
			"spec": {"predictor": predictor},
		}
}

affinity(terms) := {"affinity": {"nodeAffinity": {
	"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
}}}

term(values) := {"matchExpressions": [
	{"key": "nvidia.com/gpu.product", "operator": "Exists"},
	{"key": "topology.kubernetes.io/region", "operator": "In", "values": values},
]}

test_a_pinned_model_passes if {
	count(deny({"nodeSelector": {"topology.kubernetes.io/region": "eu-central-1"}})) == 0
	count(deny(affinity([term(["eu-central-1"]), term(["eu-west-1", "eu-central-1"])]))) == 0
}

test_an_unpinned_model_is_caught if {
	deny({}) == {{
		"msg": "serves a model in production, but nothing says in which region: no nodeSelector topology.kubernetes.io/region",
		"path": ["spec", "predictor"],
		"remediation": `Set spec.predictor.nodeSelector["topology.kubernetes.io/region"] to eu-central-1 or eu-west-1`,
	}}
}

test_another_region_is_caught if {
	some finding in deny({"nodeSelector": {"topology.kubernetes.io/region": "us-east-1"}})
	finding.msg == "serves a model in production in us-east-1, which is not an approved region: data stays"
	finding.path == ["spec", "predictor", "nodeSelector", "topology.kubernetes.io/region"]
}

test_one_free_term_frees_the_pod if {
	count(deny(affinity([term(["eu-central-1"]), {"matchExpressions": []}]))) == 1
}

test_every_term_is_judged if {
	some finding in deny(affinity([term(["eu-central-1"]), term(["us-east-1"])]))
	finding.path == ["spec", "predictor", "affinity"]
}

test_without_its_data_nothing_passes if {
	findings := model_region.deny with input as {"kind": "Pod"} with data.regions as false with data.production as false
	count(findings) == 2
}
