# METADATA
# title: Workloads say which team runs them
# description: Without a team nobody can be asked, paged or billed. Most workloads are older than this rule.
# custom:
#   severity: medium
#   owner: governance
#   subject: kubernetes.object
#   controls: ["ISO-42001:A.4.2"]
#   remediation: Add metadata.labels.team with the name of your team, as owners/namespaces.yaml has it.
package kubernetes.team_label

deny contains {"msg": msg, "path": ["metadata", "labels"]} if {
	input.kind in {"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "StatefulSet"}
	object.get(input, ["metadata", "labels", "team"], "") == ""
	msg := sprintf("%s has no team label", [input.kind])
}
