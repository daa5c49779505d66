# What the policies on ML releases share: the tier of a release, which evidence counts, limits, dates and exceptions.
#
# What is not known is left out of the evidence, and undefined here; in Rego nothing is then wrong with it. So each limit
# has its rule for what is not there. And `not x.field < 1` does not hold where there is no field, as that is looked up
# before the `not`; the same is so of all functions and operators but `==`. Hence rules such as `known`, to be negated whole.
package lib.ml

# --- Tiers

# The tier of the release: the strictest of those that its declared risk, its use and its environment ask for. What is not
# said, or not on the lists, counts as the strictest.
tier := _tiers[max([_declared_rank, use_rank, _environment_rank])]

_tiers := data.ml_risk.tiers

# The place of a tier on the list, from the mildest; that of the strictest for what is not on it.
rank(name) := min([i | some i, each in _tiers; each == name]) if {
	name in _tiers
} else := count(_tiers) - 1

_declared_rank := rank(object.get(input.release, "risk", ""))

use_rank := rank(object.get(data.ml_risk.uses, [_use, "tier"], ""))

_use := object.get(input.release, "use", "")

_environment_rank := rank(object.get(data.ml_risk.environments, object.get(input.release, "environment", ""), ""))

# What data.ml_tiers says of the tier. Undefined where it says nothing.
demands := data.ml_tiers[tier]

production if input.release.environment in data.production.environments

# An environment that nobody knows is taken for production.
production if not _known_environment

_known_environment if data.ml_risk.environments[input.release.environment]

# --- Settings

# Why nothing can be judged: settings of the policy, or those that all share, are not loaded, or lack a field.
unjudged(name, settings, fields) := {sprintf("cannot be judged: data.%s is not loaded (library/data/%s.yaml)", [name, _file(name)])} if {
	settings == {}
} else := {msg |
	some field in fields
	object.get(settings, field, null) == null
	msg := sprintf("cannot be judged: data.%s.%s is not set (library/data/%s.yaml)", [name, concat(".", field), _file(name)])
} | _no_tier

_file(name) := replace(name, "_", "-")

_no_tier contains "cannot be judged: data.ml_risk is not loaded (library/data/ml-risk.yaml)" if not data.ml_risk

_no_tier contains "cannot be judged: data.production is not loaded (library/data/production.yaml)" if not data.production

_no_tier contains msg if {
	data.ml_risk
	not demands
	msg := sprintf("cannot be judged: data.ml_tiers says nothing of the tier %s (library/data/ml-tiers.yaml)", [_tier_name])
}

_no_tier contains msg if {
	demands
	some field, type in _demanded
	not type_name(object.get(demands, field, null)) == type
	msg := sprintf("cannot be judged: data.ml_tiers.%s.%s is not set, or no %s (library/data/ml-tiers.yaml)", [tier, field, type])
}

_demanded := {
	"requires": "array",
	"judged_by": "string",
	"predictions": "array",
	"evidence_days": "number",
	"signed_evidence": "boolean",
	"documents": "array",
	"reviewed_days": "number",
	"severity": "string",
}

_tier_name := tier

_tier_name := "of this release" if not tier

# --- Evidence

# A part that may be judged: measured, of the files that lie here.
measured(part) if {
	input.evidence[part].status == "measured"
	input.model.verified == true
	input.evidence[part].result
}

# The tier asks for the part. It does as long as nothing says that it does not.
required(part) if not _spared(part)

_spared(part) if {
	parts := demands.requires
	is_array(parts)
	not part in parts
}

_spared(part) if part in data.ml_risk.uses[input.release.use].without

# The finding where a part is wanted and cannot be judged, or is about something else.
gap(part) := {
	"msg": sprintf("evidence of %s %s", [part, why]),
	"path": ["evidence", part],
	"remediation": _collect(part),
} if {
	why := _missing(part)
}

_missing(part) := sprintf("was not collected, and tier %s requires it", [tier]) if {
	not input.evidence[part]
	required(part)
}

_missing(part) := sprintf("is an error, and tier %s requires it: %s", [tier, _problem(part)]) if {
	input.evidence[part].status == "error"
	required(part)
}

_missing(part) := sprintf("is refused: %s", [_problem(part)]) if input.evidence[part].status == "refused"

_missing(part) := "cannot be held to the model: its files were not compared with what was measured" if {
	input.evidence[part].status == "measured"
	not input.model.verified == true
}

_missing(part) := "says it was measured, and has no result" if {
	input.evidence[part].status == "measured"
	input.model.verified == true
	not input.evidence[part].result
}

_missing(part) := "has no status that is known" if {
	item := input.evidence[part]
	not object.get(item, "status", "") in {"measured", "error", "refused"}
}

_problem(part) := object.get(input.evidence[part], "problem", "it does not say why")

_collect(part) := sprintf("Put right what it says, then collect the evidence anew: solon model collect --only %s", [part]) if {
	object.get(input.evidence, [part, "status"], "") in {"error", "refused"}
} else := sprintf("Declare `%s` in release.yaml, then collect the evidence: solon model collect --only %s", [key, part]) if {
	key := _keys[part]
	object.get(input, array.concat(["release"], split(key, ".")), null) == null
} else := sprintf("Collect the evidence: solon model collect --only %s", [part])

# What release.yaml declares for a part.
_keys := {
	"signature": "supply.signature",
	"dependencies": "supply.lock",
	"documentation": "documentation",
	"data": "data",
	"drift": "drift",
	"performance": "performance",
	"latency": "latency",
	"fairness": "fairness",
}

# The parts that there are policies for.
parts := object.keys(_keys) | {"artifacts"}

# Files that a part was measured on, and the model was trained on: what it has seen tells nothing of what it will see.
learnt(part) := {file.path |
	some file in input.evidence[part].measured
	file.what == "data"
	file.digest in _training
}

_training contains file.digest if {
	some item in input.evidence
	some file in item.measured
	file.what == "training"
}

# What a part declares otherwise than performance does, of the model that is asked and of what it is given. Asked so, it is
# as good as another model: fair, or fast, and not the one that performs.
otherwise(part) := [field |
	measured("performance")
	input.evidence.performance.result.predictions in {"command", "onnx"}
	some field in ["onnx", "features"]
	object.get(input.release[part], field, null) != object.get(input.release.performance, field, null)
]

# Why predictions that were judged will not do for the tier; undefined where they will.
unfit(result) := sprintf("predictions are %v, and tier %s wants them from: %s", [
	object.get(result, "predictions", "from nobody knows where"),
	tier,
	concat(", ", demands.predictions),
]) if {
	not _fit(result)
}

_fit(result) if result.predictions in demands.predictions

# --- Limits

# What is wrong with something measured; undefined when it is within the limit. A limit is {"least": 0.8} or {"most": 0.1}, and
# `whose` says what it is: "the declared limit". By `value` the value is held against it, by `interval` the end of its
# interval that is nearer to failing.
shortfall(what, found, limit, whose, by) := sprintf("%s is unknown (%s), and %s is %s", [what, why, whose, number(_bound(limit))]) if {
	not known(found)
	why := object.get(found, "unknown", "no value was measured")
} else := sprintf("%s is %s, %s %s of %s", [
	what,
	beside(found.value, _bound(limit)),
	_side(limit),
	whose,
	number(_bound(limit)),
]) if {
	_breaks(found.value, limit)
} else := sprintf("%s has no interval to tell noise from failing, and is judged by it; %s is %s", [
	what,
	whose,
	number(_bound(limit)),
]) if {
	by != "value"
	not _has_end(found, limit)
} else := sprintf("%s is %s, but with %s confidence may be %s, %s %s of %s", [
	what,
	number(found.value),
	percent(found.interval.confidence),
	beside(found.interval[_end(limit)], _bound(limit)),
	_side(limit),
	whose,
	number(_bound(limit)),
]) if {
	by != "value"
	_breaks(found.interval[_end(limit)], limit)
}

# A limit that something can be held against: one bound, which is a number.
bounded(limit) if {
	is_number(_bound(limit))
	count(object.keys(limit) & {"least", "most"}) == 1
}

known(found) if is_number(found.value)

_has_end(found, limit) if is_number(found.interval[_end(limit)])

_bound(limit) := object.get(limit, "least", object.get(limit, "most", null))

_end(limit) := "low" if {
	_ = limit.least
} else := "high"

_side(limit) := "below" if {
	_ = limit.least
} else := "above"

_breaks(value, limit) if value < limit.least

_breaks(value, limit) if value > limit.most

# --- Words

# Four digits behind the point, as nobody reads more.
number(value) := sprintf("%v", [round(value * 10000) / 10000])

# The same, but never so that it looks like the limit that it is not.
beside(value, limit) := number(value) if {
	number(value) != number(limit)
} else := sprintf("%v", [value])

percent(share) := sprintf("%v%%", [round(share * 10000) / 100])

count_of(1, noun) := sprintf("1 %s", [noun])

count_of(n, noun) := sprintf("%d %ss", [n, noun]) if n != 1

# --- Time

# A date, or a date and time, in nanoseconds; undefined for anything else. A date is its first moment, UTC.
moment(text) := time.parse_rfc3339_ns(text) if {
	regex.match(`^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.]\d+)?([Zz]|[+-]\d\d:\d\d)$`, text)
}

moment(text) := time.parse_ns("2006-01-02", text) if {
	regex.match(`^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])$`, text)
}

# How long ago, in whole days; negative for what is to come.
days_since(text) := floor((time.now_ns() - moment(text)) / _day)

_day := ((24 * 60) * 60) * 1000000000

# --- Exceptions

# Those that hold for this release: for its name, with a reason, and until the end of a day, UTC, that is not over.
exceptions(all) := [exception | some exception in all; _about(exception); not _over(exception)]

# Those that were for this release, and ran out.
expired(all) := [exception | some exception in all; _about(exception); _over(exception)]

_about(exception) if {
	glob.match(exception.model, null, input.release.name)
	count(exception.reason) > 0
}

_over(exception) if not _lasts(exception)

_lasts(exception) if time.now_ns() < time.add_date(moment(exception.until), 0, 0, 1)

# "; its exception ran out on 2027-01-31", for the message.
ran_out(all) := sprintf("; its exception ran out on %s", [max(dates)]) if {
	dates := [exception.until | some exception in all]
	count(dates) > 0
} else := ""
