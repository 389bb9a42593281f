"""The reference generators by name, the fastest first."""

from baselines.baseline import BACKBONES, Baseline
from baselines.learned import LEARNED

_TRIVIAL = (
    Baseline(
        name="identity",
        title="Identity",
        kind="trivial",
        code="baselines.identity",
        description="Returns the content image untouched: all content, no style, headline 0.",
        source="none: the anchor of the content score.",
    ),
    Baseline(
        name="style_copy",
        title="Style copy",
        kind="trivial",
        code="baselines.style_copy",
        description="Returns the style image: all style, no content, headline 0.",
        source="none: the anchor of the style score.",
    ),
    Baseline(
        name="reinhard",
        title="Color transfer (Reinhard 2001)",
        kind="trivial",
        code="baselines.reinhard",
        description="Moves mean and spread of the colors in l-alpha-beta to those of the style image.",
        source="Reinhard, Ashikhmin, Gooch, Shirley 2001, equations 4 to 6, 10 and 11.",
        simplified="One level of 255 is added before the logarithm, which black would send to minus infinity.",
        paper="https://doi.org/10.1109/38.946629",
    ),
    Baseline(
        name="histogram",
        title="Histogram matching",
        kind="trivial",
        code="baselines.histogram",
        description="Gives red, green and blue the distribution of levels that they have in the style image.",
        source="Gonzalez and Woods, Digital Image Processing: histogram specification.",
        simplified="The inverse is interpolated linearly between the levels that occur in the style image.",
    ),
)

_OPTIMIZED = (
    Baseline(
        name="gatys",
        title="Gatys 2016 on tiny-vgg-1",
        kind="optimized",
        code="baselines.gatys",
        description="Optimizes the pixels: content features and Gram matrices of the demo's own network.",
        source="Gatys, Ecker, Bethge 2016, equations 1 and 3 to 7.",
        simplified=(
            "A small network taught by VGG-19 instead of it; the work is done coarse to fine in few steps, so that a "
            "pair takes seconds on two cores; w_l divides each layer by the size of its target."
        ),
        paper="https://doi.org/10.1109/CVPR.2016.265",
        version="2.1.0",
        files={
            "tiny_vgg.py": "evaluation.backbones.tiny_vgg",
            "tiny-vgg-1.safetensors": BACKBONES / "tiny-vgg-1.safetensors",
        },
    ),
)

BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in (*_TRIVIAL, *LEARNED, *_OPTIMIZED)}
