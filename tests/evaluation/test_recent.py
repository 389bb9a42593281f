"""The small cache keeps what was used last."""

from evaluation.recent import Recent


def test_the_value_that_was_not_used_longest_is_forgotten() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    recent: Recent[str, str] = Recent(2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert recent.get_or_make(key, lambda key=key: make(key)) == key.upper()  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]
    assert recent.get("c") is None
    assert recent.get("a") == "A"
