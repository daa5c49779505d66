"""The fields that subjects have, as far as they are certain, and references to others: typos, mostly.

Of what is open, custom resources above all, only a name that is nearly a known one is held to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from solon.frameworks.lint import remark
from solon.lang.rego.typecheck import Missing
from solon.lang.rego.types import ANY, STRING, Array, Object, Type, key_of, union
from solon.lang.remark import Remark

_OPEN: Final = "*"  # a field that marks an object as one that may have others
_SHORTEST: Final = 5  # of shorter names too many are near each other


def closed(names: str = "", /, **fields: Type) -> Object:
    """An object with these fields and no others; of those in ``names`` nothing more is known."""
    known: dict[str, Type] = {**dict.fromkeys(names.split(), ANY), **fields}
    return Object(tuple(sorted((key_of(name), of) for name, of in known.items())))


def opened(names: str = "", /, **fields: Type) -> Object:
    return closed(f"{names} {_OPEN}", **fields)


def array(of: Type) -> Array:
    return Array((), of)


def remarks(missing: Iterable[Missing]) -> Iterator[Remark]:
    """What there is to say of references to fields that are not there."""
    for each in missing:
        known = [name for name in each.known if name != _OPEN]
        near = nearest(each.field, known)
        if len(known) < len(each.known) and near is None:
            continue  # there may be such a field
        near = near or next(iter(get_close_matches(each.field, known, 1, 0.6)), None)
        if isinstance(each.of, Array):
            if each.of.rest is not RESOURCE_CHANGE:
                continue
            hint = "it is an array: write [_], or `some … in` it"
        elif near is not None:
            hint = f"did you mean {near}?"
        else:
            hint = f"its fields are {', '.join(known)}" if known else "the schema has no fields"
        where = each.text.removesuffix(each.field).rstrip('.["')
        yield remark("policy/unknown-field", f"{where} has no field {each.field}", each.span, hint)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is a slip of: one letter more, less, other or moved, or upper and lower case."""
    for other in known:
        if name.lower() == other.lower():
            return other if name[:1] == other[:1] else None  # CloudFormation has Metadata
    if len(name) < _SHORTEST:
        return None
    # A word and its plural, or its past, are often both there, if not here.
    words = (other for other in known if not name.startswith(other) and not other.startswith(name))
    return next((other for other in words if _is_slip(name, other)), None)


def _is_slip(one: str, other: str) -> bool:
    if len(other) < _SHORTEST or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


# --- Kubernetes (API reference of its kinds)

_METADATA: Final = (
    "name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp "
    "deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields clusterName initializers"
)
_SECURITY: Final = opened(
    "privileged allowPrivilegeEscalation runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem procMount "
    "seLinuxOptions seccompProfile windowsOptions appArmorProfile fsGroup supplementalGroups sysctls "
    "fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy",
    capabilities=closed("add drop"),
)
_CONTAINER: Final = opened(
    "name image command args workingDir ports envFrom env volumeMounts volumeDevices livenessProbe readinessProbe "
    "startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy stdin stdinOnce tty "
    "resizePolicy restartPolicy targetContainerName",
    resources=closed("limits requests claims"),
    securityContext=_SECURITY,
)
_POD: Final[dict[str, Type]] = {
    **dict.fromkeys(
        [
            "volumes",
            "restartPolicy",
            "terminationGracePeriodSeconds",
            "activeDeadlineSeconds",
            "dnsPolicy",
            "nodeSelector",
            "serviceAccountName",
            "serviceAccount",
            "automountServiceAccountToken",
            "nodeName",
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "shareProcessNamespace",
            "imagePullSecrets",
            "hostname",
            "subdomain",
            "affinity",
            "schedulerName",
            "tolerations",
            "hostAliases",
            "priorityClassName",
            "priority",
            "dnsConfig",
            "readinessGates",
            "runtimeClassName",
            "enableServiceLinks",
            "preemptionPolicy",
            "overhead",
            "topologySpreadConstraints",
            "setHostnameAsFQDN",
            "os",
            "hostUsers",
            "schedulingGates",
            "resourceClaims",
            "resources",
        ],
        ANY,
    ),
    "containers": array(_CONTAINER),
    "initContainers": array(_CONTAINER),
    "ephemeralContainers": array(_CONTAINER),
    "securityContext": _SECURITY,
}
_TEMPLATE: Final = opened(metadata=opened(_METADATA), spec=opened(**_POD))
# The spec of any kind: what pods, and the kinds that most policies are about, have in theirs.
_SPEC: Final = opened(
    "replicas selector strategy minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds serviceName "
    "podManagementPolicy updateStrategy volumeClaimTemplates parallelism completions backoffLimit schedule suspend "
    "concurrencyPolicy ports type clusterIP clusterIPs externalIPs externalName loadBalancerIP "
    "loadBalancerSourceRanges externalTrafficPolicy rules tls ingressClassName defaultBackend accessModes "
    "storageClassName volumeName volumeMode capacity minReplicas maxReplicas scaleTargetRef podSelector ingress egress "
    "policyTypes minAvailable maxUnavailable",
    **{
        **_POD,
        "template": _TEMPLATE,
        "jobTemplate": opened(metadata=opened(_METADATA), spec=opened("parallelism", template=_TEMPLATE)),
    },
)
_TOP: Final = "apiVersion kind status data stringData immutable rules subjects roleRef webhooks type"
KUBERNETES: Final = opened(_TOP, metadata=closed(_METADATA), spec=_SPEC)


def _review(make: Any) -> Object:
    """``input.review``: an AdmissionRequest, and what Gatekeeper adds to it."""
    kind, resource = closed("group version kind"), closed("group version resource")
    found: Object = make(
        "uid subResource requestSubResource name namespace operation dryRun options namespaceObject _unstable "
        "isAdmission",
        kind=kind,
        requestKind=kind,
        resource=resource,
        requestResource=resource,
        userInfo=closed("username uid groups extra"),
        object=KUBERNETES,
        oldObject=KUBERNETES,
    )
    return found


def template_input(parameters: Type, *, main: bool) -> Type:
    """What a template's Rego is given. Its libraries may be made for others as well: there, input may be anything."""
    make = closed if main else opened
    return make(review=_review(closed), parameters=parameters)


# --- Terraform, as its documentation of the JSON output format has it

RESOURCE_CHANGE: Final = closed(
    "address previous_address module_address mode type name index deposed provider_name action_reason",
    change=closed(
        "actions before after after_unknown before_sensitive after_sensitive replace_paths importing "
        "generated_config before_identity after_identity"
    ),
)
_PLAN: Final = (
    "format_version terraform_version variables planned_values resource_drift output_changes prior_state "
    "configuration relevant_attributes checks timestamp applyable complete errored"
)

# The input of policies by the kind of subject that they are about; "" where they do not say.
INPUTS: Final[dict[str, Type]] = {
    "kubernetes.object": KUBERNETES,
    "terraform.plan": opened(_PLAN, resource_changes=array(RESOURCE_CHANGE)),
    "terraform.resource": RESOURCE_CHANGE,
    "": opened(
        f"{_PLAN} {_TOP}",
        metadata=opened(_METADATA),
        spec=_SPEC,
        resource_changes=array(RESOURCE_CHANGE),
        review=_review(opened),
    ),
}


def of_json_schema(schema: Mapping[str, Any]) -> Type:
    """The type of what fits a JSON Schema without recursion. What may be null is left out, where it is."""

    def of(part: Any) -> Type:
        if not isinstance(part, dict):
            return ANY
        if "$ref" in part:
            return of(schema["$defs"][part["$ref"].rpartition("/")[2]])
        if "anyOf" in part:
            return union(of(each) for each in part["anyOf"] if each != {"type": "null"}) or ANY
        if "properties" in part:
            return closed(**{name: of(field) for name, field in part["properties"].items()})
        if part.get("type") == "object":
            return Object((), (STRING, of(part.get("additionalProperties"))))
        return array(of(part["items"])) if isinstance(part.get("items"), dict) else ANY

    return of(schema)


def of_schema(schema: Any, *, keeps_unknown: bool = False) -> Type:
    """The type of what fits a schema of OpenAPI v3: a template's parameters."""
    if not isinstance(schema, dict):
        return ANY if keeps_unknown else closed()
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(items, dict):
        return array(of_schema(items, keeps_unknown=keeps_unknown))
    if not isinstance(properties, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return ANY
    fields = {str(name): of_schema(of, keeps_unknown=keeps_unknown) for name, of in properties.items()}
    has_others = keeps_unknown or schema.get("additionalProperties")
    return opened(**fields) if has_others else closed(**fields)
