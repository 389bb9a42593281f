"""Two days are equal where all bits are; what differs is named."""

import math

from tests.chaos.comparison import differences

BOARD = [
    {"submission": "one", "rank": 1, "values": {"headline": [0.1 + 0.2, 0.1, 0.5]}},
    {"submission": "two", "rank": 2, "values": {"headline": [0.25, None, 0.5]}},
]


def test_equal_outcomes_differ_in_nothing() -> None:
    assert list(differences({"board": BOARD}, {"board": [dict(row) for row in reversed(BOARD)]})) == []


def test_the_last_bit_counts() -> None:
    (first, second) = BOARD
    other = first | {"values": {"headline": [math.nextafter(0.1 + 0.2, 1), 0.1, 0.5]}}
    (sentence,) = differences({"board": [other, second]}, {"board": BOARD})
    assert sentence.startswith("board, one: values")
    assert repr(0.1 + 0.2) in sentence


def test_a_changed_place_is_named() -> None:
    swapped = [row | {"rank": 3 - int(str(row["rank"]))} for row in BOARD]
    assert list(differences({"board": swapped}, {"board": BOARD})) == [
        "board, one: rank 2 instead of 1",
        "board, two: rank 1 instead of 2",
    ]


def test_rows_too_few_and_too_many_are_named() -> None:
    (first, second) = BOARD
    assert list(differences({"board": [first]}, {"board": BOARD})) == ["board: two is missing"]
    assert list(differences({"board": BOARD}, {"board": [second]})) == ["board: one is one too many"]
    assert len(list(differences({}, {"board": BOARD}))) == 2
