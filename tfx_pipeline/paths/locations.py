"""Where a pipeline writes."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Locations:
    """Where a pipeline writes: folders or URIs."""

    artifacts: str
    serving: str
    checkpoints: str
    content: str
    """Vectors of item texts that were encoded before."""

    @classmethod
    def below(cls, root: str) -> Locations:
        """The usual layout below one folder."""
        root = root.rstrip("/")
        return cls(f"{root}/artifacts", f"{root}/serving", f"{root}/checkpoints", f"{root}/content")
