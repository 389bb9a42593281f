"""What was collected of outputs comes back from its file bit for bit, and other files are refused."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.collected_files import InvalidStatistics, read_collected, write_collected
from evaluation.output_sets import Collected


@pytest.fixture
def collected() -> Collected:
    rng = np.random.default_rng(1)
    return {
        name: {"pooled": rng.normal(size=5), "inception": rng.normal(size=3) * 1e-12}
        for name in ("p002", "p000", "p.1-x")
    }


def test_everything_comes_back_bit_for_bit(collected: Collected, tmp_path: Path) -> None:
    write_collected(collected, tmp_path / "part.npz")
    found = read_collected(tmp_path / "part.npz")
    assert list(found) == ["p.1-x", "p000", "p002"]
    for pair_id, vectors in collected.items():
        assert found[pair_id].keys() == vectors.keys()
        for name, vector in vectors.items():
            assert found[pair_id][name].dtype == np.float64
            assert found[pair_id][name].tobytes() == vector.tobytes()


def test_the_order_in_which_it_was_collected_leaves_no_trace(collected: Collected, tmp_path: Path) -> None:
    write_collected(collected, tmp_path / "one.npz")
    write_collected(dict(reversed(collected.items())), tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_nothing_collected_is_a_file_too(tmp_path: Path) -> None:
    write_collected({}, tmp_path / "part.npz")
    assert read_collected(tmp_path / "part.npz") == {}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(collected: Collected, tmp_path: Path) -> None:
    (tmp_path / "part.npz").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_collected(collected, tmp_path / "part.npz")
    assert list(tmp_path.iterdir()) == [tmp_path / "part.npz"]


def test_other_files_are_refused(collected: Collected, tmp_path: Path) -> None:
    path = tmp_path / "part.npz"
    with pytest.raises(InvalidStatistics, match=r"part\.npz"):
        read_collected(path)
    write_collected(collected, path)
    whole = path.read_bytes()
    for data in (b"", b"text", whole[: len(whole) // 2], whole[:-40]):
        path.write_bytes(data)
        with pytest.raises(InvalidStatistics):
            read_collected(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InvalidStatistics):
        read_collected(path)
    np.savez(path, pooled=np.zeros((2, 3)))
    with pytest.raises(InvalidStatistics, match="pair_ids"):
        read_collected(path)
    np.savez(path, pair_ids=np.array([{"a": 1}], dtype=object), pooled=np.zeros((1, 3)))
    with pytest.raises(InvalidStatistics, match="allow_pickle"):
        read_collected(path)
    np.savez(path, pair_ids=np.array(["a", "b"]), pooled=np.zeros((1, 3)))
    with pytest.raises(InvalidStatistics):
        read_collected(path)
