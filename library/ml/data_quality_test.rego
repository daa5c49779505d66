package ml.data_quality_test

import data.ml.data_quality
import data.ml.fixtures_test as fixtures

settings := {
	"fewest_rows": 500,
	"looked_at": 1000,
	"missing": 0.3,
	"prohibited": {
		"any_use": ["health", "religion"],
		"uses": {"credit-scoring": ["protected"]},
		"permitted": {"triage": ["health"]},
	},
	"personal": ["personal", "health", "religion"],
	"steps": {"any_use": [], "credit-scoring": ["deduplicate"]},
	"accepted_columns": [],
}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := data_quality.deny with input as release
		with data.ml_data as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

with_column(column) := fixtures.changed([fixtures.set(
	"/evidence/data/result/columns/notes",
	object.union({"type": "text", "rows": 5000, "missing": 0, "declared": true}, column),
)])

said(path, value) := messages(deny(fixtures.changed([fixtures.set(sprintf("/evidence/data/result%s", [path]), value)])))

said_without(path) := messages(deny(fixtures.changed([fixtures.unset(sprintf("/evidence/data/result%s", [path]))])))

test_good_data_passes if {
	count(deny(fixtures.release)) == 0
	count(deny(with_column({"category": "personal", "detected": [{"kind": "email", "rows": 5000, "looked_at": 5000}]}))) == 0
	count(deny(with_column({"category": "personal", "suspected": "personal"}))) == 0
}

test_an_undeclared_column_is_caught if {
	deny(with_column({"declared": false})) == {{
		"msg": "column notes is not in the dictionary",
		"path": ["evidence", "data", "result", "columns", "notes"],
		"remediation": "Describe notes in columns.yaml, or leave it out of the training data",
	}}
	said_without("/columns/purpose/declared") == {"column purpose is not in the dictionary"}
}

test_no_column_at_all_is_caught if {
	said("/columns", {}) == {"no column was looked at"}
	said_without("/columns") == {"no column was looked at"}
}

test_an_absent_column_is_caught if {
	said("/absent", ["postcode"]) == {"column postcode is in the dictionary, and not in the training data"}
}

test_a_broken_schema_is_caught if {
	messages(deny(with_column({"problems": ["3 values are below 0"]}))) == {"column notes breaks its schema: 3 values are below 0"}
}

test_what_is_missing_is_caught if {
	messages(deny(with_column({"missing": 1501}))) == {"column notes is empty in 30.02% of the rows, where 30% may be"}
	messages(deny(with_column({"missing": 2000}))) == {"column notes is empty in 40% of the rows, where 30% may be"}
	said_without("/columns/purpose/missing") == {"how much of column purpose is missing is unknown"}
}

test_a_prohibited_category_is_caught if {
	messages(deny(with_column({"category": "protected"}))) == {
		"column notes is of the category protected, which the use credit-scoring must not learn from",
	}
	messages(deny(with_column({"category": "health"}))) == {
		"column notes is of the category health, which the use credit-scoring must not learn from",
	}
	nameless := json.patch(with_column({"category": "health"}), [fixtures.unset("/release/use")])
	messages(deny(nameless)) == {"column notes is of the category health, which a release that names no use must not learn from"}
}

test_a_use_may_be_permitted_what_others_are_not if {
	count(deny(json.patch(with_column({"category": "health"}), [fixtures.set("/release/use", "triage")]))) == 0
}

test_a_name_that_sounds_prohibited_is_caught if {
	messages(deny(with_column({"suspected": "religion", "category": "other"}))) == {
		"column notes sounds like the category religion, which the use credit-scoring must not learn from",
	}
}

test_personal_data_that_nobody_declared_is_caught if {
	found := [{"kind": "email", "rows": 12, "looked_at": 5000}, {"kind": "iban", "rows": 1, "looked_at": 5000}]
	messages(deny(with_column({"detected": found}))) == {
		"column notes has email in 12 of 5000 rows looked at, and the dictionary gives it no category",
		"column notes has iban in 1 of 5000 rows looked at, and the dictionary gives it no category",
	}
	messages(deny(with_column({"suspected": "personal"}))) == {"column notes sounds like the category personal, and the dictionary gives it no category"}
	messages(deny(with_column({"suspected": "personal", "category": "product"}))) == {
		"column notes sounds like the category personal, and the dictionary gives it the category product",
	}
}

test_what_was_not_searched_is_caught if {
	messages(deny(with_column({"unsearched": "bytes, not text"}))) == {
		"column notes was not searched for personal data: bytes, not text",
	}
}

accepting(found) := json.patch(settings, [fixtures.set("/accepted_columns", [{
	"model": "cred*",
	"column": "notes",
	"found": [found],
	"until": "2027-03-01",
	"reason": "a code of ours",
}])])

test_a_column_may_be_accepted if {
	every found, column in {
		"religion": {"suspected": "religion"},
		"personal": {"suspected": "personal"},
		"email": {"detected": [{"kind": "email", "rows": 12, "looked_at": 5000}]},
		"unsearched": {"unsearched": "bytes, not text"},
	} {
		count(under(with_column(column), accepting(found))) == 0
		count(under(with_column(column), accepting("other"))) == 1
	}
}

test_few_rows_looked_at_tell_nothing if {
	said("/looked_at", 999) == {"personal data was looked for in 999 of 5000 rows, fewer than the 1000 that tell anything"}
	said_without("/looked_at") == {"personal data was looked for in 0 of 5000 rows, fewer than the 1000 that tell anything"}
	small := fixtures.changed([fixtures.set("/evidence/data/result/rows", 600), fixtures.set("/evidence/data/result/looked_at", 600)])
	count(deny(small)) == 0
}

test_few_rows_are_caught if {
	said("/rows", 499) == {"trained on 499 rows, fewer than 500"}
	said_without("/rows") == {
		"trained on 0 rows, fewer than 500",
		"personal data was looked for in 5000 of 0 rows, fewer than the 1000 that tell anything",
	}
}

test_a_required_step_that_is_not_on_record_is_caught if {
	said("/steps_recorded", ["deduplicate"]) == {
		"the preparation impute is not on record, and these are required: deduplicate, impute",
	}
	undeclared := fixtures.changed([
		fixtures.set("/evidence/data/result/steps_declared", []),
		fixtures.set("/evidence/data/result/steps_recorded", []),
	])
	messages(deny(undeclared)) == {"the preparation deduplicate is not on record, and these are required: deduplicate"}
}

test_without_a_record_nothing_ran if {
	said_without("/steps_recorded") == {
		"no preparation is on record (nothing was recorded), and these are required: deduplicate, impute",
	}
	release := fixtures.changed([
		fixtures.unset("/evidence/data/result/steps_recorded"),
		fixtures.set("/evidence/data/result/steps_unknown", "steps.yaml is about another table"),
	])
	messages(deny(release)) == {
		"no preparation is on record (steps.yaml is about another table), and these are required: deduplicate, impute",
	}
}

test_another_order_is_caught if {
	said("/steps_recorded", ["impute", "deduplicate"]) == {
		"the preparations ran as impute, deduplicate, and are declared as deduplicate, impute",
	}
	count(said("/steps_recorded", ["deduplicate", "shuffle", "impute"])) == 0
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("data") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("data"))) == 0

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {"cannot be judged: data.ml_data is not loaded (library/data/ml-data.yaml)"}
}
