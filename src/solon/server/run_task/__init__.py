"""HCP Terraform and Terraform Enterprise ask whether a plan may be applied: run tasks."""
