"""The state of one training: method, optimizers and averaged generator; takes steps, saves itself, resumes."""

import copy
import io
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from baselines.training.errors import Diverged, OtherRun
from baselines.training.method import Batch, Method, Turn
from baselines.training.recipe import Recipe
from evaluation.files import write_atomic

CHECKPOINT_FILE = "checkpoint.pt"
CLIP = 10.0  # largest norm of the gradient of a turn
DECAY = 0.999  # of the averaged generator

Described = dict[str, str | int | bool]


class Run:
    """A method in training."""

    def __init__(self, method: Method, recipe: Recipe, described: Described, device: str) -> None:
        """Start at step 0; `described` is what a checkpoint must have in common with this run."""
        self.method = method.to(device).to(memory_format=torch.channels_last)  # faster, most of all with bf16
        self.recipe, self.described, self.device = recipe, described, device
        self.averaged: nn.Module = copy.deepcopy(method.generator).eval()
        self.turns = method.turns()
        self.optimizers = [
            Adam(turn.parameters, lr=turn.rate, betas=turn.betas, fused=True) for turn in self.turns
        ]
        self.step = 0
        self.seconds = 0.0

    def take(self, batch: Batch) -> dict[str, float]:
        """Take one step and return all losses by name.

        Raises:
            Diverged: a loss is not finite; nothing of that turn was applied.
        """
        torch.manual_seed(self.recipe.seed * 1_000_003 + batch.step)
        self.method.train()
        found: dict[str, float] = {}
        for turn, optimizer in zip(self.turns, self.optimizers, strict=True):
            found |= self._turn(turn, optimizer, batch)
        self.step = batch.step + 1
        _average(self.averaged, self.method.generator, min(DECAY, (1 + self.step) / (10 + self.step)))
        return found

    def _turn(self, turn: Turn, optimizer: Adam, batch: Batch) -> dict[str, float]:
        device = torch.device(self.device).type
        with torch.autocast(device, torch.bfloat16, enabled=self.recipe.is_bf16):
            losses = turn.losses(batch)
        total = torch.stack([loss.float() for loss in losses.values()]).sum()
        values = {name: loss.item() for name, loss in losses.items()}
        if not bool(torch.isfinite(total)):
            bad = ", ".join(name for name, loss in losses.items() if not bool(torch.isfinite(loss)))
            raise Diverged(f"The loss of step {batch.step} is not a number ({bad or turn.name}).", fix=_FIX)
        # by inputs, so that the other networks of the graph get no gradients and need no freezing
        gradients = torch.autograd.grad(total, turn.parameters, allow_unused=True)
        for parameter, gradient in zip(turn.parameters, gradients, strict=True):
            parameter.grad = gradient
        nn.utils.clip_grad_norm_(turn.parameters, CLIP)
        share = min(1.0, 2 * (1 - batch.progress)) if turn.falls else 1.0
        optimizer.param_groups[0]["lr"] = turn.rate * share
        optimizer.step()
        return values

    def save(self, folder: Path) -> None:
        """Write the checkpoint, whole or not at all.

        Raises:
            Diverged: a parameter is not finite; the older checkpoint stays.
        """
        if not all(bool(torch.isfinite(p).all()) for p in self.method.parameters()):
            raise Diverged(f"After step {self.step - 1} a weight is not a number.", fix=_FIX)
        buffer = io.BytesIO()
        state = {
            "described": self.described,
            "step": self.step,
            "seconds": self.seconds,
            "method": self.method.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        torch.save(state, buffer)
        write_atomic(folder / CHECKPOINT_FILE, buffer.getvalue())

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of a folder, if it has one.

        Raises:
            OtherRun: it was made with other settings or pictures, or has more steps already.
        """
        path = folder / CHECKPOINT_FILE
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        changed = sorted(key for key, value in self.described.items() if state["described"].get(key) != value)
        if changed:
            raise OtherRun(
                f"{path} was made with other settings: {', '.join(changed)}.",
                fix="Choose another --out, or the settings and pictures of that run.",
            )
        if state["step"] > self.recipe.steps:
            raise OtherRun(f"{path} has {state['step']} steps already.", fix="Raise --steps.")
        self.method.load_state_dict(state["method"])
        self.averaged.load_state_dict(state["averaged"])
        for optimizer, values in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.step, self.seconds = state["step"], state["seconds"]

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged generator on the CPU, numbers in half precision."""
        state = {
            name: value.detach().cpu().contiguous() for name, value in self.averaged.state_dict().items()
        }
        return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


_FIX = "The last checkpoint is kept. Start again with another --seed, or with other pictures."


def _average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    present = network.state_dict()
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            value.lerp_(present[name], 1 - decay)
        else:
            value.copy_(present[name])
