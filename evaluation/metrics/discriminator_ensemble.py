"""Reference discriminators that a site trains for itself and keeps private: their card, loading, scoring.

Nothing of this ships: a known discriminator can be fooled by following its gradient. Train an ensemble for
each season with `python -m evaluation.training.discriminator`, and keep its score out of the headline.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from evaluation.backbones.patch_discriminator import PatchDiscriminator
from evaluation.errors import WeightsCorrupt, WeightsMissing
from evaluation.metrics.adversarial import LossForm, adversarial_score, generator_loss, patch_logits

CARD_FILE = "card.json"
_TRAIN = "Train an ensemble with `python -m evaluation.training.discriminator`."


@dataclass(frozen=True)
class MemberCard:
    """One discriminator: its file with digest, its anchors, and how well it tells held-out pictures apart."""

    file: str
    sha256: str
    photo_anchor: float
    art_anchor: float
    auc: float
    auc_photos: float
    auc_fakes: float
    steps: int
    seed: int


@dataclass(frozen=True)
class EnsembleCard:
    """All that is known about an ensemble; `recipe` holds the settings and the counts of pictures."""

    form: str
    width: int
    spectral_norm: bool
    recipe: dict[str, str | int | float]
    members: tuple[MemberCard, ...]
    schema: int = 1

    def to_json(self) -> str:
        """Write the JSON form of `card.json`."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "EnsembleCard":
        """Read what `to_json` wrote; raises TypeError, ValueError or KeyError for anything else."""
        fields = json.loads(text)
        fields["members"] = tuple(MemberCard(**member) for member in fields["members"])
        card = cls(**fields)
        if card.form not in list(LossForm) or not card.members or card.schema != 1:
            raise ValueError(f"schema {card.schema}, {len(card.members)} members, loss {card.form!r}")
        return card


@dataclass(frozen=True)
class Ensemble:
    """Loaded discriminators with their card; `digest` is the sha256 of the card and stands for all of it."""

    networks: tuple[PatchDiscriminator, ...]
    card: EnsembleCard
    digest: str
    device: str

    def score(self, images: Tensor) -> Tensor:
        """Return the mean `adversarial_score` (N,) of pictures (N, 3, H, W), fp32 in [0, 1]; higher is better."""
        scores = [
            adversarial_score(logits.mean(dim=(1, 2, 3)), member.photo_anchor, member.art_anchor)
            for logits, member in zip(self._logits(images), self.card.members, strict=True)
        ]
        return torch.stack(scores).mean(dim=0)

    def loss(self, images: Tensor) -> Tensor:
        """Return the mean `generator_loss` (N,), float64, of the same pictures; lower is better."""
        form = LossForm(self.card.form)
        losses = [generator_loss(logits, form).double() for logits in self._logits(images)]
        return torch.stack(losses).mean(dim=0)

    def _logits(self, images: Tensor) -> list[Tensor]:
        with torch.inference_mode():
            return [patch_logits(network, images.to(self.device)) for network in self.networks]


def load_ensemble(folder: Path, device: str = "cpu") -> Ensemble:
    """Load the discriminators of a folder that `evaluation.training.discriminator` wrote.

    Raises:
        WeightsMissing: no card, or a file that the card names is not there.
        WeightsCorrupt: the card cannot be read, or a file does not have the digest that the card names.
    """
    text = _read(folder / CARD_FILE)
    try:
        card = EnsembleCard.from_json(text.decode())
    except (TypeError, ValueError, KeyError) as error:
        raise WeightsCorrupt(f"{folder / CARD_FILE} cannot be read: {error}.", fix=_TRAIN) from error
    networks = tuple(_load_member(folder, card, member).to(device) for member in card.members)
    # TF32 has a mantissa of 10 bits: scores would depend on the kind of GPU
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return Ensemble(networks, card, hashlib.sha256(text).hexdigest(), device)


def _load_member(folder: Path, card: EnsembleCard, member: MemberCard) -> PatchDiscriminator:
    data = _read(folder / Path(member.file).name)
    digest = hashlib.sha256(data).hexdigest()
    if digest != member.sha256:
        raise WeightsCorrupt(
            f"{member.file} has the digest {digest[:12]}, its card says {member.sha256[:12]}.", fix=_TRAIN
        )
    network = PatchDiscriminator(card.width, spectral_norm=card.spectral_norm)
    try:
        network.load_state_dict(safetensors.torch.load(data))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsCorrupt(f"{member.file} does not hold this network.", fix=_TRAIN) from error
    return network.eval().requires_grad_(False)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsMissing(f"{path} cannot be read: {error.strerror}.", fix=_TRAIN) from error
