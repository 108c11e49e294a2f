from tests.loop.report.conftest import closed

__all__ = ["closed"]
