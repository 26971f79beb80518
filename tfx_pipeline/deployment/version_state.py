"""Which version is stable, which is tried, which was taken back: the rules, without any files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tfx_pipeline.paths.inputs import InputError
from trainer.serving.version_labels import VersionLabels


@dataclasses.dataclass(frozen=True)
class VersionState:
    """What a push destination holds.

    Attributes:
        visible: versions that servers see, ascending.
        hidden: versions that were taken out of their sight, ascending.
        stable: the version that users get; None where there is no version.
        canary: the version that is tried; the same as `stable` when none is.
        stable_before: versions that have been stable, ascending; rolling back goes to the last one
            older than the stable one.
        withdrawn: versions that were rolled back, each with its model's id.
    """

    visible: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()
    stable: int | None = None
    canary: int | None = None
    stable_before: tuple[int, ...] = ()
    withdrawn: Mapping[int, str | None] = dataclasses.field(default_factory=dict)

    @property
    def labels(self) -> VersionLabels:
        """The labels, as servers get them."""
        return VersionLabels(self.stable, self.canary)

    def labels_of(self, version: int) -> list[str]:
        """Names of a version's labels; "withdrawn" stands where it was rolled back."""
        given = [label for label, named in vars(self.labels).items() if named == version]
        return given + ["withdrawn"] * (version in self.withdrawn)

    def newest(self) -> int | None:
        """The newest version that was not rolled back."""
        return max((v for v in self.visible if v not in self.withdrawn), default=None)

    def promoted(self, version: int) -> VersionState:
        """The state with a version made stable.

        Raises:
            InputError: it is older than the stable one, or not there.
        """
        self._check_known(version)
        if self.stable is not None and version < self.stable:
            raise InputError(
                f"version {version} is older than the stable version {self.stable}; "
                f"to go back use: cohortrec serving rollback --version {version}"
            )
        before = set(self.stable_before)
        if self.stable is not None:
            before.add(self.stable)
        tried = self.canary is not None and self.canary > version
        return dataclasses.replace(
            self,
            stable=version,
            canary=self.canary if tried else version,
            stable_before=tuple(sorted(before - {version})),
            withdrawn={v: model for v, model in self.withdrawn.items() if v != version},
        )

    def tried(self, version: int) -> VersionState:
        """The state with a version as the canary, or stable where nothing is."""
        self._check_known(version)
        if self.stable is None:
            return self.promoted(version)
        return dataclasses.replace(self, canary=version)

    def rolled_back(
        self, version: int | None = None, models: Mapping[int, str | None] | None = None
    ) -> VersionState:
        """The state with an older version stable, and those after it withdrawn.

        Args:
            version: None for the one that was stable before.
            models: id of each version's model.

        Raises:
            InputError: there is none to go back to, or the one named is not an older one.
        """
        if self.stable is None:
            raise InputError("there is no version to roll back")
        older = [v for v in self.visible if v < self.stable and v not in self.withdrawn]
        if version is None:
            before = [v for v in self.stable_before if v in older]
            if not before:
                raise InputError(
                    f"no version was stable before {self.stable}"
                    + (f"; name one of {_listed(older)} with --version" if older else "")
                )
            version = before[-1]
        if version not in older:
            self._check_known(version)
            raise InputError(
                f"version {version} is not older than the stable version {self.stable}; "
                f"to go forward use: cohortrec serving promote --version {version}"
            )
        taken_back = [v for v in self.visible if version < v <= self.stable]
        ids = models or {}
        tried = self.canary is not None and self.canary > self.stable
        return dataclasses.replace(
            self,
            stable=version,
            canary=self.canary if tried else version,
            withdrawn={**self.withdrawn, **{v: ids.get(v) for v in taken_back}},
        )

    def surplus(self, kept: int) -> list[int]:
        """Versions to delete.

        Args:
            kept: how many of the newest stay; so do those that a label names, and the one that
                `rolled_back` goes to.
        """
        everything = sorted((*self.visible, *self.hidden))
        stay = {self.stable, self.canary, *everything[-kept:]}
        stay.update([v for v in self.stable_before if v in self.visible][-1:])
        return [v for v in everything if v not in stay]

    def _check_known(self, version: int) -> None:
        known = sorted((*self.visible, *self.hidden))
        if version not in known:
            raise InputError(f"there is no version {version}; known: {_listed(known) or 'none'}")


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions))
