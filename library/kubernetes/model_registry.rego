# METADATA
# title: Models in production come from the approved registry, by name and exact version
# description: >-
#   A model that is served from a scratch bucket, or as "latest", cannot be traced to the run, data and approval
#   that made it, and cannot be rolled back. KServe InferenceServices are always taken as serving a model; other
#   workloads when they say so by annotation, component label or a model's URI in their environment.
# custom:
#   severity: high
#   owner: ml-platform
#   subject: kubernetes.object
#   controls: ["EU-AI-Act:Art.12", "NIST-AI-RMF:GOVERN-1.6", "ISO-42001:A.6.2.5", "SOC2:CC8.1"]
#   remediation: >-
#     Register the model, then deploy it from the registry with its name and version in the annotations that
#     library/data/model-registry.yaml lists.
package kubernetes.model_registry

import data.lib.kubernetes

deny contains {"msg": msg} if {
	not data.model_registry
	msg := "cannot be judged: data.model_registry is not loaded (library/data/model-registry.yaml)"
}

deny contains {"msg": msg} if {
	not data.production
	msg := "cannot be judged: data.production is not loaded (library/data/production.yaml)"
}

# Untracked: nothing says which registered model this is.
deny contains {"msg": msg, "path": ["metadata", "annotations"], "remediation": remediation} if {
	production_model
	count(_untracked) > 0
	msg := sprintf(
		"serves an untracked model in production: %s not set, so nothing says which registered model and version this is",
		[_list(_untracked)],
	)
	remediation := sprintf(
		"Register the model, then set %s to its name and %s to its exact version in metadata.annotations",
		[_settings.annotations.model, _settings.annotations.version],
	)
}

deny contains {"msg": msg, "path": ["metadata", "annotations", key], "remediation": remediation} if {
	production_model
	key := _settings.annotations.version
	version := _annotations[key]
	version != ""
	not _exact(version)
	msg := sprintf("model version is %q, which is not exact: another model may stand behind it tomorrow", [
		sprintf("%v", [version]),
	])
	remediation := sprintf(`Set annotation %s to the registered version served, such as "7"`, [key])
}

deny contains {"msg": msg, "path": source.path, "remediation": remediation} if {
	production_model
	some source in _sources
	not _approved(source.uri)
	msg := sprintf("%s is %s, which is not in an approved model registry", [source.what, source.uri])
	remediation := sprintf("Register the model and serve it from one of: %s", [concat(", ", _settings.approved)])
}

deny contains {"msg": msg, "path": ["spec", "predictor"], "remediation": remediation} if {
	production_model
	input.kind == "InferenceService"
	count(_sources) == 0
	msg := "names neither a storageUri nor an image, so where its model comes from cannot be told"
	remediation := sprintf("Set spec.predictor.model.storageUri to a URI under one of: %s", [
		concat(", ", _settings.approved),
	])
}

_settings := data.model_registry

_annotations := value if {
	value := input.metadata.annotations
	is_object(value)
} else := {}

# A workload that serves a model in production.
production_model if {
	_serves_a_model
	kubernetes.production(input)
}

_serves_a_model if input.kind == "InferenceService"

_serves_a_model if {
	count(kubernetes.pod_groups(input)) > 0
	some key in _settings.annotations
	_annotations[key]
}

_serves_a_model if input.metadata.labels["app.kubernetes.io/component"] in _settings.component_labels

_serves_a_model if count(_environment_uris) > 0

_untracked contains key if {
	some key in _settings.annotations
	object.get(_annotations, key, "") in {"", null}
}

_exact(version) if {
	is_string(version)
	regex.match(_settings.version_pattern, version)
}

# Everything that says where the model comes from: what it is called, its URI, and where it stands.
_sources := (_storage_uris | _environment_uris) | _images

_storage_uris contains source if {
	some field, framework in input.spec.predictor
	is_string(framework.storageUri)
	path := ["spec", "predictor", field, "storageUri"]
	source := {"what": "storageUri", "uri": framework.storageUri, "path": path}
}

_environment_uris contains source if {
	some group in kubernetes.pod_groups(input)
	some entry in kubernetes.containers(group.spec)
	some i, variable in entry.container.env
	variable.name in _settings.environment_variables
	is_string(variable.value)
	path := array.flatten([group.path, entry.path, "env", i, "value"])
	source := {"what": variable.name, "uri": variable.value, "path": path}
}

# The image of the main container is where the model comes from when nothing else is said.
_images contains source if {
	count(_storage_uris) == 0
	count(_environment_uris) == 0
	some group in kubernetes.pod_groups(input)
	entry := kubernetes.containers(group.spec)[0]
	is_string(entry.container.image)
	path := array.flatten([group.path, entry.path, "image"])
	source := {"what": "image", "uri": entry.container.image, "path": path}
}

_approved(uri) if {
	not contains(uri, "..")
	some prefix in _settings.approved
	startswith(uri, sprintf("%s/", [trim_right(prefix, "/")]))
}

_list(keys) := concat(" and ", [sprintf("annotation %s", [key]) | some key in sort(keys)])
