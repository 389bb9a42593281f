"""Write competition.toml so that it reads well in a repository, and reads back the same."""

import tomlkit
from tomlkit.items import Item, Table

from evaluation.competition_files.schema import CompetitionFile


def write_file(file: CompetitionFile) -> str:
    """Return the text of a competition file; the same competition always gives the same text."""
    fields = file.model_dump(by_alias=True, exclude_none=True)
    document = tomlkit.document()
    document.add("schema", tomlkit.item(fields.pop("schema")))
    phases = fields.pop("phases", ())
    for name, section in fields.items():
        document.add(tomlkit.nl())
        document.add(name, _table(section))
    if phases:
        document.add(tomlkit.nl())
        rows = tomlkit.aot()
        for phase in phases:
            rows.append(_table(phase))
        document.add("phases", rows)
    return document.as_string()


def _table(fields: dict[str, object]) -> Table:
    table = tomlkit.table()
    for name, value in fields.items():
        table.add(name, _value(value))
    return table


def _value(value: object) -> Item:
    """Write texts of several lines as such, where that keeps every character."""
    if isinstance(value, str) and "\n" in value and value.replace("\n", "").isprintable():
        escaped = value.replace("\\", "\\\\")
        if '"""' in value or value.endswith('"'):
            escaped = escaped.replace('"', '\\"')
        return tomlkit.value(f'"""\n{escaped}"""')
    return tomlkit.item(value)
