"""How a file that is sent in parts is cut: at multiples of one length, so that no two parts can overlap."""

from collections.abc import Collection

PART_BYTES = 8 * 2**20


def part_size(total: int, offset: int) -> int | None:
    """Return how long the part at an offset has to be, or None where no part begins."""
    if offset % PART_BYTES or not 0 <= offset < total:
        return None
    return min(PART_BYTES, total - offset)


def missing_parts(total: int, received: Collection[int]) -> tuple[int, ...]:
    """List the offsets of the parts that have not arrived."""
    return tuple(offset for offset in range(0, total, PART_BYTES) if offset not in received)
