"""S3, and what speaks its protocol, through boto3 (the extra ``lake``)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from solon.decisions.log.errors import LogError
from solon.decisions.mirror.address import Address
from solon.decisions.mirror.objects import Listed, Taken
from solon.governance.inert import visible

CONNECTIONS: Final = 16
_MISSING: Final = {"404", "NoSuchKey", "NotFound"}
_TAKEN: Final = {"412", "PreconditionFailed", "ConditionalRequestConflict"}
_UNKNOWN: Final = {"NotImplemented", "MethodNotAllowed", "405", "501"}
# What an operator can do about it.
_HINTS: Final = {
    "NoSuchBucket": "make the bucket first",
    "InvalidAccessKeyId": "see the credentials",
    "SignatureDoesNotMatch": "see the credentials",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION",
    "RequestTimeTooSkewed": "set the clock of this machine",
}


class S3:
    """Credentials, region and proxies are those of the environment, as for every AWS client."""

    def __init__(self, address: Address, endpoint: str = "", lock_mode: str = "COMPLIANCE") -> None:
        """Raises LogError."""
        try:
            import boto3
            import botocore.config
            import botocore.exceptions
        except ImportError:
            raise LogError("a mirror in object storage needs boto3: pip install 'solon[lake]'") from None
        self._address = address
        self._lock_mode = lock_mode
        self._errors = botocore.exceptions
        config = botocore.config.Config(
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 4},
            s3={"addressing_style": "path" if endpoint else "auto"},
            # Digests are given where they are wanted; other stores do not know those that are added by default.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        with self._worded(str(address), "is used"):
            session = boto3.session.Session()
            self._client: Any = session.client("s3", endpoint_url=endpoint or None, config=config)

    def put(self, path: str, data: bytes, *, once: bool = False, until: datetime | None = None) -> None:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        said: dict[str, Any] = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": digest}
        if once:
            said["IfNoneMatch"] = "*"
        if until is not None:
            said |= {"ObjectLockMode": self._lock_mode, "ObjectLockRetainUntilDate": until}
        with self._worded(path, "is written"):
            answer = self._client.put_object(**self._of(path), Body=data, **said)
            kept = answer.get("ChecksumSHA256") or self._read_back(path)
        if kept != digest:
            raise LogError(f"{self._address}/{path}: is not what was sent: the store says SHA-256 {kept}")

    def _read_back(self, path: str) -> str:
        """For a store that does not say what it got."""
        data = self._client.get_object(**self._of(path))["Body"].read()
        return base64.b64encode(hashlib.sha256(data).digest()).decode()

    def get(self, path: str) -> bytes | None:
        with self._worded(path, "is read"):
            try:
                found: bytes = self._client.get_object(**self._of(path))["Body"].read()
            except self._errors.ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            return found

    def digest(self, path: str) -> str:
        with self._worded(path, "is looked at"):
            try:
                found = self._client.head_object(**self._of(path), ChecksumMode="ENABLED")
            except self._errors.ClientError as error:
                if _code(error) in _MISSING:
                    return ""
                raise
        return base64.b64decode(found.get("ChecksumSHA256", "")).hex()

    def listed(self, prefix: str) -> Iterator[Listed]:
        with self._worded(prefix, "is listed"):
            try:
                yield from self._versions(prefix)
            except self._errors.ClientError as error:
                if _code(error) not in _UNKNOWN:
                    raise
                yield from self._latest(prefix)

    def _versions(self, prefix: str) -> Iterator[Listed]:
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._address.bucket, Prefix=self._address.key(prefix)):
            for deleted, found in ((False, page.get("Versions", ())), (True, page.get("DeleteMarkers", ()))):
                for each in found:
                    yield Listed(
                        self._path(each["Key"]),
                        each["VersionId"],
                        each.get("Size", 0),
                        each["IsLatest"],
                        deleted,
                    )

    def _latest(self, prefix: str) -> Iterator[Listed]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._address.bucket, Prefix=self._address.key(prefix)):
            for each in page.get("Contents", ()):
                yield Listed(self._path(each["Key"]), "", each["Size"], latest=True)

    def remove(self, found: Listed) -> str:
        version = {"VersionId": found.version} if found.version else {}
        with self._worded(found.path, "is removed"):
            try:
                self._client.delete_object(**self._of(found.path), **version)
            except self._errors.ClientError as error:
                until = self._held(found, version) if _code(error) in {"AccessDenied", "403"} else ""
                if not until:
                    raise
                return until
        return ""

    def _held(self, found: Listed, version: dict[str, str]) -> str:
        """Until when object lock holds a version; "" where that is not why it cannot be removed."""
        try:
            head = self._client.head_object(**self._of(found.path), **version)
        except self._errors.ClientError:
            return ""
        if head.get("ObjectLockLegalHoldStatus") == "ON":
            return "its legal hold ends"
        until = head.get("ObjectLockRetainUntilDate")
        return f"{until:%Y-%m-%d}" if until else ""

    def _of(self, path: str) -> dict[str, str]:
        return {"Bucket": self._address.bucket, "Key": self._address.key(path)}

    def _path(self, key: str) -> str:
        return key.removeprefix(self._address.prefix)

    @contextmanager
    def _worded(self, path: str, doing: str) -> Iterator[None]:
        """Errors of boto3 in one line; its messages have no secrets."""
        where = path if path.startswith("s3://") else f"{self._address}/{path}"
        try:
            yield
        except self._errors.ClientError as error:
            said = error.response.get("Error", {})
            code = _code(error)
            text = visible(" ".join(str(said.get("Message", "")).split()), 200)
            if code in _TAKEN:
                raise Taken(f"{where}: was written by somebody else meanwhile") from None
            hint = _HINTS.get(code) or (f"it needs s3:{_action(error)}" if code == "AccessDenied" else "")
            raise LogError(f"{where}: {code}: {text}{f'; {hint}' if hint else ''}") from None
        except (self._errors.BotoCoreError, ValueError) as error:
            text = visible(" ".join(str(error).split()), 300)
            raise LogError(f"{where}: cannot be reached while it {doing}: {text}") from None


def _code(error: Any) -> str:
    code = error.response.get("Error", {}).get("Code")
    return str(code or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


def _action(error: Any) -> str:
    """The permission that an operation needs, where its name is another."""
    names = {
        "HeadObject": "GetObject",
        "ListObjectVersions": "ListBucketVersions",
        "ListObjectsV2": "ListBucket",
        "DeleteObject": "DeleteObject and s3:DeleteObjectVersion",
    }
    return names.get(error.operation_name, str(error.operation_name))
