# METADATA
# title: Deployments name their team
# custom:
#   severity: medium
#   subject: kubernetes.object
#   remediation: Add metadata.labels.team
package kubernetes_labels

deny contains {"msg": msg, "path": ["metadata", "labels"]} if {
	input.kind == "Deployment"
	not input.metadata.labels.team
	msg := sprintf("Deployment %s has no team label", [input.metadata.name])
}
