"""What neither the documentation nor a public test settles, in one place: evidence may turn each of these.

What is left to a line of code: undefined among the arguments makes the result undefined (``declare.function``), and
what cannot be parsed (a version, a decimal, an address, JSON, base64, a time) is a run-time error.
"""

from __future__ import annotations

from typing import Final

MARSHAL_ESCAPES_HTML: Final = True  # json.marshal writes < > & as Go's encoder does: \u003c
LARGE_INTEGERS_ARE_FLOATS: Final = (
    True  # json.unmarshal of what 64 bits do not hold; otherwise a run-time error
)
EQUAL_AND_NOT_TAKE_PRERELEASES: Final = True  # version: "!= 1.0.0" holds for 1.1.0-beta, as in go-version
CONSTRAINT_WITH_PRERELEASE_TAKES_RELEASE: Final = (
    True  # version: ">= 1.0.0-beta" holds for 1.0.0, but not "~>"
)
OMIT_PRUNES: Final = True  # maps.omit drops what it has emptied (its example does) ...
UNSET_PRUNES: Final = False  # ... and maps.unset does not (its example leaves an empty list)
ROUNDING: Final = "ROUND_HALF_UP"  # decimal: of the hundredth digit
RUNTIME_VERSION: Final = "0.40.0"  # runtime.version: the release whose documentation this follows
HEADERS_ARE_CANONICAL: Final = True  # http: Content-Type, however it was written or sent
ACCEPTED_STATUS_IS_NOT_RETRIED: Final = True  # http: a 503 that the policy accepts is an answer
