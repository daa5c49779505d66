package kubernetes.gpu_quota_test

import data.kubernetes.gpu_quota

settings := {"resources": ["nvidia.com/gpu", "amd.com/gpu"], "teams": {"fraud": 16, "search": 8}}

deny(object, running) := result if {
	result := gpu_quota.deny with input as object
		with data.gpu_quota as settings
		with data.inventory as {"namespace": running, "cluster": {}}
}

metadata(name, team) := {"name": name, "namespace": "fraud", "labels": {"team": team}}

container(gpus) := {"name": "main", "resources": {"limits": {"nvidia.com/gpu": gpus}}}

job(name, team, parallelism, gpus) := {
	"kind": "Job",
	"metadata": metadata(name, team),
	"spec": {"parallelism": parallelism, "template": {"spec": {"containers": [container(gpus)]}}},
}

running(objects) := {"fraud": {"batch/v1": {"Job": {object.metadata.name: object | some object in objects}}}}

test_within_the_quota_passes if {
	count(deny(job("train", "fraud", 2, 8), {})) == 0
	count(deny(job("train", "fraud", 1, 8), running([job("other", "fraud", 1, 8)]))) == 0
}

test_a_workload_without_gpus_passes if {
	count(deny({"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "web"}]}}, {})) == 0
}

test_more_than_the_quota_leaves_is_caught if {
	deny(job("train", "fraud", 4, 2), running([job("other", "fraud", 1, 12)])) == {{
		"msg": "asks for 8 GPUs; team fraud may hold 16 and holds 12 (Job/other: 12), so this is 4 too many",
		"path": ["spec", "template", "spec", "containers", 0, "resources", "limits", "nvidia.com/gpu"],
		"remediation": concat("", [
			"Ask for at most 4 GPUs, wait for one of the team's workloads to end, ",
			"or have the quota of fraud raised in library/data/gpu-quota.yaml",
		]),
	}}
}

test_an_exhausted_quota_leaves_nothing_to_ask_for if {
	some finding in deny(job("train", "fraud", 1, 1), running([job("other", "fraud", 1, 16)]))
	finding.msg == "asks for 1 GPU; team fraud may hold 16 and holds 16 (Job/other: 16), so this is 1 too many"
	startswith(finding.remediation, "Wait for one")
}

test_the_first_ask_alone_can_be_too_many if {
	some finding in deny(job("train", "search", 1, 9), {})
	finding.msg == "asks for 9 GPUs; team search may hold 8 and holds none, so this is 1 too many"
}

test_an_update_does_not_count_twice if {
	count(deny(job("train", "fraud", 1, 16), running([job("train", "fraud", 1, 16)]))) == 0
}

test_other_teams_do_not_count if {
	count(deny(job("train", "fraud", 1, 16), running([job("other", "search", 1, 8)]))) == 0
}

test_the_team_counts_in_every_namespace if {
	elsewhere := {"fraud-prod": {"batch/v1": {"Job": {"other": job("other", "fraud", 1, 16)}}}}
	count(deny(job("train", "fraud", 1, 1), elsewhere)) == 1
}

test_the_unlabelled_count_in_their_namespace if {
	nobody := json.patch(job("nobody", "x", 1, 16), [{"op": "remove", "path": "/metadata/labels"}])
	count(deny(job("train", "fraud", 1, 1), running([nobody]))) == 1
	count(deny(job("train", "fraud", 1, 1), {"default": {"batch/v1": {"Job": {"nobody": nobody}}}})) == 0
}

test_the_owned_and_the_finished_do_not_count if {
	every patch in [
		{"op": "add", "path": "/metadata/ownerReferences", "value": [{"kind": "CronJob", "name": "nightly"}]},
		{"op": "add", "path": "/status", "value": {"conditions": [{"type": "Complete", "status": "True"}]}},
		{"op": "add", "path": "/status", "value": {"jobStatus": "SUCCEEDED"}},
		{"op": "add", "path": "/status", "value": {"phase": "Failed"}},
	] {
		count(deny(job("train", "fraud", 1, 16), running([json.patch(job("other", "fraud", 1, 16), [patch])]))) == 0
	}
}

test_a_failed_condition_that_is_not_true_counts if {
	object := json.patch(job("other", "fraud", 1, 16), [{
		"op": "add",
		"path": "/status",
		"value": {"conditions": [{"type": "Failed", "status": "False"}]},
	}])
	count(deny(job("train", "fraud", 1, 16), running([object]))) == 1
}

test_every_kind_is_counted if {
	pod := {"containers": [container(3)]}
	every workload in [
		{"kind": "Pod", "spec": {"containers": [container(6), {"name": "proxy"}, container("3")]}},
		{"kind": "Pod", "spec": {"initContainers": [container(9)], "containers": [container(1)]}},
		{"kind": "Pod", "spec": {"containers": [{"resources": {"requests": {"amd.com/gpu": 9}}}]}},
		{"kind": "Deployment", "spec": {"replicas": 3, "template": {"spec": pod}}},
		{"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"parallelism": 3, "template": {"spec": pod}}}}},
		{"kind": "InferenceService", "spec": {"predictor": {"maxReplicas": 3, "model": container(3)}}},
		{"kind": "PyTorchJob", "spec": {"pytorchReplicaSpecs": {
			"Master": {"template": {"spec": pod}},
			"Worker": {"replicas": 2, "template": {"spec": pod}},
		}}},
		{"kind": "RayJob", "spec": {"rayClusterSpec": {
			"headGroupSpec": {"template": {"spec": pod}},
			"workerGroupSpecs": [{"replicas": 2, "maxReplicas": 9, "template": {"spec": pod}}],
		}}},
		{"kind": "RayCluster", "spec": {
			"enableInTreeAutoscaling": true,
			"headGroupSpec": {"template": {"spec": {"containers": []}}},
			"workerGroupSpecs": [{"replicas": 1, "maxReplicas": 3, "template": {"spec": pod}}],
		}},
	] {
		asking := object.union(workload, {"metadata": metadata("train", "search")})
		some finding in deny(asking, {})
		startswith(finding.msg, "asks for 9 GPUs;")
	}
}

test_a_team_without_quota_is_caught if {
	some finding in deny(job("train", "growth", 1, 1), {})
	finding.msg == "asks for 1 GPU, but team growth has no GPU quota"
}

test_a_workload_without_team_is_caught if {
	object := json.patch(job("train", "x", 1, 2), [{"op": "remove", "path": "/metadata/labels"}])
	some finding in deny(object, {})
	finding.msg == "asks for 2 GPUs, but has no team label that says whose quota they count against"
}

test_what_is_not_a_number_is_caught if {
	every quantity in ["many", true, "-1"] {
		some finding in deny(job("train", "fraud", 1, quantity), {})
		endswith(finding.msg, "of nvidia.com/gpu, which is not a number of GPUs")
	}
}

test_without_its_data_nothing_passes if {
	findings := gpu_quota.deny with input as job("train", "fraud", 1, 1) with data.gpu_quota as false
	some finding in findings
	startswith(finding.msg, "cannot be judged")
}

queued(owner, extra) := object.union(
	{
		"kind": "Workload",
		"metadata": {"name": "job-mpi-1a2b3", "namespace": "fraud", "ownerReferences": [owner]},
		"spec": {"podSets": [
			{"name": "launcher", "count": 1, "template": {"spec": {"containers": [{"name": "launcher"}]}}},
			{"name": "worker", "count": 4, "template": {"spec": {"containers": [container(3)]}}},
		]},
	},
	extra,
)

with_workload(objects, workload) := {"fraud": {
	"batch/v1": {"Job": {object.metadata.name: object | some object in objects}},
	"kueue.x-k8s.io/v1beta1": {"Workload": {workload.metadata.name: workload}},
}}

test_a_workload_that_kueue_queues_counts_where_its_owner_is_not_there if {
	workload := queued({"kind": "TrainJob", "name": "mpi"}, {})
	some finding in deny(job("train", "fraud", 1, 5), with_workload([], workload))
	contains(finding.msg, "holds 12 (Workload/job-mpi-1a2b3: 12), so this is 1 too many")
}

test_a_workload_that_kueue_queues_counts_once_with_its_owner if {
	suspended := json.patch(job("mpi", "fraud", 4, 3), [{"op": "add", "path": "/spec/suspend", "value": true}])
	workload := queued({"kind": "Job", "name": "mpi"}, {})
	some finding in deny(job("train", "fraud", 1, 5), with_workload([suspended], workload))
	contains(finding.msg, "holds 12 (Job/mpi: 12), so this is 1 too many")
}

test_a_finished_workload_of_kueue_does_not_count if {
	workload := queued(
		{"kind": "TrainJob", "name": "mpi"},
		{"status": {"conditions": [{"type": "Finished", "status": "True"}]}},
	)
	count(deny(job("train", "fraud", 1, 16), with_workload([], workload))) == 0
}
