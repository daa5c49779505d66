"""What the name of a column points to, in the languages and the spellings that people use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.data.dictionary import CATEGORIES
from solon.evidence.data.names import suspected, words


@pytest.mark.parametrize(
    "name, found",
    [
        ("cust_ssn", ["cust", "ssn"]),
        ("dateOfBirth", ["date", "of", "birth"]),
        ("customerSSN", ["customer", "ssn"]),
        ("IBANNumber", ["iban", "number"]),
        ("E-Mail-Adresse", ["e", "mail", "adresse"]),
        ("priors_count.2", ["priors", "count", "2"]),
        ("Straße Größe", ["strasse", "groesse"]),
        ("prénom", ["prenom"]),
        ("contrasen\u0303a", ["contrasena"]),
        ("性别", ["性别"]),
        ("", []),
    ],
)
def test_a_name_is_cut_into_words(name: str, found: list[str]) -> None:
    assert words(name) == found


@pytest.mark.parametrize(
    "name, category",
    [
        ("ssn", "identifier"),
        ("cust_ssn", "identifier"),
        ("customerSSN", "identifier"),
        ("cust_ssns", "identifier"),
        ("passport_no", "identifier"),
        ("Reisepass", "identifier"),
        ("numero_securite_sociale", "identifier"),
        ("dni", "identifier"),
        ("steuerId", "identifier"),
        ("Sozialversicherungsnummer", "identifier"),
        ("dob", "protected"),
        ("dateOfBirth", "protected"),
        ("date_of_birth", "protected"),
        ("dateofbirth", "protected"),
        ("kundenGeburtsdatum", "protected"),
        ("fecha_de_nacimiento", "protected"),
        ("date_naissance", "protected"),
        ("sex", "protected"),
        ("sex_male", "protected"),
        ("Geschlecht", "protected"),
        ("age", "protected"),
        ("age_group", "protected"),
        ("marital-status", "protected"),
        ("foreign_worker", "protected"),
        ("iban", "financial"),
        ("IBANNumber", "financial"),
        ("creditCardNumber", "financial"),
        ("kontonummer", "financial"),
        ("religion", "religion"),
        ("Religionszugehörigkeit", "religion"),
        ("kundenreligionszugehoerigkeit", "religion"),
        ("race", "ethnicity"),
        ("ethnic_group_name", "ethnicity"),
        ("raza", "ethnicity"),
        ("hautfarbe", "ethnicity"),
        ("trade_union_member", "union"),
        ("gewerkschaft", "union"),
        ("political_party", "political"),
        ("sexualOrientation", "sexual"),
        ("orientation_sexuelle", "sexual"),
        ("two_year_recid", "criminal"),
        ("priors_count", "criminal"),
        ("vorstrafen", "criminal"),
        ("antecedentes_penales", "criminal"),
        ("diagnosis_code", "health"),
        ("HIV_test", "health"),
        ("behinderung", "health"),
        ("enfermedad", "health"),
        ("dna_sequence", "genetic"),
        ("fingerprintHash", "biometric"),
        ("password", "credential"),
        ("api_key", "credential"),
        ("email", "personal"),
        ("eMail", "personal"),
        ("emailaddress", "personal"),
        ("client_ip", "personal"),
        ("firstName", "personal"),
        ("Nachname", "personal"),
        ("apellidos", "personal"),
        ("prénom", "personal"),
        ("name", "personal"),
        ("zip_code", "personal"),
    ],
)
def test_a_name_that_points_to_people(name: str, category: str) -> None:
    assert suspected(name) == category


@pytest.mark.parametrize(
    "name",
    [
        "classname", "class_name", "assn", "assessment", "message", "usage", "page", "stage", "average", "package", "sextant",
        "essex", "grace", "trace", "embrace", "brace", "terrace", "passenger_class", "pancreas", "pin_count", "product_name",
        "file_name", "column_name", "union", "union_all", "credit_union_rate", "party_size", "memory_address", "tokens",
        "token_count", "nameplate", "shipping", "zip", "vip", "strip", "phonetic", "account_age", "vehicle_age", "race_time",
        "health_check", "system_health", "telemetry", "genres", "dining", "minimum", "tinted", "tin_price", "nir_band", "snapshot", "hours_per_week",
        "capital_gain", "education_num", "income", "alter_table", "feature_17", "V12", "", "___",
    ],
)  # fmt: skip
def test_a_name_that_does_not(name: str) -> None:
    assert suspected(name) == ""


@given(st.text(max_size=60))
def test_any_text_is_a_name(name: str) -> None:
    assert suspected(name) in ("", *CATEGORIES)
