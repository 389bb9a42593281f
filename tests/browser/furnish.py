"""What stands in the house that people walk through before they come."""

from pathlib import Path
from tempfile import TemporaryDirectory

from competitions.models import Phase
from competitions.services.submissions import Upload, register_baseline
from tests.conftest import python_archive

BLEND = """
class Model:
    def __init__(self, bundle_dir, device):
        pass
    def stylize(self, content, style):
        return content // {parts} * {content} + style // {parts} * {style}
"""
BASELINES = {"mostly-content": (3, 1), "mostly-style": (1, 3)}


def main() -> None:
    """Put two baselines into the queue."""
    phase = Phase.objects.get()
    with TemporaryDirectory() as folder:
        for name, (content, style) in BASELINES.items():
            code = BLEND.format(parts=content + style, content=content, style=style)
            path = python_archive(Path(folder) / f"{name}.zip", code)
            with path.open("rb") as archive:
                register_baseline(phase_pk=phase.pk, upload=Upload(archive, path.stat().st_size))
