package ml.risk_level_test

import data.ml.fixtures_test as fixtures
import data.ml.risk_level

deny(release) := under(release, fixtures.risk)

under(release, risk) := result if {
	result := risk_level.deny with input as release
		with data.ml_risk as risk
		with data.ml_tiers as fixtures.tiers
		with data.production as fixtures.production
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(path, value)])))

said_without(path) := messages(deny(fixtures.changed([fixtures.unset(path)])))

test_what_says_how_it_is_passes if {
	count(deny(fixtures.release)) == 0
	count(said("/release/use", "demand-forecast")) == 0
}

test_a_prohibited_use_is_caught if {
	said("/release/use", "social-scoring") == {"is for social-scoring, which is prohibited: Article 5(1)(c)"}
	said("/release/risk", "prohibited") == {"declares itself prohibited"}
}

test_a_prohibited_use_is_caught_in_any_environment if {
	release := fixtures.changed([fixtures.set("/release/use", "social-scoring"), fixtures.set("/release/environment", "dev")])
	messages(deny(release)) == {"is for social-scoring, which is prohibited: Article 5(1)(c)"}
}

test_too_low_a_risk_is_caught if {
	deny(fixtures.changed([fixtures.set("/release/risk", "minimal")])) == {{
		"msg": "declares the risk minimal, and its use credit-scoring is of tier high: essential services",
		"path": ["release", "risk"],
		"remediation": "Set risk in release.yaml to high",
	}}
}

test_an_unknown_use_is_caught_in_production if {
	said("/release/use", "stock-picking") == {
		"is for stock-picking, which is no use that is known, so that its risk is unknown, and it is for production",
	}
	said_without("/release/use") == {"does not say what it is for, so that its risk is unknown, and it is for production"}
	count(deny(fixtures.changed([fixtures.set("/release/environment", "dev"), fixtures.unset("/release/use")]))) == 0
}

test_no_risk_counts_as_the_strictest if {
	said_without("/release/risk") == {"declares no risk, and so counts as high"}
	said("/release/risk", "tiny") == {"declares the risk tiny, which is no tier, and so counts as high"}
}

test_no_environment_counts_as_production if {
	said_without("/release/environment") == {"does not say for which environment it is, and so counts as production"}
	messages(deny(fixtures.changed([fixtures.set("/release/environment", "lab"), fixtures.unset("/release/use")]))) == {
		"is for the environment lab, which is not on the list, and so counts as production",
		"does not say what it is for, so that its risk is unknown, and it is for production",
	}
}

test_without_its_data_nothing_passes if {
	some finding in under(fixtures.release, false)
	finding.msg == "cannot be judged: data.ml_risk is not loaded (library/data/ml-risk.yaml)"
}
