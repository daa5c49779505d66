package ml.documentation_test

import data.ml.documentation
import data.ml.fixtures_test as fixtures

settings := {
	"fields": {"model_card": ["intended_use", "limitations"], "risk_assessment": ["limitations"]},
	"fields_of_uses": {"chatbot": {"model_card": ["transparency"]}},
	"fewest_words": 5,
	"after_training": ["model_card"],
	"says": {"model_card": ["model_version", "use", "risk"]},
	"digest": ["high"],
}

deny(release) := under(release, settings)

under(release, settings) := result if {
	result := documentation.deny with input as release
		with data.ml_documentation as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

card(path) := sprintf("/evidence/documentation/result/documents/model_card%s", [path])

said(path, value) := messages(deny(fixtures.changed([fixtures.set(card(path), value)])))

said_without(path) := messages(deny(fixtures.changed([fixtures.unset(card(path))])))

test_good_documents_pass if {
	count(deny(fixtures.release)) == 0
	count(said("/written_at", "2027-02-10")) == 0
}

test_a_document_that_the_tier_requires_is_missed if {
	some finding in deny(fixtures.changed([fixtures.unset(card(""))]))
	finding.msg == "has no model card, and tier high requires one"
	finding.path == ["release", "documentation", "model_card"]
}

test_an_absent_section_is_caught if {
	said_without("/fields/limitations") == {"model_card.md says nothing of limitations: there is no such section"}
}

test_a_section_that_says_nothing_is_caught if {
	said("/fields/intended_use", {"says_something": false, "words": 1, "line": 12, "placeholder": "TODO"}) == {
		"model_card.md:12 says nothing of intended use: it says \"TODO\"",
	}
	said("/fields/intended_use", {"says_something": true, "words": 4}) == {
		"model_card.md says nothing of intended use: it is 4 words long",
	}
	said_without("/fields/intended_use/says_something") == {"model_card.md:12 says nothing of intended use: it is 40 words long"}
}

test_a_use_may_ask_for_more if {
	release := fixtures.changed([
		fixtures.set("/release/use", "chatbot"),
		fixtures.set(card("/use"), "chatbot"),
		fixtures.set("/evidence/documentation/result/documents/data_sheet/use", "chatbot"),
		fixtures.set("/evidence/documentation/result/documents/risk_assessment/use", "chatbot"),
	])
	messages(deny(release)) == {"model_card.md says nothing of transparency: there is no such section"}
}

test_what_was_written_before_the_training_is_caught if {
	said("/written_at", "2027-02-09T23:00:00Z") == {
		"model_card.md is of 2027-02-09T23:00:00Z, and the model was trained on 2027-02-10T08:00:00Z",
	}
	said_without("/written_at") == {
		"model_card.md is of no date that it names, and the model was trained on 2027-02-10T08:00:00Z",
	}
	said("/written_at", "last week") == {"model_card.md is of last week, and the model was trained on 2027-02-10T08:00:00Z"}
}

sheet(path) := sprintf("/evidence/documentation/result/documents/data_sheet%s", [path])

test_a_data_sheet_may_be_older_than_the_training_and_need_not_name_the_risk if {
	release := fixtures.changed([fixtures.set(sheet("/written_at"), "2026-12-01"), fixtures.unset(sheet("/risk"))])
	count(deny(release)) == 0
	stricter := json.patch(settings, [
		fixtures.set("/after_training", ["model_card", "data_sheet"]),
		fixtures.set("/says/data_sheet", ["risk"]),
	])
	messages(under(release, stricter)) == {
		"data_sheet.md is of 2026-12-01, and the model was trained on 2027-02-10T08:00:00Z",
		"data_sheet.md does not say its risk",
	}
}

test_a_training_at_an_unknown_time_is_caught if {
	messages(deny(fixtures.changed([fixtures.unset("/release/trained_at")]))) == {
		"does not say when it was trained, so that whether its documents are current cannot be told",
	}
}

test_a_review_long_ago_is_caught if {
	said("/reviewed_at", "2026-09-01") == {
		"model_card.md was reviewed on 2026-09-01, and tier high wants it within 180 days",
		"model_card.md was reviewed on 2026-09-01, before it was written on 2027-02-12T00:00:00Z",
	}
	said_without("/reviewed_at") == {"model_card.md was reviewed on no date that it names, and tier high wants it within 180 days"}
	said("/reviewed_at", "2028-01-01") == {"model_card.md was reviewed on 2028-01-01, and tier high wants it within 180 days"}
}

test_a_review_by_nobody_is_caught if {
	said_without("/reviewer") == {"model_card.md does not say who reviewed it"}
}

test_a_document_about_something_else_is_caught if {
	said("/model_name", "fraud") == {"model_card.md is about model name fraud, and this is credit"}
	said("/model_version", "6") == {"model_card.md is about model version 6, and this is 7"}
	said("/model_digest", "sha256:00") == {"model_card.md is about model digest sha256:00, and this is sha256:4f1c"}
	said("/use", "marketing") == {"model_card.md is about use marketing, and this is credit-scoring"}
	said("/risk", "minimal") == {"model_card.md is about risk minimal, and this is high"}
}

test_a_document_that_does_not_say_what_it_is_about_is_caught if {
	said_without("/model_version") == {"model_card.md does not say its model version"}
	said_without("/model_digest") == {"model_card.md does not say its model digest"}
	said_without("/use") == {"model_card.md does not say its use"}
	said_without("/risk") == {"model_card.md does not say its risk"}
	undigested := fixtures.changed([fixtures.unset(card("/model_digest"))])
	count(under(undigested, json.patch(settings, [fixtures.set("/digest", [])]))) == 0
}

test_what_is_wrong_with_a_document_is_told if {
	said("/problems", ["the front matter is not YAML"]) == {"model_card.md: the front matter is not YAML"}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("documentation") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("documentation"))) == 0

test_without_its_data_nothing_passes if {
	some finding in under(fixtures.release, false)
	finding.msg == "cannot be judged: data.ml_documentation is not loaded (library/data/ml-documentation.yaml)"
}
