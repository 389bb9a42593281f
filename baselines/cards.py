"""The card of each baseline, written from the registry and, for a learned one, from the record of its training."""

from pathlib import Path

from baselines.baseline import Baseline
from baselines.record import Record, read_record
from evaluation.files import write_atomic

CARDS = Path(__file__).parent / "cards"


def card_path(baseline: Baseline) -> Path:
    """Return where the card lies."""
    return CARDS / f"{baseline.name}.md"


def write_card(baseline: Baseline) -> None:
    """Write the card of a baseline."""
    CARDS.mkdir(exist_ok=True)
    write_atomic(card_path(baseline), render_card(baseline).encode())


def render_card(baseline: Baseline) -> str:
    """Return the card as Markdown.

    Raises:
        InvalidRecord: a learned baseline that was trained without one.
    """
    paper = f"* paper: {baseline.paper}\n" if baseline.paper else ""
    trained = _training(read_record(baseline.record)) if baseline.weights.exists() else ""
    return (
        f"# {baseline.title} (`{baseline.name}`)\n\n{baseline.description}\n\n"
        f"* kind: {baseline.kind}\n"
        f"* code: `{baseline.code}`\n"
        f"{paper}"
        f"* faithful to: {baseline.source}\n"
        f"* simplified: {baseline.simplified}\n"
        f"* style image: {_style_image(baseline)}\n"
        f"* strength: {'in [0, 1], set at export' if baseline.has_strength else 'none'}\n"
        f"* license: {baseline.license}\n"
        f"{trained}"
    )


def _style_image(baseline: Baseline) -> str:
    if not baseline.collection:
        return "read anew for each pair" if baseline.name != "identity" else "not read"
    return (
        f"not read, the style is that of the collection it learned ({baseline.collection}), which the style score of "
        "other styles punishes"
    )


def _training(record: Record) -> str:
    options = f"--steps {record.steps} --batch {record.batch} --size {record.size} --seed {record.seed}"
    precision, flag = (", bfloat16", " --bf16") if record.is_bf16 else ("", "")
    return (
        f"\n## Weights\n\n"
        f"* parameters: {record.parameters:,}\n"
        f"* sha256: `{record.sha256}`\n"
        f"* command: `python -m baselines train {record.name} {options}{flag}`\n"
        f"* recipe: {record.steps} steps of {record.batch} crops, {record.size} pixels, seed {record.seed}{precision}\n"
        f"* time: {record.seconds / 60:.0f} minutes on {record.device}, {record.threads} thread(s), "
        f"torch {record.torch}\n"
        f"* perceptual features: {record.features} (`{record.features_sha256[:12]}`)\n"
        f"* training data: {record.note}\n"
        f"* contents: {record.contents} pictures (`{record.contents_sha256[:12]}`), styles: {record.styles} "
        f"(`{record.styles_sha256[:12]}`)\n"
    )
