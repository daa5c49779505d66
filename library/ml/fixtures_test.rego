# A release of a credit model that nothing is wrong with, as the policies see it, and ways to make it worse.
package ml.fixtures_test

now := "2027-03-01T12:00:00Z"

digest := "sha256:4f1c"

# The release, with some fields replaced: `changes` are JSON patch operations.
changed(changes) := json.patch(release, changes)

set(path, value) := {"op": "add", "path": path, "value": value}

unset(path) := {"op": "remove", "path": path}

# What may be wrong with a part, and what is then said of it.
failing(part) := {
	changed([unset(sprintf("/evidence/%s", [part]))]): sprintf("evidence of %s was not collected, and tier high requires it", [part]),
	changed([
		set(sprintf("/evidence/%s/status", [part]), "error"),
		set(sprintf("/evidence/%s/problem", [part]), "holdout.csv: no such file"),
		unset(sprintf("/evidence/%s/result", [part])),
	]): sprintf("evidence of %s is an error, and tier high requires it: holdout.csv: no such file", [part]),
	changed([
		set(sprintf("/evidence/%s/status", [part]), "refused"),
		set(sprintf("/evidence/%s/problem", [part]), "measured of another model"),
		unset(sprintf("/evidence/%s/result", [part])),
	]): sprintf("evidence of %s is refused: measured of another model", [part]),
	changed([unset(sprintf("/evidence/%s/result", [part]))]): sprintf("evidence of %s says it was measured, and has no result", [part]),
	changed([set(sprintf("/evidence/%s/status", [part]), "skipped")]): sprintf("evidence of %s has no status that is known", [part]),
	changed([unset("/model/verified")]): sprintf(
		"evidence of %s cannot be held to the model: its files were not compared with what was measured",
		[part],
	),
}

# The part may be left out where the tier does not ask for it.
spared(part) := changed([
	set("/release/use", "demand-forecast"),
	set("/release/risk", "minimal"),
	set("/release/environment", "dev"),
	unset(sprintf("/evidence/%s", [part])),
])

tiers := {
	"minimal": {
		"requires": ["artifacts"],
		"judged_by": "value",
		"predictions": ["recorded", "command", "onnx"],
		"evidence_days": 180,
		"signed_evidence": false,
		"documents": [],
		"reviewed_days": 730,
		"severity": "critical",
	},
	"high": {
		"requires": [
			"artifacts", "signature", "dependencies", "documentation", "data", "drift", "performance", "latency", "fairness",
		],
		"judged_by": "interval",
		"predictions": ["command", "onnx"],
		"evidence_days": 30,
		"signed_evidence": true,
		"documents": ["model_card", "data_sheet", "risk_assessment"],
		"reviewed_days": 180,
		"severity": "medium",
	},
}

risk := {
	"tiers": ["minimal", "high"],
	"uses": {
		"credit-scoring": {"tier": "high", "why": "essential services"},
		"demand-forecast": {"tier": "minimal", "why": "no person is judged"},
	},
	"prohibited_uses": {"social-scoring": "Article 5(1)(c)"},
	"environments": {"dev": "minimal", "production": "high"},
}

production := {"environments": ["production"], "namespaces": []}

release := {
	"kind": "solon.evidence/v1",
	"release": {
		"kind": "solon.release/v1",
		"name": "credit",
		"version": "7",
		"model": ["model.onnx"],
		"task": "classification",
		"use": "credit-scoring",
		"risk": "high",
		"environment": "production",
		"owner": "ana@acme.example",
		"team": "credit",
		"trained_at": "2027-02-10T08:00:00Z",
		"performance": {"data": "holdout.csv", "label": "repaid", "minimums": {"accuracy": 0.75, "log_loss": 0.6}},
		"latency": {"data": "holdout.csv", "maximums": {"p95_ms": 50}, "throughput": 100},
		"fairness": {"data": "holdout.csv", "label": "repaid", "attributes": ["sex", "age_group"]},
		"data": {"training": "train.csv", "columns": "columns.yaml", "steps": ["deduplicate", "impute"]},
		"drift": {"training": "train.csv", "serving": "serving.csv"},
		"supply": {"signature": "model.sig", "lock": "requirements.lock"},
		"documentation": {"model_card": "model-card.md", "data_sheet": "data.md", "risk_assessment": "risk.md"},
	},
	"model": {
		"digest": digest,
		"verified": true,
		"files": [{"path": "model.onnx", "bytes": 812, "digest": "sha256:aa01"}],
	},
	"collected_at": "2027-02-20T09:00:00Z",
	"collector": {"name": "solon", "version": "1"},
	"collected_by": {"verified": true, "key": "sha256:c011"},
	"evidence": {name: item(name) | some name, _ in results},
}

item(name) := {
	"status": "measured",
	"source": "holdout.csv",
	"tool": "solon",
	"tool_version": "1",
	"collected_at": "2027-02-20T09:00:00Z",
	"measured": [{"what": "model", "digest": digest}],
	"result": results[name],
}

interval(low, high) := {"low": low, "high": high, "confidence": 0.95, "method": "bootstrap"}

results := {
	"artifacts": {"artifacts": [{"path": "model.onnx", "format": "onnx", "bytes": 812, "verdict": "safe"}]},
	"signature": {"verified": true, "method": "openssf-model-signing", "key": "sha256:5157", "files": 1},
	"dependencies": {
		"sources": ["requirements.lock"],
		"packages": [{"name": "onnxruntime", "version": "1.23.2"}, {"name": "numpy", "version": "2.4.1"}],
		"vulnerabilities": [],
		"database": {"digest": "sha256:05e0", "records": 1200, "newest": "2027-02-27T00:00:00Z", "ecosystems": ["PyPI"]},
	},
	"documentation": {"documents": {name: document(name) | some name in ["model_card", "data_sheet", "risk_assessment"]}},
	"data": {
		"rows": 5000,
		"columns": {
			"income": {"type": "number", "rows": 5000, "missing": 100, "declared": true},
			"purpose": {"type": "text", "rows": 5000, "missing": 0, "declared": true},
		},
		"absent": [],
		"steps_declared": ["deduplicate", "impute"],
		"steps_recorded": ["deduplicate", "impute"],
		"looked_at": 5000,
	},
	"drift": {
		"columns": {
			"income": drift_column(0.03),
			"purpose": drift_column(0.05),
		},
		"absent": [],
		"largest": "purpose",
		"overall": 0.04,
	},
	"performance": {
		"task": "classification",
		"n": 2000,
		"predictions": "onnx",
		"metrics": {
			"accuracy": {"n": 2000, "value": 0.8, "interval": interval(0.78, 0.82)},
			"log_loss": {"n": 2000, "value": 0.5, "interval": interval(0.45, 0.55), "higher_is_better": false},
			"roc_auc": {"n": 2000, "value": 0.85, "interval": interval(0.83, 0.87)},
		},
		"minimums": {"accuracy": 0.75, "log_loss": 0.6},
		"slices": [{
			"column": "region",
			"value": "south",
			"metrics": {
				"accuracy": {"n": 400, "value": 0.77, "interval": interval(0.72, 0.82)},
				"log_loss": {"n": 400, "value": 0.55, "interval": interval(0.5, 0.6), "higher_is_better": false},
			},
		}],
		"baseline_version": "6",
		"baseline_predictions": "onnx",
		"baseline": {
			"accuracy": {"n": 2000, "candidate": 0.8, "baseline": 0.79, "change": 0.01, "interval": interval(-0.005, 0.025)},
			"log_loss": {"n": 2000, "candidate": 0.5, "baseline": 0.49, "change": -0.01, "interval": interval(-0.03, 0.01)},
		},
	},
	"latency": {
		"predictor": "onnx",
		"batch": 1,
		"warm_up": 20,
		"candidate": {"calls": 500, "p50_ms": 12, "p95_ms": 31.5, "p99_ms": 44, "throughput": 240.5},
		"maximums": {"p95_ms": 50},
		"throughput": 100,
		"host": {"machine": "x86_64", "processor": "x", "processors": 2, "system": "Linux", "python": "3.11"},
		"baseline_version": "6",
		"baseline": {"calls": 500, "p50_ms": 11, "p95_ms": 30, "p99_ms": 41, "throughput": 250},
		"slower": {"value": 1.08, "interval": interval(1.02, 1.15)},
	},
	"fairness": {
		"n": 2000,
		"predictions": "onnx",
		"positive": "1",
		"smallest": 30,
		"attributes": {
			"sex": attribute(["sex"], 0.06),
			"age_group": attribute(["age_group"], 0.08),
			"sex x age_group": attribute(["sex", "age_group"], 0.09),
		},
	},
}

drift_column(psi) := {
	"kind": "number",
	"n_training": 5000,
	"n_serving": 4000,
	"psi": psi,
	"noise": 0.01,
	"missing_training": 0.02,
	"missing_serving": 0.03,
	"unseen": 0,
}

attribute(columns, difference) := {
	"columns": columns,
	"groups": [],
	"disparities": {
		"demographic_parity_difference": {
			"value": difference,
			"interval": interval(difference - 0.01, difference + 0.01),
			"low": "a",
			"high": "b",
		},
		"demographic_parity_ratio": {"value": 0.9, "interval": interval(0.85, 0.95), "low": "a", "high": "b"},
		"equalized_odds_difference": {"value": 0.05, "interval": interval(0.02, 0.08), "low": "a", "high": "b"},
	},
}

document(name) := {
	"path": sprintf("%s.md", [name]),
	"digest": "sha256:d0c5",
	"fields": {
		"intended_use": {"says_something": true, "words": 40, "line": 12},
		"limitations": {"says_something": true, "words": 30, "line": 20},
	},
	"written_at": "2027-02-12T00:00:00Z",
	"reviewed_at": "2027-02-18T00:00:00Z",
	"reviewer": "ben@acme.example",
	"model_name": "credit",
	"model_version": "7",
	"model_digest": digest,
	"intended_use": "Scores applications for consumer credit, for a person to decide.",
	"use": "credit-scoring",
	"risk": "high",
}
