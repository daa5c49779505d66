"""Built-ins: providers.aws.sign_req. Expected values are what OPA gives; the keys are for these tests alone."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

GIVEN = {
    "req": {
        "method": "get",
        "url": "https://bucket.s3.amazonaws.com/a%20b/ü?x=1&y=2",
        "headers": {"X-A": "1", "User-Agent": "u"},
        "body": {"b": [1, "<é>"]},
    },
    "cfg": {
        "aws_service": "s3",
        "aws_access_key": "AK",
        "aws_secret_access_key": "SK",
        "aws_region": "eu-west-1",
    },
}

# call -> value
VALUES = [
    (
        "providers.aws.sign_req(input.req, input.cfg, 1585852421593912000)",
        {
            "body": {"b": [1, "<é>"]},
            "headers": {
                "Authorization": "AWS4-HMAC-SHA256 Credential=AK/20200402/eu-west-1/s3/aws4_request,SignedHeaders=host;x-a;x-amz-content-sha256;x-amz-date,Signature=5845e345cc4745930eb394be7a00b092e6648978afb51ff6975b67938f9c4311",
                "User-Agent": "u",
                "X-A": "1",
                "host": "bucket.s3.amazonaws.com",
                "x-amz-content-sha256": "125149affb7e36cae94c4f33198cfeb5a212ce17a6358c986fc148899811e4ed",
                "x-amz-date": "20200402T183341Z",
            },
            "method": "get",
            "url": "https://bucket.s3.amazonaws.com/a%20b/ü?x=1&y=2",
        },
    ),
    (
        'providers.aws.sign_req(object.union(input.req, {"raw_body": "x"}), object.union(input.cfg, {"aws_service": "ec2", "aws_session_token": "T"}), 0)',
        {
            "body": {"b": [1, "<é>"]},
            "headers": {
                "Authorization": "AWS4-HMAC-SHA256 Credential=AK/19700101/eu-west-1/ec2/aws4_request,SignedHeaders=host;x-a;x-amz-date;x-amz-security-token,Signature=005bd90dd5991225100cdd3fa5738f8da628b0f79576e0187375b849cdbd894c",
                "User-Agent": "u",
                "X-A": "1",
                "host": "bucket.s3.amazonaws.com",
                "x-amz-date": "19700101T000000Z",
                "x-amz-security-token": "T",
            },
            "method": "get",
            "raw_body": "x",
            "url": "https://bucket.s3.amazonaws.com/a%20b/ü?x=1&y=2",
        },
    ),
    (
        'providers.aws.sign_req({"method":"POST","url":"http://h:8080"}, object.union(input.cfg, {"disable_payload_signing": true}), 1585852421593912000)',
        {
            "headers": {
                "Authorization": "AWS4-HMAC-SHA256 Credential=AK/20200402/eu-west-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=dc71bd7612e03fd1d680c5f836be9422b0936a37a94e129ee725468236fcc94c",
                "host": "h:8080",
                "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
                "x-amz-date": "20200402T183341Z",
            },
            "method": "POST",
            "url": "http://h:8080",
        },
    ),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ("providers.aws.sign_req({}, input.cfg, 0)", "eval_type_error"),
    ("providers.aws.sign_req(input.req, {}, 0)", "eval_type_error"),
    ('providers.aws.sign_req(input.req, object.union(input.cfg, {"aws_region": 1}), 0)', "eval_type_error"),
    ("providers.aws.sign_req(input.req, input.cfg, 1.5)", "eval_type_error"),
    ('providers.aws.sign_req({"method":1,"url":"x"}, input.cfg, 0)', "eval_type_error"),
    ('providers.aws.sign_req({"method":"get","url":"x","zz":1}, input.cfg, 0)', "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_aws_values(answer, exact, call, expected):
    assert exact(answer(call, given=GIVEN)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_aws_errors(answer, call, code):
    assert answer(call, given=GIVEN) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, given=GIVEN, strict=True)
    assert caught.value.code == code
