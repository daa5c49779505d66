package terraform_tags_test

import data.terraform_tags

resource(tags) := {"address": "aws_instance.web", "change": {"actions": ["create"], "after": {"tags": tags}}}

test_missing_tags_are_caught if {
	count(terraform_tags.deny) == 1 with input as resource({"team": "search"})
}

test_null_tags_are_caught if {
	count(terraform_tags.deny) == 1 with input as resource(null)
}

test_tagged_resources_pass if {
	count(terraform_tags.deny) == 0 with input as resource({"team": "search", "cost-center": "42"})
}

test_resources_without_tags_pass if {
	count(terraform_tags.deny) == 0 with input as {"address": "null_resource.x", "change": {"after": {}}}
}
