"""What documents about a model have fields for, and under which headings and keys people write them.

The vocabulary is that of model cards (Mitchell et al., "Model Cards for Model Reporting", 2019), datasheets (Gebru et al.,
"Datasheets for Datasets", 2021), the templates of Hugging Face for both, and Annex IV of the EU AI Act (Regulation (EU)
2024/1689). Which of the fields an organisation requires, its policies say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

Kind = Literal["model_card", "data_sheet", "risk_assessment"]
KINDS: Final[tuple[Kind, ...]] = ("model_card", "data_sheet", "risk_assessment")

# Headings and keys of a field, the first of them its own words. One below another: `parent > child`.
Aliases = Mapping[str, str]

_MODEL_CARD: Final[Aliases] = {
    "model_description": "model description, model details, model summary, model overview, overview, description, summary, "
    "general description, about, system description, model details > overview",
    "developed_by": "developed by, developer, developers, authors, provider, organization developing model, "
    "person or organization developing model, model card authors, owners, maintainers, model owner",
    "model_type": "model type, type, algorithm, architecture, model architecture, model architecture and objective",
    "license": "license, licence, licenses, licensing",
    "citation": "citation, how to cite, citation details, references",
    "contact": "contact, model card contact, contacts, contact information, questions and feedback, "
    "where to send questions or comments about the model, support",
    "intended_use": "intended use, primary intended uses, direct use, uses, intended purpose, purpose, use cases, "
    "uses > intended use, intended use cases",
    "intended_users": "intended users, primary intended users, users, user groups, target users, deployers",
    "downstream_use": "downstream use",
    "out_of_scope_use": "out-of-scope use, out-of-scope use cases, out of scope, misuse, misuse and out-of-scope use, "
    "prohibited use, unintended use, non-intended use, foreseeable misuse, reasonably foreseeable misuse, not intended for",
    "affected_persons": "affected persons, affected people, affected groups, data subjects, stakeholders, persons affected",
    "factors": "factors, relevant factors, evaluation factors, groups, subpopulations",
    "metrics": "metrics, evaluation metrics, model performance measures, performance measures, decision thresholds, performance metrics",
    "training_data": "training data, training dataset, training set, datasets, training data and preprocessing, data, data requirements",
    "evaluation_data": "evaluation data, evaluation dataset, testing data, test data, test set, validation data, "
    "testing data factors and metrics > testing data",
    "training_procedure": "training procedure, training, training details, training process, training regime, "
    "training hyperparameters, development, methods and steps of development, development process",
    "preprocessing": "preprocessing, data preprocessing, data preparation, feature engineering, preparation",
    "evaluation": "evaluation, evaluation results, results, quantitative analyses, quantitative analysis, performance, "
    "model performance, unitary results, intersectional results, validation and testing, testing, test results, model index, results > summary",
    "bias": "bias, fairness, fairness analysis, bias and fairness, fairness considerations, fairness assessment, "
    "fairness evaluation, discrimination, bias analysis",
    "ethical_considerations": "ethical considerations, ethics, ethical issues, ethical review, societal impact",
    "limitations": "limitations, known limitations, caveats, tradeoffs, trade-offs, technical limitations, capabilities and limitations",
    "recommendations": "recommendations",
    "risks": "risks, harms, potential harms, risk assessment, foreseeable risks, unintended outcomes, "
    "foreseeable unintended outcomes, technical risks",
    "human_oversight": "human oversight, oversight, human in the loop, human review, human oversight measures, oversight measures, "
    "human control",
    "explainability": "explainability, interpretability, explanations, model examination, interpretation of outputs",
    "transparency": "transparency, transparency to users, information for affected persons, disclosure, disclosure to users, "
    "marking of output, transparency obligations",
    "input": "input, inputs, input data, model input, input format, input specification",
    "output": "output, outputs, model output, output format",
    "instructions_for_use": "instructions for use, how to use, usage, getting started, how to get started with the model, "
    "how to get started, instructions, how to use the model",
    "technical_specifications": "technical specifications, compute infrastructure, hardware, software, hardware requirements, "
    "system requirements, requirements, hardware and software",
    "robustness": "robustness, robustness testing, accuracy and robustness, reliability",
    "security": "security, cybersecurity, security considerations, cybersecurity measures, adversarial robustness",
    "privacy": "privacy, data protection, personal data, privacy considerations, data privacy",
    "monitoring": "monitoring, monitoring plan, performance monitoring, drift monitoring, post-market monitoring, "
    "post-market monitoring plan, monitoring and maintenance",
    "maintenance": "maintenance, updates, lifecycle, retraining, update policy, retirement",
    "changes": "changes, changelog, change log, version history, release notes, predetermined changes, pre-determined changes",
    "risk_management": "risk management, risk management system, mitigations, risk mitigation, mitigation measures",
    "environmental_impact": "environmental impact, carbon emissions, CO2 eq emissions, carbon footprint",
    "standards": "standards, harmonised standards, harmonized standards, standards applied, technical standards",
    "declaration_of_conformity": "declaration of conformity, EU declaration of conformity",
}

_DATA_SHEET: Final[Aliases] = {
    "description": "description, dataset description, dataset summary, summary, overview, dataset details, about",
    "motivation": "motivation, purpose, curation rationale, motivation for dataset creation",
    "composition": "composition, dataset structure, dataset composition, structure, data fields, data instances, contents",
    "collection_process": "collection process, collection, data collection, data collection process, source data, "
    "data collection and processing, initial data collection and normalization, dataset creation, acquisition",
    "sources": "sources, provenance, data sources, dataset sources, origin, who are the source data producers",
    "preprocessing": "preprocessing, cleaning, preprocessing/cleaning/labeling, preprocessing cleaning and labelling, "
    "data preprocessing, data cleaning, preparation",
    "labelling": "labelling, labeling, annotations, annotation process, labels, who are the annotators, label definition",
    "uses": "uses, intended use, direct use, intended uses, use, considerations for using the data",
    "out_of_scope_use": "out-of-scope use, out of scope, misuse, prohibited use, unintended use",
    "distribution": "distribution, access, availability, sharing",
    "maintenance": "maintenance, updates, update policy, versioning",
    "personal_data": "personal data, personal and sensitive information, privacy, sensitive data, sensitive information, data protection, "
    "personally identifiable information, special categories of personal data",
    "consent": "consent, legal basis, lawful basis, notice and consent",
    "bias": "bias, discussion of biases, fairness, representativeness, known biases, bias examination, subpopulations",
    "limitations": "limitations, known limitations, other known limitations, gaps, data gaps, errors, noise, missing data, caveats",
    "risks": "risks, social impact of dataset, social impact, harms",
    "recommendations": "recommendations",
    "splits": "splits, data splits, train test split",
    "license": "license, licence, licensing information, licensing, terms of use",
    "retention": "retention, data retention, retention limits, deletion",
    "quality": "quality, data quality, validation, completeness",
    "created_by": "created by, curated by, dataset curators, authors, dataset card authors, creators, funded by",
    "contact": "contact, dataset card contact, contacts, owner, contact information",
    "citation": "citation, citation information, references",
}

_RISK_ASSESSMENT: Final[Aliases] = {
    "system_description": "system description, description, overview, summary, scope, description of the system, model description, "
    "system, context, description of processes",
    "intended_use": "intended use, intended purpose, purpose, use, uses, purpose of the processing, use case",
    "period_of_use": "period of use, frequency of use, period and frequency of use, duration",
    "affected_persons": "affected persons, affected people, affected groups, data subjects, categories of persons affected, "
    "who is affected, stakeholders, impacted persons, categories of natural persons",
    "risks": "risks, identified risks, risk identification, hazards, harms, specific risks of harm, risk register, threats, "
    "known and foreseeable risks, risk analysis, failure modes",
    "likelihood": "likelihood, probability, risk likelihood",
    "severity": "severity, impact, consequences, risk impact",
    "mitigations": "mitigations, mitigation, mitigation measures, risk mitigation, controls, measures, risk management measures, "
    "risk treatment, safeguards",
    "residual_risk": "residual risk, residual risks, remaining risk, accepted risk, risk acceptance",
    "foreseeable_misuse": "foreseeable misuse, reasonably foreseeable misuse, misuse, out-of-scope use, out of scope",
    "fundamental_rights": "fundamental rights, fundamental rights impact, fundamental rights impact assessment, human rights, "
    "impact on fundamental rights, discrimination, bias, fairness",
    "data_protection": "data protection, privacy, data protection impact assessment, DPIA, personal data",
    "human_oversight": "human oversight, oversight, human oversight measures, human review, human in the loop",
    "testing": "testing, validation, tests, verification and validation, test results, evaluation",
    "monitoring": "monitoring, post-market monitoring, monitoring plan, review plan",
    "incident_response": "incident response, incidents, serious incidents, complaints, governance and complaints, "
    "measures if the risks materialise, escalation, contingency",
    "security": "security, cybersecurity",
    "approval": "approval, approved by, sign-off, decision, conclusion, approver, approvals",
    "contact": "contact, owner, risk owner, responsible, contacts, assessor",
}

FIELDS: Final[Mapping[Kind, Aliases]] = {
    "model_card": _MODEL_CARD,
    "data_sheet": _DATA_SHEET,
    "risk_assessment": _RISK_ASSESSMENT,
}

# Fields that a word or two may answer.
_SHORT: Final = (
    "developed_by model_type license citation contact intended_users created_by likelihood severity approval splits "
    "affected_persons period_of_use metrics input output declaration_of_conformity standards retention"
)
SHORT: Final = frozenset(_SHORT.split())

# What a document says of itself and of the model, in a word or a date.
FACTS: Final[Aliases] = {
    "model_name": "model name, name of the model, model id, model details > name, model > name",
    "model_version": "model version, version of the model, model details > version, model > version, version > name, "
    "model details > version > name",
    "model_digest": "model digest, model checksum, model hash, model sha256, model > digest",
    "written_at": "written at, written on, date written, last updated, card date, assessment date, date of assessment, last modified, version > date, "
    "model details > version > date",
    "reviewed_at": "reviewed at, last reviewed, reviewed, reviewed on, review date, date of review, last review, date reviewed, "
    "last reviewed at, last reviewed on",
    "reviewer": "reviewer, reviewed by, reviewers, last reviewed by",
    "use": "use category, use case id, use case category, deployment use, solon use",
    "risk": "risk level, risk class, risk category, risk tier, risk classification, AI Act risk, risk rating",
}
# The same in words that mean something else below a heading for something else (the name of a contact), or in a data sheet.
_PLAIN_FACTS: Final[Aliases] = {
    "model_name": "name, model",
    "model_version": "version",
    "model_digest": "digest, sha256, checksum",
    "written_at": "date, written, created, created at, created on, updated, updated at",
    "use": "use",
    "risk": "risk",
}
_OF_DATA: Final = frozenset(
    {"model_name", "model_version", "model_digest", "use"}
)  # where a data sheet has plain words
FACT_NAMES: Final = tuple(FACTS)


# Words that below a heading for a field mean no other field.
_BELOW: Final = (
    "description summary overview about type purpose data result use input output requirement reference source scope group "
    "quality measure impact decision test structure label context dataset"
)
_GENERIC: Final = frozenset(_BELOW.split())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the headings and keys of one kind of document mean."""

    fields: Mapping[tuple[str, ...], Sequence[str]]
    facts: Mapping[tuple[str, ...], str]
    plain_facts: Mapping[str, str]

    def field_names(self, path: Sequence[str]) -> Sequence[str]:
        """The fields that a heading is for; below it, those of the nearest heading above that is for one."""
        found: Sequence[str] = ()
        for end in range(1, len(path) + 1):
            found = self._own(path[:end], found) or found
        return found

    def own_field_names(self, path: Sequence[str]) -> Sequence[str]:
        """The fields that a heading is for by itself."""
        return self._own(path, self.field_names(path[:-1]))

    def _own(self, path: Sequence[str], above: Sequence[str]) -> Sequence[str]:
        names = tuple(normal(step) for step in path[-3:])
        for start in range(len(names) - 1):
            if names[start:] in self.fields:
                return self.fields[names[start:]]
        if not names or (above and names[-1] in _GENERIC):
            return ()
        return self.fields.get(names[-1:]) or self._several(path[-1])

    def fact_name(self, path: Sequence[str], *, is_heading: bool) -> str:
        """The fact that a key or label gives, or a heading, which may do so in the clearer words only."""
        names = tuple(normal(step) for step in path[-3:])
        found = next((self.facts[names[n:]] for n in range(len(names)) if names[n:] in self.facts), "")
        if found or not names or is_heading:
            return found
        above = self.field_names(path[:-1])
        return self.plain_facts.get(names[-1], "") if not above or "model_description" in above else ""

    def is_fact(self, label: str) -> bool:
        """Whether a label is one of a fact, by itself."""
        name = normal(label)
        return (name,) in self.facts or name in self.plain_facts

    def is_name(self, label: str) -> bool:
        """Whether a label is one of a field or a fact, by itself."""
        return (normal(label),) in self.fields or self.is_fact(label)

    def _several(self, title: str) -> Sequence[str]:
        """Of `Bias, Risks, and Limitations` all three; nothing where one of them is no field."""
        names = [normal(each) for each in _BETWEEN.split(title) if each.strip()]
        if len(names) < 2 or not all((name,) in self.fields for name in names):
            return ()
        return list(dict.fromkeys(field for name in names for field in self.fields[(name,)]))


@cache
def vocabulary(kind: Kind) -> Vocabulary:
    fields: dict[tuple[str, ...], Sequence[str]] = {}
    for field, path in _paths(FIELDS[kind]):
        fields.setdefault(path, (field,))
    for title, both in _EXPLICIT.items():
        if all(field in FIELDS[kind] for field in both):
            fields[(normal(title),)] = both
    for path, names in list(fields.items()):
        if len(path) == 1:
            fields.setdefault((f"{_OF[kind]} {path[0]}",), names)
    plain = {
        path[-1]: fact for fact, path in _paths(_PLAIN_FACTS) if kind != "data_sheet" or fact not in _OF_DATA
    }
    return Vocabulary(fields, {path: fact for fact, path in _paths(FACTS)}, plain)


_OF: Final[Mapping[Kind, str]] = {"model_card": "model", "data_sheet": "dataset", "risk_assessment": "system"}
# Titles that name two fields, and would be taken for one.
_EXPLICIT: Final = {
    "caveats and recommendations": ("limitations", "recommendations"),
    "training and evaluation data": ("training_data", "evaluation_data"),
}
_BETWEEN: Final = re.compile(r"\s*(?:,|/|&|\band\b)\s*", re.IGNORECASE)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBERING: Final = re.compile(
    r"^\s*(?:(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxIVX]{1,5})[.):]\s+|\d{1,3}(?:\.\d{1,3})+\s+)"
)
_ASIDE: Final = re.compile(r"\([^()]{0,80}\)|\[[^\[\]]{0,80}\]|\{[^{}]{0,80}\}")
_NOT_WORD: Final = re.compile(r"[\W_]+")
_SMALL: Final = frozenset({"the", "a", "an", "our", "your", "this"})


@lru_cache(maxsize=4096)
def normal(title: str) -> str:
    """A heading as it is compared: `3. Intended Use(s):`, `intended-use` and `intendedUse` are the same."""
    text = _ASIDE.sub(" ", unicodedata.normalize("NFKC", title[:200]))
    text = _NUMBERING.sub("", text).replace("&", " and ")
    words = _NOT_WORD.sub(" ", _CAMEL.sub(" ", text)).lower().split()
    return " ".join(_singular(word) for word in words if word not in _SMALL)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _paths(aliases: Aliases) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, words in aliases.items():
        for alias in [name, *words.split(", ")]:
            yield name, tuple(normal(step) for step in alias.split(" > "))
