"""A small log to work on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from decision_logs import KEY, around

from solon.decisions.log import settings
from solon.decisions.log.store import Log


@pytest.fixture
def make_log(tmp_path: Path) -> Callable[..., Log]:
    """make_log(): a log below the temporary directory; again, the same one opened anew."""

    def make(name: str = "log", seed: int = 0, **changes: object) -> Log:
        path = tmp_path / name
        if not settings.is_log(str(path)):
            settings.create(str(path), KEY)
        if changes:
            import msgspec

            said = msgspec.structs.replace(settings.read(str(path)), **changes)
            (path / settings.NAME).write_bytes(msgspec.json.encode(said))
        return Log(str(path), around(seed))

    return make
