"""Train the generator on a folder of pairs: `python train.py PAIRS`; its last lines can hand the result in."""

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, mse_loss

BUNDLE = Path(__file__).parent / "bundle"
sys.path.insert(0, str(BUNDLE))

from model import WEIGHTS, Generator, load_generator, statistics, to_tensor  # noqa: E402

STYLE_WEIGHT = 20.0
SCALES = 3


def read_pairs(folder: Path) -> list[tuple[Tensor, Tensor]]:
    """Read the pairs that `pastiche pairs COMPETITION --out FOLDER` has written."""
    from evaluation.images import read_rgb

    rows = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))["pairs"]
    return [
        (to_tensor(read_rgb(folder / row["content"])), to_tensor(read_rgb(folder / row["style"])))
        for row in rows
    ]


def make_filters(count: int = 48) -> Tensor:
    """Draw small random filters: poor man's features, but they need no download."""
    filters = torch.randn(count, 3, 5, 5)
    return filters - filters.mean((1, 2, 3), keepdim=True)


def style_loss(stylized: Tensor, style: Tensor, filters: Tensor) -> Tensor:
    """Compare the statistics of filter answers at several scales."""
    loss = torch.zeros(())
    for _ in range(SCALES):
        ours, theirs = (statistics(conv2d(picture, filters).abs()) for picture in (stylized, style))
        loss = loss + sum(mse_loss(a, b) for a, b in zip(ours, theirs, strict=True))
        stylized, style = avg_pool2d(stylized, 2), avg_pool2d(style, 2)
    return loss


def content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Compare where the edges are, not which colour they have."""
    grey = [picture.mean(1, keepdim=True) for picture in (stylized, content)]
    normal = [(picture - statistics(picture)[0]) / statistics(picture)[1] for picture in grey]
    return mse_loss(avg_pool2d(normal[0], 2), avg_pool2d(normal[1], 2))


def train(pairs: list[tuple[Tensor, Tensor]], steps: int) -> Generator:
    """Go through the pairs in random order; contents and styles are joined anew each time."""
    generator = load_generator(BUNDLE).train()
    filters = make_filters()
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
    for step in range(steps):
        content = pairs[int(torch.randint(len(pairs), ()))][0]
        style = pairs[int(torch.randint(len(pairs), ()))][1]
        stylized = generator(content, style)
        loss = content_loss(stylized, content) + STYLE_WEIGHT * style_loss(stylized, style, filters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    return generator


def main() -> None:
    """Train, keep the weights, and hand them in where a competition is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--submit", metavar="COMPETITION")
    options = parser.parse_args()
    torch.manual_seed(0)
    generator = train(read_pairs(options.pairs), options.steps)
    save_file(generator.state_dict(), BUNDLE / WEIGHTS)

    from export import list_weights

    list_weights()
    if options.submit:
        from pastiche import Client

        with Client() as client:
            print(client.submit(BUNDLE, options.submit, note=f"{options.steps} steps").id)


if __name__ == "__main__":
    main()
