"""`push.json`: what the Pusher found in the push destination, and what it did."""

from __future__ import annotations

import dataclasses

from tfx.dsl.io import fileio

from trainer.uri_files import read_json, write_json

FILE_NAME = "push.json"


@dataclasses.dataclass(frozen=True)
class PushRecord:
    """The candidate in the push destination.

    Attributes:
        version: version that the candidate has there; "" if it is not there.
        destination: folder that it was pushed to by this run; "" if it was not.
        served: it was the stable version before this run already.
        withdrawn: it was rolled back earlier, so that only a promotion by hand brings it back.
        overtaken: it passed the gates, but another version is stable than when it was compared.
        served_then: the version that was stable when the candidate was compared; "" for none.
            Only where it was overtaken, like `served_now`.
        served_now: the version that the Pusher found stable; "" for none.
    """

    version: str = ""
    destination: str = ""
    served: bool = False
    withdrawn: bool = False
    overtaken: bool = False
    served_then: str = ""
    served_now: str = ""

    def write(self, artifact_uri: str) -> None:
        """Writes `push.json` into the PushedModel artifact."""
        write_json(f"{artifact_uri}/{FILE_NAME}", dataclasses.asdict(self))

    @classmethod
    def find(cls, artifact_uri: str) -> PushRecord | None:
        """Inverse of `write`; None where the artifact holds no record."""
        if not fileio.exists(f"{artifact_uri}/{FILE_NAME}"):
            return None
        return cls(**read_json(f"{artifact_uri}/{FILE_NAME}"))
