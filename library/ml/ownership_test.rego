package ml.ownership_test

import data.ml.fixtures_test as fixtures
import data.ml.ownership

settings := {"fields": {
	"owner": {"pattern": "^.+@.+$", "example": "ana@acme.example", "why": "whom to ask"},
	"team": {"values": ["credit", "fraud"], "why": "who is told"},
}}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := ownership.deny with input as release
		with data.ml_ownership as settings
		with data.ml_risk as fixtures.risk
		with data.ml_tiers as fixtures.tiers
		with data.production as fixtures.production
}

test_an_owned_model_passes if count(deny(fixtures.release)) == 0

test_a_model_of_nobody_is_caught if {
	deny(fixtures.changed([fixtures.unset("/release/owner"), fixtures.set("/release/team", "")])) == {
		{
			"msg": "names no owner (whom to ask)",
			"path": ["release"],
			"remediation": "Set owner in release.yaml to a value such as ana@acme.example",
		},
		{
			"msg": "names no team (who is told)",
			"path": ["release"],
			"remediation": "Set team in release.yaml to one of credit, fraud",
		},
	}
}

test_an_owner_in_another_form_is_caught if {
	{finding.msg | some finding in deny(fixtures.changed([fixtures.set("/release/owner", "ana")]))} == {
		"owner is \"ana\", which must match ^.+@.+$",
	}
}

test_without_its_data_nothing_passes if {
	some finding in under(fixtures.release, false)
	finding.msg == "cannot be judged: data.ml_ownership is not loaded (library/data/ml-ownership.yaml)"
}
