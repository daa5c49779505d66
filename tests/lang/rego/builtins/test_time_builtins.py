"""Built-ins: time.*: dates, zones, layouts, durations. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('time.parse_rfc3339_ns("2020-01-02T3:04:05Z")', 1577934245000000000),
    ('time.parse_ns("15:04 2006","3:04 2020")', 1577847840000000000),
    ('time.parse_ns("2006-002","2020-366")', 1609372800000000000),
    ("time.date(1585852421593912000)", [2020, 4, 2]),
    ('time.date([1585852421593912000,"Asia/Kolkata"])', [2020, 4, 3]),
    ("time.date(-1)", [1969, 12, 31]),
    ('time.clock([1585852421593912000,"America/New_York"])', [14, 33, 41]),
    ("time.weekday(951782400000000000)", "Tuesday"),
    ("time.add_date(1706659200000000000,0,1,0)", 1709337600000000000),
    ("time.add_date(1709164800000000000,1,0,0)", 1740787200000000000),
    ("time.add_date(0,-1,-1,-1)", -34300800000000000),
    ("time.diff(1585852421593912000,0)", [50, 3, 1, 18, 33, 41]),
    ("time.diff(0,1585852421593912000)", [50, 3, 1, 18, 33, 41]),
    ('time.diff([1583020800000000000,"UTC"],[1580428800000000000,"UTC"])', [0, 1, 1, 0, 0, 0]),
    ("time.format(0)", "1970-01-01T00:00:00Z"),
    ('time.format([1585852421593912000,"America/New_York","RFC1123Z"])', "Thu, 02 Apr 2020 14:33:41 -0400"),
    ('time.format([1585852421593912000,"UTC","2006-01-02 15:04:05.000 MST"])', "2020-04-02 18:33:41.593 UTC"),
    ('time.format([1585852421593912001,"","RFC3339Nano"])', "2020-04-02T18:33:41.593912001Z"),
    ('time.format([0,"Europe/Berlin","Jan _2 3:04PM __2 02 06"])', "Jan  1 1:00AM   1 01 70"),
    ('time.parse_rfc3339_ns("2020-04-02T18:33:41.593912Z")', 1585852421593912000),
    ('time.parse_rfc3339_ns("2020-04-02T18:33:41+05:30")', 1585832621000000000),
    ('time.parse_ns("2006-01-02","2020-04-02")', 1585785600000000000),
    ('time.parse_ns("RFC822Z","02 Apr 20 18:33 +0200")', 1585845180000000000),
    ('time.parse_ns("January 2, 2006","April 2, 2020")', 1585785600000000000),
    ('time.parse_duration_ns("1h30m")', 5400000000000),
    ('time.parse_duration_ns("-1.5h")', -5400000000000),
    ('time.parse_duration_ns("1µs")', 1000),
    ('time.parse_duration_ns("1d")', 86400000000000),
    ('time.parse_duration_ns("1w")', 604800000000000),
    ('time.parse_duration_ns("-9223372036854775808ns")', -9223372036854775808),
    ('time.parse_duration_ns("0")', 0),
    ('time.parse_duration_ns(".5s")', 500000000),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('time.parse_ns("2006-002","2021-366")', "eval_builtin_error"),
    ('time.date([0,"Nope/Zone"])', "eval_builtin_error"),
    ('time.date([0,"../etc/passwd"])', "eval_builtin_error"),
    ("time.date(9223372036854775808)", "eval_builtin_error"),
    ("time.add_date(0,300,0,0)", "eval_builtin_error"),
    ('time.parse_rfc3339_ns("2020-02-30T00:00:00Z")', "eval_builtin_error"),
    ('time.parse_rfc3339_ns("9999-12-31T23:59:59Z")', "eval_builtin_error"),
    ('time.parse_rfc3339_ns("2020-04-02")', "eval_builtin_error"),
    ('time.parse_ns("3:04PM","6:33PM")', "eval_builtin_error"),
    ('time.parse_ns("2006-01-02","x")', "eval_builtin_error"),
    ('time.parse_ns("","")', "eval_builtin_error"),
    ('time.parse_duration_ns("9223372036854775808ns")', "eval_builtin_error"),
    ('time.parse_duration_ns("1")', "eval_builtin_error"),
    ('time.parse_duration_ns("")', "eval_builtin_error"),
    ("time.date(input.s)", "eval_type_error"),
    ("time.parse_rfc3339_ns(input.n)", "eval_type_error"),
    ("time.format(input.list)", "eval_builtin_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_time_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_time_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
