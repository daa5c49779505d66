# METADATA
# title: Deployments name their team
# description: Every Deployment has the label team, so that whoever is on call knows whom to ask.
# custom:
#   severity: medium
#   owner: platform-security
#   controls: ["ISO-27001:A.5.9"]
#   subject: kubernetes.object
#   remediation: Add metadata.labels.team
package kubernetes_labels

deny contains {"msg": msg, "path": ["metadata", "labels"]} if {
	input.kind == "Deployment"
	not input.metadata.labels.team
	msg := sprintf("Deployment %s has no team label", [input.metadata.name])
}
