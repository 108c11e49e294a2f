from benchmarks.trust.forgeries import believed_forgeries


def test_no_forgery_is_believed() -> None:
    found = believed_forgeries()
    assert len(found) >= 20
    assert [name for name, is_believed in found.items() if is_believed] == []
