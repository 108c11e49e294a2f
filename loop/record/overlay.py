"""An artifact store over a run's that writes nothing into it, for what is only computed again."""

from collections.abc import Iterable
from pathlib import Path

from alloop.canonical import sha256
from alloop.loop.record.artifacts import ArtifactStore


class OverlayStore(ArtifactStore):
    """Store that reads a run's artifacts and keeps what is put in memory, as long as it lives."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._own: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        """Keep bytes and return their id."""
        artifact = sha256(content)
        self._own[artifact] = content
        return artifact

    def put_many(self, contents: Iterable[bytes]) -> list[str]:
        """Keep many."""
        return [self.put(content) for content in contents]

    def get(self, artifact: str) -> bytes:
        """Return an artifact's bytes; raises as ``ArtifactStore.get``."""
        return self._own[artifact] if artifact in self._own else super().get(artifact)

    def __contains__(self, artifact: str) -> bool:
        return artifact in self._own or super().__contains__(artifact)
