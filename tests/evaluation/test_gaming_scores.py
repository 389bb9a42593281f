"""Flags that look at scores: memory of public styles, gains that jitter takes away, and a second network."""

import numpy as np
import pytest

from evaluation.errors import InvalidTensor
from evaluation.gaming.adversarial import flag_jitter_gain
from evaluation.gaming.audit import flag_audit
from evaluation.gaming.memorization import flag_memorization
from evaluation.statistics.design import Design


def crossed(n_styles: int, n_contents: int, prefix: str = "s") -> list[tuple[str, str, str]]:
    """List style, content and culture of all pairs."""
    return [
        (f"{prefix}{s}", f"{prefix}-c{c}", f"culture {s % 2}")
        for s in range(n_styles)
        for c in range(n_contents)
    ]


def design_of_rows(rows: list[tuple[str, str, str]]) -> Design:
    styles, contents, cultures = zip(*rows, strict=True)
    return Design(styles, contents, cultures)


PUBLIC, HIDDEN = crossed(6, 3, "public"), crossed(8, 6, "hidden")
DESIGN = design_of_rows(PUBLIC + HIDDEN)
IS_PUBLIC = np.array([True] * len(PUBLIC) + [False] * len(HIDDEN))


def noise(seed: int, scale: float = 0.08) -> np.ndarray:
    """Draw a deviation for each style and a smaller one for each pair."""
    rng = np.random.default_rng(seed)
    by_style = rng.normal(0, scale, DESIGN.n_styles)
    return by_style[DESIGN.style_of_pair] + rng.normal(0, scale / 2, DESIGN.n_pairs)


def test_style_scores_that_fall_on_hidden_styles_raise_memorizes() -> None:
    usual = 0.4 + noise(0, 0.02)
    scores = usual + np.where(IS_PUBLIC, 0.4, 0.1) + noise(1, 0.05)
    flag = flag_memorization(scores, IS_PUBLIC, DESIGN, usual=usual)
    assert flag.is_raised
    assert 0.05 < flag.strength < 0.3
    assert "On 6 public styles" in flag.sentence
    assert "8 hidden ones" in flag.sentence


def test_hidden_styles_that_are_hard_for_everybody_raise_nothing() -> None:
    usual = np.where(IS_PUBLIC, 0.7, 0.4)
    assert not flag_memorization(usual + noise(1, 0.05), IS_PUBLIC, DESIGN, usual=usual).is_raised
    assert flag_memorization(
        usual + noise(1, 0.05), IS_PUBLIC, DESIGN, usual=np.full_like(usual, 0.5)
    ).is_raised


def test_entries_without_memory_are_rarely_flagged() -> None:
    usual = np.full(DESIGN.n_pairs, 0.4)
    flags = [flag_memorization(usual + noise(seed), IS_PUBLIC, DESIGN, usual=usual) for seed in range(20)]
    assert sum(flag.is_raised for flag in flags) <= 1


def test_a_gap_on_three_public_styles_is_not_judged() -> None:
    rows = crossed(3, 3, "public") + HIDDEN
    is_public = np.array([True] * 9 + [False] * len(HIDDEN))
    flag = flag_memorization(
        np.where(is_public, 0.9, 0.1), is_public, design_of_rows(rows), usual=np.zeros(57)
    )
    assert flag.strength == pytest.approx(0.8)
    assert not flag.is_raised


def test_memorization_refuses_columns_that_do_not_fit() -> None:
    ones = np.ones(DESIGN.n_pairs)
    with pytest.raises(InvalidTensor, match="columns of 66 pairs"):
        flag_memorization(ones[1:], IS_PUBLIC, DESIGN, usual=ones)
    with pytest.raises(InvalidTensor, match="public and hidden"):
        flag_memorization(ones, np.zeros(DESIGN.n_pairs, bool), DESIGN, usual=ones)


def test_a_headline_that_jitter_takes_away_raises_adversarial() -> None:
    flag = flag_jitter_gain(0.08 + noise(0, 0.02), DESIGN)
    assert flag.is_raised
    assert "On 66 pairs the headline loses 0.0" in flag.sentence
    assert not flag_jitter_gain(noise(0, 0.02), DESIGN).is_raised
    assert not flag_jitter_gain(-0.1 + noise(0, 0.02), DESIGN).is_raised


def test_a_gain_on_few_pairs_or_with_a_wide_error_raises_nothing() -> None:
    gains = np.full(DESIGN.n_pairs, np.nan)
    gains[:7] = 0.2
    assert not flag_jitter_gain(gains, DESIGN).is_raised
    uneven = noise(3, 0.2)
    flag = flag_jitter_gain(0.04 + uneven - DESIGN.means(uneven[None])[0], DESIGN)
    assert "loses 0.040" in flag.sentence
    assert not flag.is_raised
    with pytest.raises(InvalidTensor):
        flag_jitter_gain(np.full(DESIGN.n_pairs, np.nan), DESIGN)


LEVELS = np.linspace(0.1, 0.6, 12)
ENTRIES = range(12)


def board(levels: np.ndarray, scale: float = 0.04) -> np.ndarray:
    """Spread headlines over pairs, (E, P): what is hard for one entry is hard for all, and some of it is luck."""
    hard = noise(7)
    rows = [level + hard + noise(20 + entry, scale) for entry, level in enumerate(levels)]
    return np.array(rows) + (levels - DESIGN.means(np.array(rows)))[:, None]


OFFICIAL = board(LEVELS)


def test_an_entry_that_the_audit_does_not_confirm_is_flagged() -> None:
    levels = 0.5 * LEVELS + 0.1
    levels[9] = 0.12
    audit = board(levels, 0.005)
    flags = [flag_audit(OFFICIAL, audit, DESIGN, entry=entry) for entry in ENTRIES]
    assert [flag.is_raised for flag in flags] == [entry == 9 for entry in ENTRIES]
    assert "number 3 under the official network and number 12" in flags[9].sentence


def test_places_lost_count_only_where_both_networks_are_sure() -> None:
    levels = np.append(np.zeros(4), np.full(8, 0.3))
    official, audit = levels.copy(), levels.copy()
    official[11], audit[11] = 0.33, 0.27
    sure, unsure = 0.002, 0.4
    found = [
        flag_audit(board(official, scale), board(audit, other), DESIGN, entry=11)
        for scale, other in ((sure, sure), (unsure, sure), (sure, unsure))
    ]
    assert "with 7 places lost for sure" in found[0].sentence
    assert found[0].is_raised
    assert all("with 0 places lost for sure" in flag.sentence for flag in found[1:])


def test_places_won_make_up_for_places_lost() -> None:
    official = np.append(np.linspace(0.2, 0.4, 11), 0.3)  # five entries are better, five worse, one is level
    flag = flag_audit(board(official, 0.002), board(0.6 - official, 0.002), DESIGN, entry=11)
    assert "with 0 places lost for sure" in flag.sentence


def test_an_excess_within_the_same_rank_is_flagged_too() -> None:
    official = LEVELS.copy()
    official[11] += 0.2
    flag = flag_audit(board(official), board(0.5 * LEVELS + 0.1), DESIGN, entry=11)
    assert flag.is_raised
    assert "with 0 places lost for sure" in flag.sentence


def test_an_entry_that_the_audit_likes_better_is_not_flagged() -> None:
    levels = 0.5 * LEVELS + 0.1
    levels[2] = 0.5
    flag = flag_audit(OFFICIAL, board(levels), DESIGN, entry=2)
    assert not flag.is_raised
    assert flag.strength == 0.0


def test_networks_of_other_scales_or_of_one_opinion_agree() -> None:
    for audit in (3 * OFFICIAL, OFFICIAL**2, np.full_like(OFFICIAL, 0.4)):
        flags = [flag_audit(OFFICIAL, audit, DESIGN, entry=entry) for entry in ENTRIES]
        assert all("with 0 places lost for sure" in flag.sentence for flag in flags)
    assert not any(flag_audit(OFFICIAL, 3 * OFFICIAL, DESIGN, entry=entry).is_raised for entry in ENTRIES)


def test_seven_entries_are_too_few_for_an_audit() -> None:
    flag = flag_audit(OFFICIAL[:7], OFFICIAL[6::-1], DESIGN, entry=6)
    assert not flag.is_raised
    assert "There are 7 entries" in flag.sentence


def test_an_audit_refuses_tables_that_do_not_fit() -> None:
    gap = OFFICIAL.copy()
    gap[3, 5] = np.nan
    for audit, entry in (
        (gap, 0),
        (OFFICIAL[:11], 0),
        (OFFICIAL[:, 1:], 0),
        (OFFICIAL, 12),
        (OFFICIAL[0], 0),
    ):
        with pytest.raises(InvalidTensor, match="two finite tables of 66 pairs"):
            flag_audit(OFFICIAL, audit, DESIGN, entry=entry)
