"""What the name of a column says about the people in it: ``cust_ssn``, ``dateOfBirth``, ``Religionszugehörigkeit``.

A name is cut into words, at underscores, spaces and where the case changes, and the words are looked up in English, German,
French and Spanish. It is a suspicion, to be confirmed or denied in the column dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

# A phrase stands for a name that has its words in a row, or as one word; that of a single short word for that word alone.
# Categories that weigh more come first: `ethnic_group_name` is one of ethnicity, not of people's names.
_PHRASES: Final[Mapping[str, Sequence[str]]] = {
    "health": (
        "health status", "health condition", "health record", "health history", "health insurance", "diagnosis", "diagnoses", "disease", "illness", "disability", "disabled", "medication",
        "medical", "patient", "icd", "icd 9", "icd 10", "hiv", "pregnant", "pregnancy", "blood type", "blood pressure", "bmi",
        "mental health", "symptom", "allergy", "allergies", "nhs", "nhs number", "mrn",
        "krankheit", "diagnose", "behinderung", "schwerbehindert", "gesundheit", "schwanger", "blutgruppe", "medikament",
        "maladie", "sante", "grossesse", "enceinte", "groupe sanguin", "handicap", "diagnostic medical",
        "enfermedad", "salud", "discapacidad", "embarazo", "embarazada", "diagnostico", "grupo sanguineo",
    ),
    "genetic": ("genetic", "genome", "genotype", "dna", "dna sequence", "genetisch", "genetique", "genetico", "adn"),
    "biometric": (
        "biometric", "biometrics", "fingerprint", "face id", "face embedding", "facial", "iris scan", "retina", "voiceprint",
        "voice print", "fingerabdruck", "biometrisch", "empreinte digitale", "biometrique", "huella dactilar", "biometrico",
    ),
    "religion": (
        "religion", "religious", "faith", "denomination", "creed", "church member", "religionszugehoerigkeit", "konfession",
        "kirchensteuer", "confession religieuse", "religieux", "religieuse", "religioso", "religiosa", "creencias",
    ),
    "ethnicity": (
        "ethnicity", "ethnic", "ethnic group", "ethnic origin", "race", "racial", "skin color", "skin colour", "hispanic",
        "latino", "ethnie", "ethnisch", "herkunft", "hautfarbe", "migrationshintergrund", "ethnique", "origine ethnique",
        "couleur de peau", "etnia", "raza", "origen etnico", "color de piel",
    ),
    "political": (
        "political", "politics", "political party", "political opinion", "party affiliation", "party membership", "voted for",
        "politisch", "parteimitglied", "parteizugehoerigkeit", "politique", "parti politique", "opinion politique",
        "partido politico", "opinion politica", "afiliacion politica",
    ),
    "union": (
        "trade union", "labor union", "labour union", "union member", "union membership", "gewerkschaft",
        "gewerkschaftsmitglied", "syndicat", "syndique", "sindicato", "afiliacion sindical",
    ),
    "sexual": (
        "sexual", "sexual orientation", "sex life", "sexuality", "lgbt", "lgbtq", "sexuelle orientierung", "sexualitaet",
        "orientation sexuelle", "sexualite", "orientacion sexual", "sexualidad",
    ),
    "criminal": (
        "criminal", "criminal record", "conviction", "convictions", "felony", "offense", "offence", "arrested", "arrests",
        "prior arrests", "priors count", "recidivism", "recid", "is recid", "jail", "prison", "custody", "vorstrafe", "vorstrafen", "vorbestraft", "straftat",
        "casier judiciaire", "condamnation", "antecedentes penales", "condena",
    ),
    "credential": (
        "password", "passwd", "pwd", "passwort", "kennwort", "mot de passe", "contrasena", "api key", "secret key",
        "private key", "access token", "auth token", "client secret", "pin code", "security answer",
    ),
    "identifier": (
        "ssn", "ss number", "social security", "social security number", "social insurance number", "national id", "national insurance",
        "nino", "nin", "tax id", "tin number", "itin", "passport", "passport number", "driver license", "driver licence",
        "driving licence", "drivers license", "id card", "personal id", "aadhaar", "pesel", "steuer id", "steuernummer",
        "steueridentifikationsnummer", "idnr", "sozialversicherungsnummer", "svnr", "personalausweis", "ausweisnummer",
        "reisepass", "fuehrerschein", "passeport", "numero securite sociale", "securite sociale", "numero nir", "carte identite",
        "permis de conduire", "numero fiscal", "dni", "nie", "pasaporte", "seguridad social", "documento identidad",
        "codice fiscale", "bsn", "burgerservicenummer",
    ),
    "financial": (
        "iban", "bank account", "account number", "kontonummer", "bankverbindung", "compte bancaire", "cuenta bancaria",
        "credit card", "creditcard number", "card number", "cc number", "debit card", "kreditkarte", "kreditkartennummer",
        "carte bancaire", "carte de credit", "tarjeta credito", "tarjeta de credito", "cvv", "cvc", "salary", "gehalt", "salaire",
        "salario",
    ),
    "protected": (
        "sex", "gender", "age", "date of birth", "birth date", "birthdate", "birthday", "birth year", "year of birth", "dob",
        "marital", "marital status", "nationality", "citizenship", "foreign worker", "immigrant", "immigration status", "residence permit", "native country", "country of birth", "place of birth",
        "birthplace", "geschlecht", "geburtsdatum", "geburtstag", "geburtsort", "geburtsjahr", "familienstand",
        "staatsangehoerigkeit", "staatsangehorigkeit", "nationalitaet", "lebensalter", "sexe", "date de naissance", "naissance",
        "lieu de naissance", "etat civil", "situation familiale", "nationalite", "sexo", "genero", "edad", "fecha de nacimiento",
        "nacimiento", "estado civil", "nacionalidad",
    ),
    "personal": (
        "first name", "last name", "full name", "given name", "family name", "middle name", "maiden name", "surname", "forename",
        "customer name", "person name", "user name", "username", "customer id", "client id", "person id", "patient id",
        "employee id", "member id", "user id", "email", "e mail", "phone", "telephone", "mobile number",
        "cell phone", "fax number", "ip address", "ipaddr", "ip addr", "client ip", "ip", "mac address", "home address",
        "street", "street address", "postal address", "mailing address", "billing address", "shipping address", "email address",
        "zip code", "zipcode", "postcode", "postal code", "latitude", "longitude", "geolocation", "license plate",
        "vorname", "nachname", "familienname", "geburtsname", "anschrift", "adresse", "strasse", "hausnummer", "postleitzahl",
        "plz", "telefon", "telefonnummer", "handynummer", "kennzeichen", "prenom", "nom de famille", "nom complet", "courriel",
        "code postal", "numero de telephone", "apellido", "apellidos", "nombre completo", "direccion", "correo electronico",
        "codigo postal", "telefono", "domicilio",
    ),
}  # fmt: skip
# These say something only where they are the whole name.
_WHOLE: Final = {
    "name": "personal",
    "names": "personal",
    "address": "personal",
    "nom": "personal",
    "nombre": "personal",
    "alter": "protected",
    "geb": "protected",
    "party": "political",
    "health": "health",
}
# Words that stand beside these and say that something else than a person is meant.
_OTHERWISE: Final = {
    "age": {"account", "building", "cache", "car", "company", "credit", "device", "file", "house", "loan", "machine", "max",
            "property", "vehicle"},
    "race": {"condition", "horse", "lap", "result", "time"},
    "street": {"view"},
}  # fmt: skip
# A German word is often part of a longer one: so long a phrase counts inside of a word, too.
_LONG: Final = 8
_LONGEST: Final = 4  # words of a phrase
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_SPELLED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


def words(name: str) -> list[str]:
    """The words of a name, in lower case and without accents: ``Date_ofBirth2`` has date, of, birth, 2."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(_SPELLED))
    return [
        word.lower() for word in _WORDS.findall("".join(c for c in plain if not unicodedata.combining(c)))
    ]


def suspected(name: str) -> str:
    """The category that a column's name points to, and nothing where it points to none."""
    found = words(name)
    if whole := _WHOLE.get(" ".join(found)):
        return whole
    told = {
        _CATEGORY[part]
        for part in _parts(found)
        if part in _CATEGORY and not _OTHERWISE.get(part, set()) & {*found}
    }
    if not told and (long := [word for word in found if len(word) >= _LONG]):
        told = {category for phrase, category in _INSIDE.items() if any(phrase in word for word in long)}
    return next((category for category in _PHRASES if category in told), "")


def _parts(found: Sequence[str]) -> Iterator[str]:
    """Every run of words, in singular, too."""
    for several in (found, [word.removesuffix("s") for word in found]):
        for start in range(len(several)):
            for end in range(start + 1, min(start + _LONGEST, len(several)) + 1):
                yield " ".join(several[start:end])


_CATEGORY: Final = {
    form: category
    for category, phrases in reversed([*_PHRASES.items()])
    for phrase in phrases
    for form in (phrase, phrase.replace(" ", ""))
}
_INSIDE: Final = {
    form: category for form, category in _CATEGORY.items() if " " not in form and len(form) >= _LONG
}
