package ml.signature_test

import data.ml.fixtures_test as fixtures
import data.ml.signature

deny(release) := under(release, {"keys": []})

under(release, settings) := result if {
	result := signature.deny with input as release
		with data.ml_signature as settings
		with data.ml_tiers as fixtures.tiers
		with data.ml_risk as fixtures.risk
		with data.production as fixtures.production
		with time.now_ns as time.parse_rfc3339_ns(fixtures.now)
}

messages(findings) := {finding.msg | some finding in findings}

said(path, value) := messages(deny(fixtures.changed([fixtures.set(sprintf("/evidence/signature/result%s", [path]), value)])))

keys(model, until) := {"keys": [{"model": model, "digest": "sha256:5157", "until": until, "reason": "the pipeline"}]}

test_a_signed_model_passes if {
	count(deny(fixtures.release)) == 0
	count(under(fixtures.release, keys("cred*", "2027-03-01"))) == 0
}

test_a_signature_that_does_not_verify_is_caught if {
	deny(fixtures.changed([
		fixtures.set("/evidence/signature/result/verified", false),
		fixtures.set("/evidence/signature/result/problem", "model.onnx was changed"),
	])) == {{
		"msg": "the signature is not verified: model.onnx was changed",
		"path": ["evidence", "signature", "result", "verified"],
	}}
	messages(deny(fixtures.changed([fixtures.unset("/evidence/signature/result/verified")]))) == {
		"the signature is not verified: it does not say why",
	}
	said("/verified", "yes") == {"the signature is not verified: it does not say why"}
}

test_a_key_that_is_not_trusted_is_caught if {
	messages(under(fixtures.release, keys("fraud", "2027-03-01"))) == {
		"signed with the key sha256:5157, which is not trusted for it",
	}
	messages(under(fixtures.release, keys("credit", "2027-02-28"))) == {
		"signed with the key sha256:5157, which is not trusted for it; it was until 2027-02-28",
	}
	keyless := fixtures.changed([fixtures.unset("/evidence/signature/result/key")])
	messages(under(keyless, keys("credit", "2027-03-01"))) == {
		"signed with the key of nobody knows whom, which is not trusted for it",
	}
}

test_what_the_signature_leaves_out_is_caught if {
	said("/outside", [".git/evil.pkl"]) == {"the signature says nothing of .git/evil.pkl, which could be exchanged"}
}

test_a_file_that_is_not_signed_is_caught if {
	said("/files", 0) == {"of 1 released file, 0 are signed"}
	messages(deny(fixtures.changed([fixtures.unset("/evidence/signature/result/files")]))) == {"of 1 released file, 0 are signed"}
}

test_what_is_not_measured_does_not_pass if {
	every release, said in fixtures.failing("signature") {
		messages(deny(release)) == {said}
	}
}

test_where_it_is_not_asked_for_it_may_be_missing if count(deny(fixtures.spared("signature"))) == 0

test_without_its_data_nothing_passes if {
	messages(under(fixtures.release, false)) == {"cannot be judged: data.ml_signature is not loaded (library/data/ml-signature.yaml)"}
}
