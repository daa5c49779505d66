# What the Kubernetes policies share: environments, and the pods behind a workload.
package lib.kubernetes

name(workload) := sprintf("%s/%s", [workload.kind, object.get(workload, ["metadata", "name"], "(unnamed)")])

namespace(workload) := object.get(workload, ["metadata", "namespace"], "default")

production(workload) if workload.metadata.labels.environment in data.production.environments

production(workload) if {
	some pattern in data.production.namespaces
	glob.match(pattern, ["."], namespace(workload))
}

# Where a kind keeps its pods' spec, and how many of them run.
_templates := {
	"CronJob": {
		"spec": ["spec", "jobTemplate", "spec", "template", "spec"],
		"count": ["spec", "jobTemplate", "spec", "parallelism"],
	},
	"Deployment": {"spec": ["spec", "template", "spec"], "count": ["spec", "replicas"]},
	"InferenceService": {"spec": ["spec", "predictor"], "count": ["spec", "predictor", "maxReplicas"]},
	"Job": {"spec": ["spec", "template", "spec"], "count": ["spec", "parallelism"]},
	"Pod": {"spec": ["spec"], "count": []},
	"ReplicaSet": {"spec": ["spec", "template", "spec"], "count": ["spec", "replicas"]},
	"StatefulSet": {"spec": ["spec", "template", "spec"], "count": ["spec", "replicas"]},
}

# Where a Ray kind keeps its cluster.
_ray_clusters := {
	"RayCluster": ["spec"],
	"RayJob": ["spec", "rayClusterSpec"],
	"RayService": ["spec", "rayClusterConfig"],
}

# The groups of equal pods a workload runs: the path of their spec, the spec, and how many pods at most.
pod_groups(workload) := union({
	_plain(workload),
	_replicas(workload),
	_ray_heads(workload),
	_ray_workers(workload),
	_pod_sets(workload),
})

_plain(workload) := {group |
	template := _templates[workload.kind]
	spec := object.get(workload, template.spec, null)
	is_object(spec)
	group := {"path": template.spec, "spec": spec, "count": _number(object.get(workload, template.count, 1))}
}

# Kubeflow's training operators: pytorchReplicaSpecs.Worker and the like.
_replicas(workload) := {group |
	some field, roles in workload.spec
	endswith(field, "ReplicaSpecs")
	some role, replica in roles
	group := {
		"path": ["spec", field, role, "template", "spec"],
		"spec": replica.template.spec,
		"count": _number(object.get(replica, "replicas", 1)),
	}
}

_ray_heads(workload) := {group |
	path := array.concat(_ray_clusters[workload.kind], ["headGroupSpec", "template", "spec"])
	spec := object.get(workload, path, null)
	is_object(spec)
	group := {"path": path, "spec": spec, "count": 1}
}

_ray_workers(workload) := {group |
	base := array.concat(_ray_clusters[workload.kind], ["workerGroupSpecs"])
	cluster := object.get(workload, _ray_clusters[workload.kind], {})
	some i, workers in object.get(workload, base, [])
	group := {
		"path": array.concat(base, [i, "template", "spec"]),
		"spec": workers.template.spec,
		"count": _ray_size(cluster, workers) * _number(object.get(workers, "numOfHosts", 1)),
	}
}

# What Kueue queues: a Workload tells of the pods of its owner, whatever kind that is.
_pod_sets(workload) := {group |
	workload.kind == "Workload"
	some i, pods in workload.spec.podSets
	group := {
		"path": ["spec", "podSets", i, "template", "spec"],
		"spec": pods.template.spec,
		"count": _number(object.get(pods, "count", 1)),
	}
}

# With autoscaling a group may grow to its maximum.
_ray_size(cluster, workers) := max([
	_number(object.get(workers, "replicas", 1)),
	_number(object.get(workers, "maxReplicas", 1)),
]) if {
	object.get(cluster, "enableInTreeAutoscaling", false) == true
} else := _number(object.get(workers, "replicas", 1))

# Fewer than none would make room for others.
_number(value) := max([0, value]) if {
	is_number(value)
} else := 1

# The containers of a pod, each with its path in the pod's spec; KServe's `model` is one of them.
containers(spec) := [entry |
	some field in ["containers", "model"]
	some entry in _containers(spec, field)
]

init_containers(spec) := _containers(spec, "initContainers")

_containers(spec, field) := [{"path": [field, i], "container": container} | some i, container in spec[field]] if {
	is_array(spec[field])
} else := [{"path": [field], "container": spec[field]}] if {
	is_object(spec[field])
} else := []
