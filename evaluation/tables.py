"""Print tables: as wide as a terminal, wide enough for every column where nobody looks, and never as markup."""

from rich.console import Console
from rich.table import Table

WIDTH = 160  # where the output is no terminal


def print_table(table: Table) -> None:
    """Print a table to standard output; brackets in it are only brackets."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table)
