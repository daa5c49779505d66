package ml.latency_test

import data.ml.fixtures_test as fixtures
import data.ml.latency

settings := {
	"may_promise_none": ["minimal"],
	"fewest_calls": 100,
	"slower": 1.25,
	"uses": {"credit-scoring": {"p99_ms": 100, "throughput": 200}},
}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := latency.deny with input as release
		with data.ml_latency as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(sprintf("/evidence/latency/result%s", [path]), value)])))

otherwise(field, value) := {finding.msg |
	some finding in deny(fixtures.changed([
		fixtures.set("/release/performance/onnx", "model.onnx"),
		fixtures.set("/release/performance/features", ["income", "debt"]),
		fixtures.set("/release/latency/onnx", "model.onnx"),
		fixtures.set("/release/latency/features", ["income", "debt"]),
		fixtures.set(sprintf("/release/latency/%s", [field]), value),
	]))
}

test_another_model_or_other_columns_than_under_performance_are_caught if {
	otherwise("features", ["income", "debt"]) == set()
	otherwise("features", ["debt", "nothing"]) == {"features of latency is not that of performance, so that they may be of two models"}
	otherwise("onnx", "fair.onnx") == {"onnx of latency is not that of performance, so that they may be of two models"}
}

test_in_time_passes if count(deny(fixtures.release)) == 0

test_above_a_declared_maximum_is_caught if {
	deny(fixtures.changed([fixtures.set("/evidence/latency/result/candidate/p95_ms", 50.5)])) == {{
		"msg": "p95_ms is 50.5, above the declared maximum of 50",
		"path": ["evidence", "latency", "result", "candidate", "p95_ms"],
	}}
}

test_what_the_use_needs_holds_whatever_is_promised if {
	said("/candidate/p99_ms", 120) == {"p99_ms is 120, above the limit for credit-scoring of 100"}
	said("/candidate/throughput", 150) == {"throughput is 150 rows a second, below the limit for credit-scoring of 200"}
}

test_a_throughput_below_the_declared_one_is_caught if {
	release := fixtures.changed([fixtures.set("/release/latency/throughput", 300), fixtures.set("/evidence/latency/result/throughput", 300)])
	messages(deny(release)) == {"throughput is 240.5 rows a second, below the declared minimum of 300"}
}

test_a_maximum_that_is_no_longer_declared_counts if {
	release := fixtures.changed([
		fixtures.unset("/release/latency/maximums"),
		fixtures.set("/evidence/latency/result/maximums", {"p95_ms": 10}),
	])
	messages(deny(release)) == {"p95_ms is 31.5, above the declared maximum of 10"}
}

test_what_was_not_timed_is_caught if {
	messages(deny(fixtures.changed([fixtures.set("/release/latency/maximums", {"p95_ms": 50, "p90_ms": 40})]))) == {
		"p90_ms was not measured, and the declared maximum limits it",
	}
	messages(deny(fixtures.changed([fixtures.unset("/evidence/latency/result/candidate/p95_ms")]))) == {
		"p95_ms was not measured, and the declared maximum limits it",
	}
	said("/candidate/throughput", "fast") == {
		"throughput was not measured, and the declared minimum limits it",
		"throughput was not measured, and the limit for credit-scoring limits it",
	}
}

test_few_calls_tell_nothing if {
	said("/candidate/calls", 1) == {"timed over 1 call, fewer than the 100 that tell anything"}
}

test_without_a_number_of_calls_nothing_passes if {
	messages(deny(fixtures.changed([fixtures.unset("/evidence/latency/result/candidate/calls")]))) == {
		"timed over 0 calls, fewer than the 100 that tell anything",
	}
}

test_slower_for_sure_is_caught if {
	said("/slower", {"value": 1.35, "interval": fixtures.interval(1.3, 1.41)}) == {
		"takes 1.3 to 1.41 times as long as version 6 (95% confidence), where 1.25 is tolerated",
	}
}

test_noise_does_not_block if {
	count(said("/slower", {"value": 1.35, "interval": fixtures.interval(1.1, 1.6)})) == 0
}

test_who_says_what_it_replaces_is_held_to_it if {
	release := fixtures.changed([
		fixtures.unset("/evidence/latency/result/slower"),
		fixtures.set("/release/latency/baseline", {"version": "6"}),
	])
	messages(deny(release)) == {"declares a version to compare with, and how it compares with version 6 is unknown"}
	unnamed := json.patch(release, [fixtures.unset("/evidence/latency/result/baseline_version")])
	messages(deny(unnamed)) == {
		"declares a version to compare with, and how it compares with the version that is deployed is unknown",
	}
}

promising_nothing := fixtures.changed([
	fixtures.unset("/release/latency/maximums"),
	fixtures.unset("/release/latency/throughput"),
	fixtures.unset("/evidence/latency/result/throughput"),
	fixtures.set("/evidence/latency/result/maximums", {}),
])

test_nothing_promised_is_caught if {
	messages(under(promising_nothing, json.patch(settings, [fixtures.set("/uses", {})]))) == {
		"promises no latency and no throughput, and tier high promises one",
	}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("latency") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("latency"))) == 0

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {"cannot be judged: data.ml_latency is not loaded (library/data/ml-latency.yaml)"}
}
