"""Built-ins: io.jwt.*. Expected values are what OPA gives; the keys are for these tests alone."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

GIVEN = {
    "tokens": {
        "ES256": "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsiYSIsImIiXSwiZXhwIjoyMDAwMDAwMDAwLCJpc3MiOiJzb2xvbiIsIm5iZiI6MTAwMDAwMDAwMH0.CBsjBYUJ-vdAx3g2zVP2XdzFWx0l4QNqiOjZNntvQCXb7ui6e9GWRnC9s2m2Qy1ISjFAu1eYQ2puJGRn700VSg",
        "EdDSA": "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsiYSIsImIiXSwiZXhwIjoyMDAwMDAwMDAwLCJpc3MiOiJzb2xvbiIsIm5iZiI6MTAwMDAwMDAwMH0.fgeRfLV7PPk53A06-3DtTF-66HVC7Fjrxvhll8nH2XvYQqVnuvadegUkHBFUGoNPmemSherUIX9ehCvL7y5ZCQ",
        "RS256": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsiYSIsImIiXSwiZXhwIjoyMDAwMDAwMDAwLCJpc3MiOiJzb2xvbiIsIm5iZiI6MTAwMDAwMDAwMH0.f_XhP6K0pLZ6dVSG9lojkOqNOuUwBzZ5j4bOJmt2LxRYQuaAps9T1m5telDwEJJ3hIdrmOwFqppjjONrM20dqADC5tIJ7f3ExPx20CpZA7RX3ZeFOx9ZGAwWACyAZeCUtmnkNXsdXuqdC8a0EXbF9zHLFqWbOxeH6rUrO12LEOM",
        "HS256": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsiYSIsImIiXSwiZXhwIjoyMDAwMDAwMDAwLCJpc3MiOiJzb2xvbiIsIm5iZiI6MTAwMDAwMDAwMH0.1eddXfQIa-adI-2A8TmGN3UvMVm_RGQo1psLtZVsyNQ",
        "PS256": "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsiYSIsImIiXSwiZXhwIjoyMDAwMDAwMDAwLCJpc3MiOiJzb2xvbiIsIm5iZiI6MTAwMDAwMDAwMH0.TLkHJD9Nw2wK3BwAN-DDwF_l5xk6XeDCCf8Ia9HKaguxtdZs54pIpAAcwjyCAnMz-HUUReCgOKca-VyLgZgp4hDmDppMfmlNoemHYMZ2usd_y7Q1xGYP05l9Z8D7gkZ0e5INO2haehezcrQZlgw0VLL7KYdcotJOL6uncQGtO1E",
    },
    "public": {
        "ES256": '{"crv": "P-256", "kty": "EC", "x": "jbkxvG5oNrtHlP94-k6V6pjvYRZuV9KvT2KvGzHO5Vc", "y": "pzfZ1lgiuUTUgHjbKf6nbD3opr8d3XJZU1nhaNtt2fA"}',
        "EdDSA": '{"crv": "Ed25519", "kty": "OKP", "x": "NgaMX8JONAtbRFq5IUpxNcyGco0IDYZjXx_ZOZHot94"}',
        "RS256": '{"e": "AQAB", "kty": "RSA", "n": "03VfVEvuCnpUF96PPvEU537nKMHA0VBu9vqWw0pmOzaQTrtQEBKiPTucFkk_5P2cPex63U2EmkeeVqzrVN2CcILQCCIluOB4kRzHdvtw6PPlsM9O2A3lcoX2rCnJZsJ1OIEGYbS48l1dcYn4X9TYoC3zJFE9ALBbES-CUQx6Y0M"}',
        "PS256": '{"e": "AQAB", "kty": "RSA", "n": "03VfVEvuCnpUF96PPvEU537nKMHA0VBu9vqWw0pmOzaQTrtQEBKiPTucFkk_5P2cPex63U2EmkeeVqzrVN2CcILQCCIluOB4kRzHdvtw6PPlsM9O2A3lcoX2rCnJZsJ1OIEGYbS48l1dcYn4X9TYoC3zJFE9ALBbES-CUQx6Y0M"}',
    },
    "private": {
        "ES256": {
            "crv": "P-256",
            "d": "K8mkAJUGrP9fsEdvOUQDxrC5qiwjSdHqyOq54Rx6Z7k",
            "kty": "EC",
            "x": "jbkxvG5oNrtHlP94-k6V6pjvYRZuV9KvT2KvGzHO5Vc",
            "y": "pzfZ1lgiuUTUgHjbKf6nbD3opr8d3XJZU1nhaNtt2fA",
        },
        "EdDSA": {
            "crv": "Ed25519",
            "d": "K0_SB4qxVR7fFsbHjjVNjwaqgVQlv-0fdx9PuVTTXqk",
            "kty": "OKP",
            "x": "NgaMX8JONAtbRFq5IUpxNcyGco0IDYZjXx_ZOZHot94",
        },
        "RS256": {
            "d": "BT1rV1NqWqgdXVoOgqjGs9XZNJFYjddIaKZdBgnZ7q2zdb_-g-dyTcIkZAj8pFgEfyRVBxbcqlYL_mnaiwfSK5wIc5Xxu6fdwYSzFhITOz9ZtvY3_JRPCmoPPjyEL25IHXE-Ef_JASIduSTqTnNe5YC-hAb0EiSQp8eRZTquMEE",
            "dp": "PDc7o0pcGqi7GxjVO6NLFzuN1DcF46Fvn_glkoYPtBuXHSsR1-iGFWCoB5TwSFA9-WbWt9A3K0NhmcOOZTMlWQ",
            "dq": "QkgYE97C3P6KblcjeA4hX_YBb_XqmyLSuxXFJwxthtySFuJ8O_pCKKZFRohmQVV7it7YsM-cuy3xkZlyRr37yQ",
            "e": "AQAB",
            "kty": "RSA",
            "n": "03VfVEvuCnpUF96PPvEU537nKMHA0VBu9vqWw0pmOzaQTrtQEBKiPTucFkk_5P2cPex63U2EmkeeVqzrVN2CcILQCCIluOB4kRzHdvtw6PPlsM9O2A3lcoX2rCnJZsJ1OIEGYbS48l1dcYn4X9TYoC3zJFE9ALBbES-CUQx6Y0M",
            "p": "8QOH91ajHY_1ja3kfZW6Tzb01VS9qD-W9TVmgrL03vACY2hEVpb_j4ljGG-w6KZzKJGXOjzVb0OWBAVBdUB8RQ",
            "q": "4Jtg5JxjskrBASH2kJEzR9da4i6gp-ooUXCEHT9wPSD_rNPUkBo8t08g8Z7aKmhDxvRYhfXoUQtyTp0XxpvN5w",
            "qi": "M7fAMFQ_GbJ5kdYS8joBzV-BdFTnXiL5S3quuzOGgkY-AAWpczQzHnmHNq4nEZJjkucZJnmjqrTaFBI0uoXLKg",
        },
        "HS256": {"kty": "oct", "k": "c2VjcmV0"},
        "PS256": {
            "d": "BT1rV1NqWqgdXVoOgqjGs9XZNJFYjddIaKZdBgnZ7q2zdb_-g-dyTcIkZAj8pFgEfyRVBxbcqlYL_mnaiwfSK5wIc5Xxu6fdwYSzFhITOz9ZtvY3_JRPCmoPPjyEL25IHXE-Ef_JASIduSTqTnNe5YC-hAb0EiSQp8eRZTquMEE",
            "dp": "PDc7o0pcGqi7GxjVO6NLFzuN1DcF46Fvn_glkoYPtBuXHSsR1-iGFWCoB5TwSFA9-WbWt9A3K0NhmcOOZTMlWQ",
            "dq": "QkgYE97C3P6KblcjeA4hX_YBb_XqmyLSuxXFJwxthtySFuJ8O_pCKKZFRohmQVV7it7YsM-cuy3xkZlyRr37yQ",
            "e": "AQAB",
            "kty": "RSA",
            "n": "03VfVEvuCnpUF96PPvEU537nKMHA0VBu9vqWw0pmOzaQTrtQEBKiPTucFkk_5P2cPex63U2EmkeeVqzrVN2CcILQCCIluOB4kRzHdvtw6PPlsM9O2A3lcoX2rCnJZsJ1OIEGYbS48l1dcYn4X9TYoC3zJFE9ALBbES-CUQx6Y0M",
            "p": "8QOH91ajHY_1ja3kfZW6Tzb01VS9qD-W9TVmgrL03vACY2hEVpb_j4ljGG-w6KZzKJGXOjzVb0OWBAVBdUB8RQ",
            "q": "4Jtg5JxjskrBASH2kJEzR9da4i6gp-ooUXCEHT9wPSD_rNPUkBo8t08g8Z7aKmhDxvRYhfXoUQtyTp0XxpvN5w",
            "qi": "M7fAMFQ_GbJ5kdYS8joBzV-BdFTnXiL5S3quuzOGgkY-AAWpczQzHnmHNq4nEZJjkucZJnmjqrTaFBI0uoXLKg",
        },
    },
    "leaf": "-----BEGIN CERTIFICATE-----\nMIIBkTCCATegAwIBAgIBAzAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZNaWRkbGUw\nIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMDQxCzAJBgNVBAYTAkdC\nMQ4wDAYDVQQKDAVTb2xvbjEVMBMGA1UEAwwMbGVhZi5leGFtcGxlMFkwEwYHKoZI\nzj0CAQYIKoZIzj0DAQcDQgAEjbkxvG5oNrtHlP94+k6V6pjvYRZuV9KvT2KvGzHO\n5VenN9nWWCK5RNSAeNsp/qdsPeimvx3dcllTWeFo223Z8KNbMFkwQgYDVR0RBDsw\nOYIMbGVhZi5leGFtcGxlgg4qLndpbGQuZXhhbXBsZYcECgAAAYYTc3BpZmZlOi8v\nc29sb24vbGVhZjATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgNIADBF\nAiBX9Hez3XnEFf1JB0aC5yL0caANj0S4W4gUGk9aVmnyAQIhAJP9T3EawCV5XBtg\n6nQU8lIwA8pBz0SBe+ZhRm6cZ043\n-----END CERTIFICATE-----\n",
    "root": "-----BEGIN CERTIFICATE-----\nMIIBMTCB2KADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBFJvb3QwIBcN\nMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBFJvb3Qw\nWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATDMSDxLHsBaREtb0wXmhTT9GRPCfvR\nwhoBBxrFYvKfWSqgz1ih2iHHqABLg4krerdcJrzfPfR9tKUqtBg2MlBloyMwITAP\nBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNIADBF\nAiAeY6+wOXBHXgJkplSFHmp4JXHoucP1aanaTzpD4hDKzgIhAN7P9gVId1hTO6zn\nzq1PEHQPhrUVsUpk5loq83rQIAgb\n-----END CERTIFICATE-----\n",
}

# call -> value
VALUES = [
    ("io.jwt.verify_es256(input.tokens.ES256, input.public.ES256)", True),
    ("io.jwt.verify_es256(input.tokens.HS256, input.public.ES256)", False),
    (
        'io.jwt.decode_verify(input.tokens.ES256, {"cert": input.public.ES256, "aud": "b", "time": 1500000000000000000})[0]',
        True,
    ),
    ("io.jwt.verify_eddsa(input.tokens.EdDSA, input.public.EdDSA)", True),
    ("io.jwt.verify_eddsa(input.tokens.HS256, input.public.EdDSA)", False),
    (
        'io.jwt.decode_verify(input.tokens.EdDSA, {"cert": input.public.EdDSA, "aud": "b", "time": 1500000000000000000})[0]',
        True,
    ),
    ("io.jwt.verify_rs256(input.tokens.RS256, input.public.RS256)", True),
    ("io.jwt.verify_rs256(input.tokens.HS256, input.public.RS256)", False),
    (
        'io.jwt.decode_verify(input.tokens.RS256, {"cert": input.public.RS256, "aud": "b", "time": 1500000000000000000})[0]',
        True,
    ),
    ("io.jwt.verify_ps256(input.tokens.PS256, input.public.PS256)", True),
    ("io.jwt.verify_ps256(input.tokens.HS256, input.public.PS256)", False),
    (
        'io.jwt.decode_verify(input.tokens.PS256, {"cert": input.public.PS256, "aud": "b", "time": 1500000000000000000})[0]',
        True,
    ),
    ("io.jwt.verify_es256(input.tokens.ES256, input.leaf)", True),
    ("io.jwt.verify_es256(input.tokens.ES256, input.root)", False),
    ('io.jwt.verify_hs256(input.tokens.HS256, "secret")', True),
    ('io.jwt.verify_hs256(input.tokens.HS256, "Secret")', False),
    ('io.jwt.verify_hs512(input.tokens.HS256, "secret")', False),
    (
        "io.jwt.decode(input.tokens.HS256)",
        [
            {"alg": "HS256", "typ": "JWT"},
            {"aud": ["a", "b"], "exp": 2000000000, "iss": "solon", "nbf": 1000000000},
            "d5e75d5df4086be69d23ed80f1398637752f3159bf446428d69b0bb5956cc8d4",
        ],
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "time": 1500000000000000000})[0]',
        True,
    ),
    ('io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "time": 1500000000000000000})[0]', False),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "z", "time": 1500000000000000000})[0]',
        False,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "iss": "solon", "time": 1500000000000000000})[0]',
        True,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "iss": "x", "time": 1500000000000000000})[0]',
        False,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "time": 2000000000000000000})[0]',
        False,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "time": 1999999999999999999})[0]',
        False,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "time": 999999999999999999})[0]',
        True,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "alg": "HS256", "time": 1500000000000000000})[0]',
        True,
    ),
    (
        'io.jwt.decode_verify(input.tokens.HS256, {"secret": "secret", "aud": "a", "alg": "RS256", "time": 1500000000000000000})[0]',
        False,
    ),
    (
        'io.jwt.decode_verify(input.tokens.RS256, {"secret": input.public.RS256, "aud": "a", "time": 1500000000000000000})[0]',
        False,
    ),
    (
        'io.jwt.encode_sign({"alg":"HS256","typ":"JWT"}, {"a":1}, input.private.HS256)',
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.57TF7smP9XDhIexBqPC-F1toZReYZLWb_YRU5tv0sxM",
    ),
    (
        'io.jwt.encode_sign({"alg":"RS256"}, {}, input.private.RS256)',
        "eyJhbGciOiJSUzI1NiJ9.e30.IrH2bbs9nzL0Oamm77KdaU6hyq62qJLXw2gNqpa6cf5QpmUi-pEauDouQfunDY431EKaw2UHcWcvSpzxeICzd-Ijux0iX_8fuGYvLWzwiiMzozUUWP-qJdGsoNuabm4bZBFAj2sN06cHvLmglNLo98G8utA41tp5uNsOyjFpG0E",
    ),
    (
        'io.jwt.encode_sign({"alg":"EdDSA"}, {"é":[1]}, input.private.EdDSA)',
        "eyJhbGciOiJFZERTQSJ9.eyLDqSI6WzFdfQ.Jdm40KS0pYHa_58OhXwdWGScCl-V78r31tBRyD2btGjRqodEfwD5r_IaqSiOutkZiqrqY2c1cJ8ps787HoPLBg",
    ),
    (
        'io.jwt.encode_sign_raw("{\\"alg\\":\\"HS256\\",\\"typ\\":\\"text\\"}", "plain", json.marshal(input.private.HS256))',
        "eyJhbGciOiJIUzI1NiIsInR5cCI6InRleHQifQ.cGxhaW4.lKo6mc7MkHw7FW4V6NH3zt6oXIiOh5tJDYvlyMIwiNw",
    ),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('io.jwt.decode("a.b")', "eval_builtin_error"),
    ('io.jwt.decode("")', "eval_builtin_error"),
    ("io.jwt.decode_verify(input.tokens.HS256, {})", "eval_builtin_error"),
    ('io.jwt.decode_verify(input.tokens.HS256, {"secret":"a","cert":input.leaf})', "eval_builtin_error"),
    ('io.jwt.decode_verify(input.tokens.HS256, {"secret":"secret","nope":1})', "eval_builtin_error"),
    ('io.jwt.verify_rs256(input.tokens.RS256, "nonsense")', "eval_builtin_error"),
    ('io.jwt.encode_sign({"alg":"none"},{},input.private.HS256)', "eval_builtin_error"),
    ('io.jwt.encode_sign({"alg":"RS256"},{},input.private.HS256)', "eval_builtin_error"),
    ('io.jwt.encode_sign({"alg":"HS256"},{},{"kty":"oct"})', "eval_builtin_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_token_values(answer, exact, call, expected):
    assert exact(answer(call, given=GIVEN)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_token_errors(answer, call, code):
    assert answer(call, given=GIVEN) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, given=GIVEN, strict=True)
    assert caught.value.code == code
