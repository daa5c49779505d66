"""The registry as a client sees it, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from solon.server.mlflow.governed import Model, Version

_PAGE: Final = 500
# A tag that anyone may set hides a model or a version from what MLflow lists; consumers load it all the same.
_PROMPTS: Final = "tags.`mlflow.prompt.is_prompt` = 'true'"


class Registry:
    """``client`` is a MlflowClient. Every method raises MlflowException where the server refuses or does not answer."""

    def __init__(self, client: Any) -> None:
        # The client itself does not touch what is tagged as a prompt.
        self._client = client._get_registry_client()  # noqa: SLF001

    def models(self, with_versions: bool) -> Iterator[Model]:
        """Every registered model; with its versions where they are wanted."""
        versions = self._versions() if with_versions else {}
        seen = set()
        for said in (None, _PROMPTS):
            for found in _pages(partial(self._client.search_registered_models, said, _PAGE)):
                if found.name not in seen:
                    seen.add(found.name)
                    aliases = {alias: str(version) for alias, version in found.aliases.items()}
                    yield Model(found.name, aliases, tuple(versions.get(found.name, {}).values()))

    def _versions(self) -> dict[str, dict[str, Version]]:
        """All, by the name of the model: a search by name fails at names with quotes in them."""
        found: dict[str, dict[str, Version]] = {}
        for said in ("", _PROMPTS):
            for each in _pages(partial(self._client.search_model_versions, said, _PAGE)):
                version = Version(str(each.version), each.current_stage or "")
                found.setdefault(each.name, {})[version.version] = version
        return found

    def location(self, name: str, version: str) -> str:
        return str(self._client.get_model_version_download_uri(name, version))

    def aliased(self, name: str, alias: str) -> str:
        """The version that an alias points to."""
        return str(self._client.get_model_version_by_alias(name, alias).version)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self._client.set_registered_model_alias(name, alias, version)

    def delete_alias(self, name: str, alias: str) -> None:
        self._client.delete_registered_model_alias(name, alias)

    def move(self, name: str, version: str, stage: str) -> None:
        import warnings

        with warnings.catch_warnings():  # stages are deprecated, and governed as long as they are there
            warnings.simplefilter("ignore")
            self._client.transition_model_version_stage(name, version, stage, archive_existing_versions=False)

    def delete_version(self, name: str, version: str) -> None:
        self._client.delete_model_version(name, version)


def _pages(search: Callable[..., Any]) -> Iterator[Any]:
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
