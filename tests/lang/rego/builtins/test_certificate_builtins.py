"""Built-ins: crypto.x509.* and crypto.parse_private_keys. Expected values are what OPA gives; the keys are for these tests alone."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

GIVEN = {
    "root": "-----BEGIN CERTIFICATE-----\nMIIBMTCB2KADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBFJvb3QwIBcN\nMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBFJvb3Qw\nWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATDMSDxLHsBaREtb0wXmhTT9GRPCfvR\nwhoBBxrFYvKfWSqgz1ih2iHHqABLg4krerdcJrzfPfR9tKUqtBg2MlBloyMwITAP\nBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNIADBF\nAiAeY6+wOXBHXgJkplSFHmp4JXHoucP1aanaTzpD4hDKzgIhAN7P9gVId1hTO6zn\nzq1PEHQPhrUVsUpk5loq83rQIAgb\n-----END CERTIFICATE-----\n",
    "middle": "-----BEGIN CERTIFICATE-----\nMIIBNzCB3aADAgECAgECMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBFJvb3QwIBcN\nMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBExDzANBgNVBAMMBk1pZGRs\nZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAB3QCHj6uyRLxfr7Qd3LLZF4BhN\nCZnEfACVUSDYXEuiqm7W5cN/aLbcwGw42GqdjmyvuCFK85MHXuj2BOY+PR+jJjAk\nMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMC\nA0kAMEYCIQDOsE32F2m/JEBT8HFUuLvcjdCFCbp1MR/eDLriSbiMywIhAJabvWfO\nLZQ9gQ7VK/YlP0vEIE8h7JHshuq2bb0BZ4vt\n-----END CERTIFICATE-----\n",
    "leaf": "-----BEGIN CERTIFICATE-----\nMIIBkTCCATegAwIBAgIBAzAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZNaWRkbGUw\nIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMDQxCzAJBgNVBAYTAkdC\nMQ4wDAYDVQQKDAVTb2xvbjEVMBMGA1UEAwwMbGVhZi5leGFtcGxlMFkwEwYHKoZI\nzj0CAQYIKoZIzj0DAQcDQgAEjbkxvG5oNrtHlP94+k6V6pjvYRZuV9KvT2KvGzHO\n5VenN9nWWCK5RNSAeNsp/qdsPeimvx3dcllTWeFo223Z8KNbMFkwQgYDVR0RBDsw\nOYIMbGVhZi5leGFtcGxlgg4qLndpbGQuZXhhbXBsZYcECgAAAYYTc3BpZmZlOi8v\nc29sb24vbGVhZjATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgNIADBF\nAiBX9Hez3XnEFf1JB0aC5yL0caANj0S4W4gUGk9aVmnyAQIhAJP9T3EawCV5XBtg\n6nQU8lIwA8pBz0SBe+ZhRm6cZ043\n-----END CERTIFICATE-----\n",
    "chain": "-----BEGIN CERTIFICATE-----\nMIIBMTCB2KADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBFJvb3QwIBcN\nMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBFJvb3Qw\nWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATDMSDxLHsBaREtb0wXmhTT9GRPCfvR\nwhoBBxrFYvKfWSqgz1ih2iHHqABLg4krerdcJrzfPfR9tKUqtBg2MlBloyMwITAP\nBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNIADBF\nAiAeY6+wOXBHXgJkplSFHmp4JXHoucP1aanaTzpD4hDKzgIhAN7P9gVId1hTO6zn\nzq1PEHQPhrUVsUpk5loq83rQIAgb\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMIIBNzCB3aADAgECAgECMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBFJvb3QwIBcN\nMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBExDzANBgNVBAMMBk1pZGRs\nZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAB3QCHj6uyRLxfr7Qd3LLZF4BhN\nCZnEfACVUSDYXEuiqm7W5cN/aLbcwGw42GqdjmyvuCFK85MHXuj2BOY+PR+jJjAk\nMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMC\nA0kAMEYCIQDOsE32F2m/JEBT8HFUuLvcjdCFCbp1MR/eDLriSbiMywIhAJabvWfO\nLZQ9gQ7VK/YlP0vEIE8h7JHshuq2bb0BZ4vt\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMIIBkTCCATegAwIBAgIBAzAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZNaWRkbGUw\nIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMDQxCzAJBgNVBAYTAkdC\nMQ4wDAYDVQQKDAVTb2xvbjEVMBMGA1UEAwwMbGVhZi5leGFtcGxlMFkwEwYHKoZI\nzj0CAQYIKoZIzj0DAQcDQgAEjbkxvG5oNrtHlP94+k6V6pjvYRZuV9KvT2KvGzHO\n5VenN9nWWCK5RNSAeNsp/qdsPeimvx3dcllTWeFo223Z8KNbMFkwQgYDVR0RBDsw\nOYIMbGVhZi5leGFtcGxlgg4qLndpbGQuZXhhbXBsZYcECgAAAYYTc3BpZmZlOi8v\nc29sb24vbGVhZjATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgNIADBF\nAiBX9Hez3XnEFf1JB0aC5yL0caANj0S4W4gUGk9aVmnyAQIhAJP9T3EawCV5XBtg\n6nQU8lIwA8pBz0SBe+ZhRm6cZ043\n-----END CERTIFICATE-----\n",
    "request": "-----BEGIN CERTIFICATE REQUEST-----\nMIIBGTCBwAIBADA0MQswCQYDVQQGEwJHQjEOMAwGA1UECgwFU29sb24xFTATBgNV\nBAMMDGxlYWYuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI25Mbxu\naDa7R5T/ePpOleqY72EWblfSr09irxsxzuVXpzfZ1lgiuUTUgHjbKf6nbD3opr8d\n3XJZU1nhaNtt2fCgKjAoBgkqhkiG9w0BCQ4xGzAZMBcGA1UdEQQQMA6CDGxlYWYu\nZXhhbXBsZTAKBggqhkjOPQQDAgNIADBFAiAgNAJBn9ML0euwibbFObNrdCt0vtZh\ndz9QPW9ZGCaVPgIhANNxp94TAf3OY+PRmMOlP1JUkOFGKQ75i81fAmZ1GVZI\n-----END CERTIFICATE REQUEST-----\n",
    "key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEICvJpACVBqz/X7BHbzlEA8awuaosI0nR6sjqueEceme5oAoGCCqGSM49\nAwEHoUQDQgAEjbkxvG5oNrtHlP94+k6V6pjvYRZuV9KvT2KvGzHO5VenN9nWWCK5\nRNSAeNsp/qdsPeimvx3dcllTWeFo223Z8A==\n-----END EC PRIVATE KEY-----\n",
    "other_key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIMLqoDepPGazcckWpozL64zG3iN25iX8Bz5NFMoDwlHLoAoGCCqGSM49\nAwEHoUQDQgAEAHdAIePq7JEvF+vtB3cstkXgGE0JmcR8AJVRINhcS6Kqbtblw39o\nttzAbDjYap2ObK+4IUrzkwde6PYE5j49Hw==\n-----END EC PRIVATE KEY-----\n",
}

# call -> value
VALUES = [
    (
        "[c.Subject.CommonName | some c in crypto.x509.parse_certificates(input.chain)]",
        ["Root", "Middle", "leaf.example"],
    ),
    (
        "crypto.x509.parse_certificates(input.leaf)[0]",
        {
            "AuthorityKeyId": None,
            "BasicConstraintsValid": False,
            "CRLDistributionPoints": None,
            "DNSNames": ["leaf.example", "*.wild.example"],
            "EmailAddresses": None,
            "ExcludedDNSDomains": None,
            "ExcludedEmailAddresses": None,
            "ExcludedIPRanges": None,
            "ExcludedURIDomains": None,
            "ExtKeyUsage": [1],
            "Extensions": [
                {
                    "Critical": False,
                    "Id": [2, 5, 29, 17],
                    "Value": "MDmCDGxlYWYuZXhhbXBsZYIOKi53aWxkLmV4YW1wbGWHBAoAAAGGE3NwaWZmZTovL3NvbG9uL2xlYWY=",
                },
                {"Critical": False, "Id": [2, 5, 29, 37], "Value": "MAoGCCsGAQUFBwMB"},
            ],
            "ExtraExtensions": None,
            "IPAddresses": ["10.0.0.1"],
            "InhibitAnyPolicy": 0,
            "InhibitAnyPolicyZero": False,
            "InhibitPolicyMapping": 0,
            "InhibitPolicyMappingZero": False,
            "IsCA": False,
            "Issuer": {
                "CommonName": "Middle",
                "Country": None,
                "ExtraNames": None,
                "Locality": None,
                "Names": [{"Type": [2, 5, 4, 3], "Value": "Middle"}],
                "Organization": None,
                "OrganizationalUnit": None,
                "PostalCode": None,
                "Province": None,
                "SerialNumber": "",
                "StreetAddress": None,
            },
            "IssuingCertificateURL": None,
            "KeyUsage": 0,
            "MaxPathLen": 0,
            "MaxPathLenZero": False,
            "NotAfter": "2120-01-01T00:00:00Z",
            "NotBefore": "2020-01-01T00:00:00Z",
            "OCSPServer": None,
            "PermittedDNSDomains": None,
            "PermittedDNSDomainsCritical": False,
            "PermittedEmailAddresses": None,
            "PermittedIPRanges": None,
            "PermittedURIDomains": None,
            "Policies": None,
            "PolicyIdentifiers": None,
            "PolicyMappings": None,
            "PublicKey": {
                "Curve": {},
                "X": 64103321622892751175816724823353849820347683240240312321730084287479054001495,
                "Y": 75634925759635904490212904171918753616479256168054412308094737054800037140976,
            },
            "PublicKeyAlgorithm": 3,
            "Raw": "MIIBkTCCATegAwIBAgIBAzAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZNaWRkbGUwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMDQxCzAJBgNVBAYTAkdCMQ4wDAYDVQQKDAVTb2xvbjEVMBMGA1UEAwwMbGVhZi5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjbkxvG5oNrtHlP94+k6V6pjvYRZuV9KvT2KvGzHO5VenN9nWWCK5RNSAeNsp/qdsPeimvx3dcllTWeFo223Z8KNbMFkwQgYDVR0RBDswOYIMbGVhZi5leGFtcGxlgg4qLndpbGQuZXhhbXBsZYcECgAAAYYTc3BpZmZlOi8vc29sb24vbGVhZjATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgNIADBFAiBX9Hez3XnEFf1JB0aC5yL0caANj0S4W4gUGk9aVmnyAQIhAJP9T3EawCV5XBtg6nQU8lIwA8pBz0SBe+ZhRm6cZ043",
            "RawIssuer": "MBExDzANBgNVBAMMBk1pZGRsZQ==",
            "RawSubject": "MDQxCzAJBgNVBAYTAkdCMQ4wDAYDVQQKDAVTb2xvbjEVMBMGA1UEAwwMbGVhZi5leGFtcGxl",
            "RawSubjectPublicKeyInfo": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjbkxvG5oNrtHlP94+k6V6pjvYRZuV9KvT2KvGzHO5VenN9nWWCK5RNSAeNsp/qdsPeimvx3dcllTWeFo223Z8A==",
            "RawTBSCertificate": "MIIBN6ADAgECAgEDMAoGCCqGSM49BAMCMBExDzANBgNVBAMMBk1pZGRsZTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowNDELMAkGA1UEBhMCR0IxDjAMBgNVBAoMBVNvbG9uMRUwEwYDVQQDDAxsZWFmLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASNuTG8bmg2u0eU/3j6TpXqmO9hFm5X0q9PYq8bMc7lV6c32dZYIrlE1IB42yn+p2w96Ka/Hd1yWVNZ4Wjbbdnwo1swWTBCBgNVHREEOzA5ggxsZWFmLmV4YW1wbGWCDioud2lsZC5leGFtcGxlhwQKAAABhhNzcGlmZmU6Ly9zb2xvbi9sZWFmMBMGA1UdJQQMMAoGCCsGAQUFBwMB",
            "RequireExplicitPolicy": 0,
            "RequireExplicitPolicyZero": False,
            "SerialNumber": 3,
            "Signature": "MEUCIFf0d7PdecQV/UkHRoLnIvRxoA2PRLhbiBQaT1pWafIBAiEAk/1PcRrAJXlcG2DqdBTyUjADykHPRIF75mFGbpxnTjc=",
            "SignatureAlgorithm": 10,
            "Subject": {
                "CommonName": "leaf.example",
                "Country": ["GB"],
                "ExtraNames": None,
                "Locality": None,
                "Names": [
                    {"Type": [2, 5, 4, 6], "Value": "GB"},
                    {"Type": [2, 5, 4, 10], "Value": "Solon"},
                    {"Type": [2, 5, 4, 3], "Value": "leaf.example"},
                ],
                "Organization": ["Solon"],
                "OrganizationalUnit": None,
                "PostalCode": None,
                "Province": None,
                "SerialNumber": "",
                "StreetAddress": None,
            },
            "SubjectKeyId": None,
            "URIStrings": ["spiffe://solon/leaf"],
            "URIs": [
                {
                    "ForceQuery": False,
                    "Fragment": "",
                    "Host": "solon",
                    "OmitHost": False,
                    "Opaque": "",
                    "Path": "/leaf",
                    "RawFragment": "",
                    "RawPath": "",
                    "RawQuery": "",
                    "Scheme": "spiffe",
                    "User": None,
                }
            ],
            "UnhandledCriticalExtensions": None,
            "UnknownExtKeyUsage": None,
            "Version": 3,
        },
    ),
    (
        "[c.Subject.CommonName | some c in crypto.x509.parse_and_verify_certificates(input.chain)[1]]",
        ["leaf.example", "Middle", "Root"],
    ),
    ('crypto.x509.parse_and_verify_certificates(concat("", [input.root, input.leaf]))', [False, []]),
    ('crypto.x509.parse_and_verify_certificates(concat("", [input.middle, input.leaf]))[0]', True),
    ("crypto.x509.parse_and_verify_certificates(input.leaf)", [False, []]),
    ('crypto.x509.parse_and_verify_certificates("x")', [False, []]),
    (
        'crypto.x509.parse_and_verify_certificates(concat("", [input.middle, input.root, input.leaf]))[0]',
        True,
    ),
    ("crypto.x509.parse_and_verify_certificates_with_options(input.chain, {})[0]", True),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"DNSName":"leaf.example"})[0]',
        True,
    ),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"DNSName":"other.example"})[0]',
        False,
    ),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"DNSName":"a.wild.example"})[0]',
        True,
    ),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"DNSName":"a.b.wild.example"})[0]',
        False,
    ),
    ('crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"DNSName":"10.0.0.1"})[0]', True),
    ('crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"DNSName":"10.0.0.2"})[0]', False),
    ('crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"CurrentTime":0})[0]', False),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"KeyUsages":["KeyUsageClientAuth"]})[0]',
        False,
    ),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"KeyUsages":["KeyUsageAny"]})[0]',
        True,
    ),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"KeyUsages":{"KeyUsageServerAuth","KeyUsageClientAuth"}})[0]',
        True,
    ),
    (
        "crypto.x509.parse_certificate_request(input.request).Subject",
        {
            "CommonName": "leaf.example",
            "Country": ["GB"],
            "ExtraNames": None,
            "Locality": None,
            "Names": [
                {"Type": [2, 5, 4, 6], "Value": "GB"},
                {"Type": [2, 5, 4, 10], "Value": "Solon"},
                {"Type": [2, 5, 4, 3], "Value": "leaf.example"},
            ],
            "Organization": ["Solon"],
            "OrganizationalUnit": None,
            "PostalCode": None,
            "Province": None,
            "SerialNumber": "",
            "StreetAddress": None,
        },
    ),
    ("crypto.x509.parse_certificate_request(input.request).DNSNames", ["leaf.example"]),
    (
        "crypto.x509.parse_certificate_request(input.request).Attributes",
        [
            {
                "Type": [1, 2, 840, 113549, 1, 9, 14],
                "Value": [[{"Type": [2, 5, 29, 17], "Value": "MA6CDGxlYWYuZXhhbXBsZQ=="}]],
            }
        ],
    ),
    (
        "crypto.x509.parse_rsa_private_key(input.key)",
        {
            "crv": "P-256",
            "d": "K8mkAJUGrP9fsEdvOUQDxrC5qiwjSdHqyOq54Rx6Z7k",
            "kty": "EC",
            "x": "jbkxvG5oNrtHlP94-k6V6pjvYRZuV9KvT2KvGzHO5Vc",
            "y": "pzfZ1lgiuUTUgHjbKf6nbD3opr8d3XJZU1nhaNtt2fA",
        },
    ),
    (
        "crypto.parse_private_keys(input.key)",
        [
            {
                "Curve": {},
                "D": 19805720651196061314562156082645840616257813045062357793148873968759319717817,
                "X": 64103321622892751175816724823353849820347683240240312321730084287479054001495,
                "Y": 75634925759635904490212904171918753616479256168054412308094737054800037140976,
            }
        ],
    ),
    ('crypto.parse_private_keys("")', None),
    ("crypto.parse_private_keys(input.leaf)", []),
    (
        "crypto.x509.parse_keypair(input.leaf, input.key).PrivateKey",
        {
            "Curve": {},
            "D": 19805720651196061314562156082645840616257813045062357793148873968759319717817,
            "X": 64103321622892751175816724823353849820347683240240312321730084287479054001495,
            "Y": 75634925759635904490212904171918753616479256168054412308094737054800037140976,
        },
    ),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('crypto.x509.parse_certificates("%")', "eval_builtin_error"),
    ("crypto.x509.parse_certificates(input.key)", "eval_builtin_error"),
    ('crypto.x509.parse_certificate_request("YQ==")', "eval_builtin_error"),
    ("crypto.x509.parse_certificate_request(base64.encode(input.leaf))", "eval_builtin_error"),
    ('crypto.x509.parse_rsa_private_key("")', "eval_builtin_error"),
    ("crypto.x509.parse_keypair(input.leaf, input.other_key)", "eval_builtin_error"),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"KeyUsages":["x"]})',
        "eval_builtin_error",
    ),
    ('crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"Nope":1})', "eval_builtin_error"),
    (
        'crypto.x509.parse_and_verify_certificates_with_options(input.chain, {"CurrentTime":"x"})',
        "eval_builtin_error",
    ),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_certificate_values(answer, exact, call, expected):
    assert exact(answer(call, given=GIVEN)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_certificate_errors(answer, call, code):
    assert answer(call, given=GIVEN) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, given=GIVEN, strict=True)
    assert caught.value.code == code
