"""Train one discriminator after another, from checkpoints where there are some, and write their card."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor
from torch.optim import Adam

from evaluation.backbones.patch_discriminator import PatchDiscriminator, build_discriminator
from evaluation.errors import EvaluationError
from evaluation.files import write_atomic
from evaluation.metrics.adversarial import LossForm, discriminator_losses, patch_logits, r1_penalty
from evaluation.metrics.discriminator_ensemble import CARD_FILE, EnsembleCard, MemberCard
from evaluation.training.discriminator.pictures import Collection

R1_EVERY = 16  # steps
_SAVE_EVERY = 500  # steps
_JUDGED = 8  # pictures that are judged at a time

Report = Callable[[int], object]  # called with the number of steps that were just done


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, beside the pictures and the number of steps."""

    form: LossForm = LossForm.LSGAN
    width: int = 64
    spectral_norm: bool = False
    size: int = 256
    crop: int = 128
    batch: int = 16
    rate: float = 2e-4
    r1: float = 1.0
    seed: int = 0


def train_ensemble(
    pictures: Collection,
    recipe: Recipe,
    folder: Path,
    *,
    steps: int,
    members: int = 3,
    device: str = "cpu",
    report: Report = lambda steps: None,
) -> EnsembleCard:
    """Train `members` discriminators for `steps` steps each; write their weights and the card to `folder`.

    A run that was stopped, or that shall have more steps, goes on from its checkpoints and ends with the
    weights that it would have had in one go.

    Raises:
        EvaluationError: the checkpoints belong to another recipe or other pictures, or to more steps.
        InvalidTensor: training diverged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cards = []
    for number in range(1, members + 1):
        network = _train(pictures, recipe, folder, number=number, steps=steps, device=device, report=report)
        data = safetensors.torch.save({k: v.contiguous().cpu() for k, v in network.state_dict().items()})
        name = f"member-{number}.safetensors"
        write_atomic(folder / name, data)
        figures = judge(network, pictures, device)
        digest = hashlib.sha256(data).hexdigest()
        cards.append(MemberCard(name, digest, **figures, steps=steps, seed=_member_seed(recipe, number)))
    card = EnsembleCard(
        form=str(recipe.form),
        width=recipe.width,
        spectral_norm=recipe.spectral_norm,
        recipe=_described(recipe, pictures) | _counts(pictures),
        members=tuple(cards),
    )
    write_atomic(folder / CARD_FILE, card.to_json().encode())
    return card


def judge(network: PatchDiscriminator, pictures: Collection, device: str = "cpu") -> dict[str, float]:
    """Return the anchors and the AUC over held-out pictures: art against all others, photos, and outputs.

    AUC is the share of (art, other) pairs that the mean patch logit orders rightly, ties half: 0.5 is chance.
    """
    network.eval()
    kinds = (pictures.art, pictures.photos, pictures.fakes)
    art, photos, fakes = (_logits(network, kind.held_out, device) for kind in kinds)
    return {
        "photo_anchor": float(photos.median()),
        "art_anchor": float(art.median()),
        "auc": rank_auc(art, torch.cat([photos, fakes])),
        "auc_photos": rank_auc(art, photos),
        "auc_fakes": rank_auc(art, fakes),
    }


def rank_auc(real: Tensor, fake: Tensor) -> float:
    """Return the area under the ROC curve of scores (n,) and (m,), higher for real; ties count half.

    Source: Mann and Whitney 1947: AUC is U / (n m).
    """
    return float(mannwhitneyu(real.numpy(), fake.numpy()).statistic) / (len(real) * len(fake))


def _train(
    pictures: Collection,
    recipe: Recipe,
    folder: Path,
    *,
    number: int,
    steps: int,
    device: str,
    report: Report,
) -> PatchDiscriminator:
    seed = _member_seed(recipe, number)
    network = build_discriminator(recipe.width, spectral_norm=recipe.spectral_norm, seed=seed).to(device)
    optimizer = Adam(network.parameters(), lr=recipe.rate, betas=(0.5, 0.999))
    checkpoint = folder / f"checkpoint-{number}.pt"
    described = _described(recipe, pictures)
    start = _resume(checkpoint, described, network, optimizer)
    if start > steps:
        raise EvaluationError(f"{checkpoint} has {start} steps already, asked for are {steps}.")
    network.train()
    report(start)
    for step in range(start, steps):
        real, fake = pictures.batch(recipe.batch, recipe.crop, seed=(seed, step))
        _step(
            network,
            optimizer,
            real.to(device),
            fake.to(device),
            has_penalty=step % R1_EVERY == 0,
            recipe=recipe,
        )
        if (step + 1) % _SAVE_EVERY == 0 or step + 1 == steps:
            _save(checkpoint, described, network, optimizer, step=step + 1)
        report(1)
    return network


def _step(
    network: PatchDiscriminator,
    optimizer: Adam,
    real: Tensor,
    fake: Tensor,
    *,
    has_penalty: bool,
    recipe: Recipe,
) -> None:
    logits = (patch_logits(network, real), patch_logits(network, fake))
    loss = discriminator_losses(logits[0], logits[1], recipe.form).discriminator
    if has_penalty:
        # taken seldom and weighted up (Karras et al. 2020): the same pull at a fraction of the time
        loss = loss + recipe.r1 / 2 * R1_EVERY * r1_penalty(network, real)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def _save(
    path: Path,
    described: dict[str, str | int | float],
    network: PatchDiscriminator,
    optimizer: Adam,
    *,
    step: int,
) -> None:
    buffer = io.BytesIO()
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({"recipe": described, "step": step, **state}, buffer)
    write_atomic(path, buffer.getvalue())


def _resume(
    path: Path, described: dict[str, str | int | float], network: PatchDiscriminator, optimizer: Adam
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != described:
        changed = sorted(key for key in described if state["recipe"].get(key) != described[key])
        raise EvaluationError(
            f"{path} was made with other settings: {', '.join(changed)}.",
            fix="Choose another output folder, or the settings and pictures of that run.",
        )
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def _logits(network: PatchDiscriminator, pictures: Tensor, device: str) -> Tensor:
    with torch.inference_mode():
        parts = [
            patch_logits(network, part.to(device).float() / 255).mean(dim=(1, 2, 3))
            for part in pictures.split(_JUDGED)
        ]
    return torch.cat(parts).cpu()


def _member_seed(recipe: Recipe, number: int) -> int:
    return 1000 * recipe.seed + number


def _described(recipe: Recipe, pictures: Collection) -> dict[str, str | int | float]:
    return {**asdict(recipe), "form": str(recipe.form), "pictures": pictures.digest, "r1_every": R1_EVERY}


def _counts(pictures: Collection) -> dict[str, str | int | float]:
    kinds = {"art": pictures.art, "photos": pictures.photos, "fakes": pictures.fakes}
    train: dict[str, str | int | float] = {f"{name}_train": len(kind.train) for name, kind in kinds.items()}
    return train | {f"{name}_held_out": len(kind.held_out) for name, kind in kinds.items()}
