package kubernetes.model_registry_test

import data.kubernetes.model_registry

settings := {
	"approved": ["s3://registry/", "registry.example/models"],
	"annotations": {"model": "ml/model", "version": "ml/version"},
	"version_pattern": "^[0-9]+$",
	"component_labels": ["model-server"],
	"environment_variables": ["MODEL_URI"],
}

production := {"environments": ["production"], "namespaces": ["*-prod"]}

deny(object) := result if {
	result := model_registry.deny with input as object
		with data.model_registry as settings
		with data.production as production
}

tracked := {"ml/model": "scorer", "ml/version": "7"}

service(annotations, uri) := {
	"kind": "InferenceService",
	"metadata": {"name": "scorer", "namespace": "fraud-prod", "annotations": annotations},
	"spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": uri}}},
}

deployment(annotations, labels, container) := {
	"kind": "Deployment",
	"metadata": {"name": "scorer", "namespace": "fraud-prod", "annotations": annotations, "labels": labels},
	"spec": {"template": {"spec": {"containers": [container]}}},
}

test_a_tracked_model_passes if count(deny(service(tracked, "s3://registry/scorer/7"))) == 0

test_outside_production_anything_passes if {
	object := json.patch(service({}, "s3://scratch/m"), [{"op": "replace", "path": "/metadata/namespace", "value": "dev"}])
	count(deny(object)) == 0
}

test_the_environment_label_makes_it_production if {
	object := json.patch(service({}, "s3://registry/m"), [
		{"op": "replace", "path": "/metadata/namespace", "value": "dev"},
		{"op": "add", "path": "/metadata/labels", "value": {"environment": "production"}},
	])
	count(deny(object)) == 1
}

test_an_untracked_model_is_caught if {
	some annotations in [{}, null]
	some finding in deny(service(annotations, "s3://registry/scorer/7"))
	startswith(finding.msg, "serves an untracked model in production: annotation ml/model and annotation ml/version not set")
}

test_half_tracked_is_untracked if {
	some finding in deny(service({"ml/model": "scorer", "ml/version": ""}, "s3://registry/scorer/7"))
	startswith(finding.msg, "serves an untracked model in production: annotation ml/version not set")
}

test_a_version_must_be_exact if {
	findings := deny(service({"ml/model": "scorer", "ml/version": "latest"}, "s3://registry/scorer/7"))
	findings == {{
		"msg": "model version is \"latest\", which is not exact: another model may stand behind it tomorrow",
		"path": ["metadata", "annotations", "ml/version"],
		"remediation": "Set annotation ml/version to the registered version served, such as \"7\"",
	}}
}

test_a_foreign_source_is_caught if {
	some uri in ["s3://scratch/m.pkl", "s3://registry-evil/m", "s3://registry/../scratch/m", "s3://registry"]
	deny(service(tracked, uri)) == {{
		"msg": sprintf("storageUri is %s, which is not in an approved model registry", [uri]),
		"path": ["spec", "predictor", "model", "storageUri"],
		"remediation": "Register the model and serve it from one of: s3://registry/, registry.example/models",
	}}
}

test_every_foreign_source_is_caught if {
	every uri in ["s3://scratch/m.pkl", "s3://registry-evil/m", "s3://registry/../scratch/m", "s3://registry"] {
		count(deny(service(tracked, uri))) == 1
	}
}

test_a_source_must_be_named if {
	object := json.patch(service(tracked, "x"), [{"op": "remove", "path": "/spec/predictor/model/storageUri"}])
	some finding in deny(object)
	startswith(finding.msg, "names neither a storageUri nor an image")
}

test_a_custom_predictor_is_judged_by_its_image if {
	object := json.patch(service(tracked, "x"), [{
		"op": "replace",
		"path": "/spec/predictor",
		"value": {"containers": [{"name": "main", "image": "docker.io/someone/scorer:7"}]},
	}])
	some finding in deny(object)
	finding.path == ["spec", "predictor", "containers", 0, "image"]
}

test_a_deployment_of_no_model_passes if count(deny(deployment({}, {}, {"image": "docker.io/nginx:1"}))) == 0

test_a_tracked_deployment_passes if {
	count(deny(deployment(tracked, {}, {"image": "registry.example/models/scorer:7"}))) == 0
}

test_a_deployment_says_it_serves_a_model_by_component if {
	labels := {"app.kubernetes.io/component": "model-server"}
	count(deny(deployment({}, labels, {"image": "registry.example/models/scorer:7"}))) == 1
}

test_a_deployment_says_it_serves_a_model_by_its_environment if {
	container := {"image": "docker.io/server:1", "env": [{"name": "MODEL_URI", "value": "s3://scratch/m"}]}
	paths := {finding.path | some finding in deny(deployment({}, {}, container))}
	paths == {
		["metadata", "annotations"],
		["spec", "template", "spec", "containers", 0, "env", 0, "value"],
	}
}

test_without_its_data_nothing_passes if {
	findings := model_registry.deny with input as service(tracked, "s3://registry/scorer/7")
		with data.model_registry as false
		with data.production as false
	count(findings) == 2
}
