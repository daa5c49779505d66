# What the policies on labels and tags share: `values`, `pattern`, `example` and `why` of a required name.
package lib.rules

# Says what is wrong with a value; undefined when nothing is.
problem(rule, value) := sprintf("must be one of %s", [concat(", ", rule.values)]) if {
	rule.values
	not value in rule.values
}

problem(rule, value) := sprintf("must match %s", [rule.pattern]) if {
	rule.pattern
	not _matches(rule.pattern, value)
}

_matches(pattern, value) if {
	is_string(value)
	regex.match(pattern, value)
}

# A good value, for the remediation.
example(rule) := rule.example

example(rule) := rule.values[0] if not rule.example

# What a value may be, for the remediation.
expected(rule) := sprintf("one of %s", [concat(", ", rule.values)]) if {
	rule.values
} else := sprintf("a value such as %s", [rule.example])

# "tags Team (whom to ask), CostCenter (who pays)": names with their reasons, in order.
named(noun, names, required) := sprintf("%s%s %s", [noun, _plural(names), concat(", ", reasons)]) if {
	reasons := [sprintf("%s (%s)", [name, required[name].why]) | some name in sort(names)]
}

_plural(names) := "" if {
	count(names) == 1
} else := "s"
