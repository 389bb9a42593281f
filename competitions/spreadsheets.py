"""Cells of CSV files that spreadsheets open."""

from typing import TypeVar

Cell = TypeVar("Cell")

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(cell: Cell) -> Cell | str:
    """Keep spreadsheets from running what a stranger has called a generator; all but texts stays as it is."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
