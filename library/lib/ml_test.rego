package lib.ml_test

import data.lib.ml
import data.ml.fixtures_test as fixtures

risk := {
	"tiers": ["minimal", "limited", "high"],
	"uses": {"credit-scoring": {"tier": "high"}, "churn": {"tier": "limited"}, "spam": {"tier": "minimal"}, "typo": {"tier": "hihg"}},
	"prohibited_uses": {},
	"environments": {"dev": "minimal", "production": "limited"},
}

tier(release) := result if {
	result := ml.tier with input as {"release": release} with data.ml_risk as risk
}

test_the_strictest_of_three_is_the_tier if {
	every want in [
		{"risk": "minimal", "use": "spam", "environment": "dev", "tier": "minimal"},
		{"risk": "limited", "use": "spam", "environment": "dev", "tier": "limited"},
		{"risk": "minimal", "use": "churn", "environment": "dev", "tier": "limited"},
		{"risk": "minimal", "use": "credit-scoring", "environment": "dev", "tier": "high"},
		{"risk": "minimal", "use": "spam", "environment": "production", "tier": "limited"},
		{"risk": "high", "use": "spam", "environment": "production", "tier": "high"},
		{"risk": "prohibited", "use": "spam", "environment": "dev", "tier": "high"},
	] {
		tier(want) == want.tier
	}
}

test_what_is_not_said_or_not_known_counts_as_the_strictest if {
	said := {"risk": "minimal", "use": "spam", "environment": "dev"}
	every field in ["risk", "use", "environment"] {
		tier(object.remove(said, [field])) == "high"
		tier(object.union(said, {field: "unheard-of"})) == "high"
	}
	tier(object.union(said, {"use": "typo"})) == "high"
}

test_an_environment_that_nobody_knows_is_production if {
	every release, is in {
		{"environment": "production"}: true,
		{"environment": "dev"}: false,
		{"environment": "lab"}: true,
		{}: true,
	} {
		found := [true |
			ml.production with input as {"release": release}
				with data.ml_risk as risk
				with data.production as {"environments": ["production"]}
		]
		count(found) > 0 == is
	}
}

test_dates_are_read_with_and_without_a_time if {
	ml.moment("1970-01-02") == 86400000000000
	ml.moment("1970-01-01T01:00:00+01:00") == 0
	ml.moment("1970-01-01T00:00:01Z") == 1000000000
	every text in ["2027-13-01", "2027-1-1", "soon", "", "2027-02-10T25:00:00Z", "2027-02-10 08:00"] {
		not ml.moment(text)
	}
}

test_a_part_is_required_unless_the_tier_says_otherwise if {
	release := fixtures.release.release
	every tiers in [{}, {"high": {}}, {"high": {"requires": "fairness"}}] {
		ml.required("latency") with input as {"release": release} with data.ml_risk as fixtures.risk with data.ml_tiers as tiers
	}
	not ml.required("latency") with input as {"release": release}
		with data.ml_risk as fixtures.risk
		with data.ml_tiers as {"high": {"requires": ["fairness"]}}
}

test_what_a_use_cannot_have_is_not_required if {
	uses := {"chatbot": {"tier": "high", "without": ["performance"]}, "credit-scoring": {"tier": "high"}}
	required := {use: parts |
		some use in ["chatbot", "credit-scoring", "other"]
		parts := {part |
			some part in ["performance", "latency"]
			ml.required(part) with input as {"release": {"use": use}}
				with data.ml_risk as object.union(fixtures.risk, {"uses": uses})
				with data.ml_tiers as fixtures.tiers
		}
	}
	required == {
		"chatbot": {"latency"},
		"credit-scoring": {"performance", "latency"},
		"other": {"performance", "latency"},
	}
}

test_what_to_do_about_a_missing_part if {
	advice := {part: finding.remediation |
		some part in ["fairness", "artifacts", "signature", "dependencies"]
		finding := ml.gap(part) with input as {"release": {"supply": {"signature": "model.sig"}}, "evidence": {}}
			with data.ml_risk as fixtures.risk
			with data.ml_tiers as fixtures.tiers
	}
	advice == {
		"fairness": "Declare `fairness` in release.yaml, then collect the evidence: solon model collect --only fairness",
		"artifacts": "Collect the evidence: solon model collect --only artifacts",
		"signature": "Collect the evidence: solon model collect --only signature",
		"dependencies": "Declare `supply.lock` in release.yaml, then collect the evidence: solon model collect --only dependencies",
	}
	failed := ml.gap("fairness") with input as {"release": {}, "evidence": {"fairness": {"status": "error"}}}
		with data.ml_risk as fixtures.risk
		with data.ml_tiers as fixtures.tiers
	failed.msg == "evidence of fairness is an error, and tier high requires it: it does not say why"
	failed.remediation == "Put right what it says, then collect the evidence anew: solon model collect --only fairness"
}

test_without_the_shared_data_nothing_passes if {
	ml.unjudged("x", {"y": 1}, [["y"]]) == {
		"cannot be judged: data.ml_risk is not loaded (library/data/ml-risk.yaml)",
		"cannot be judged: data.production is not loaded (library/data/production.yaml)",
	} with data.ml_risk as false with data.ml_tiers as false with data.production as false with input as fixtures.release
	ml.unjudged("x", {"y": 1}, [["y"]]) == {"cannot be judged: data.ml_tiers says nothing of the tier of this release (library/data/ml-tiers.yaml)"} with data.ml_risk as {"uses": {}}
		with data.ml_tiers as fixtures.tiers
		with data.production as fixtures.production
		with input as fixtures.release
}

test_numbers_are_short_and_never_look_like_their_limit if {
	ml.number(0.123456) == "0.1235"
	ml.number(3) == "3"
	ml.beside(0.12004, 0.12) == "0.12004"
	ml.beside(0.121, 0.12) == "0.121"
	ml.percent(0.95) == "95%"
	ml.percent(0.12345) == "12.35%"
	ml.count_of(1, "row") == "1 row"
	ml.count_of(0, "row") == "0 rows"
}
