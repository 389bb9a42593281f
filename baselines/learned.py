"""The learned baselines: what each is, what it is faithful to, and what was simplified."""

from baselines.baseline import Baseline

_NARROW = "narrower, so that it trains in 45 minutes on two cores and its weights stay under 5 MB"
_CONDITIONAL = (
    f"The network is {_NARROW}; instance normalization is modulated by a code of the style (Huang and Belongie 2017, "
    "equation 8) and the encoder's maps are added to the decoder's (Isola et al. 2017), because a short training finds "
    "no pictures without. w_l divides each tap by its usual size; gamma is 0.2 and rises to that over the first fifth "
    "of the training. |G(c, c) - c| is added, which gives strength 0 its meaning. The discriminator is a PatchGAN with "
    "spectral normalization and a projection of the style's code (Miyato and Koyama 2018, equation 3), because that of "
    "2014 does not train on so few pictures."
)
_ONE_COLLECTION = (
    "Three residual blocks of 32 channels at full size instead of six or nine of 64, the first maps are added to the "
    f"last ones, and bilinear enlargement with convolutions: {_NARROW}, and finds pictures in a short training. For "
    "the same reason the generator's rate is 4e-4, twice the paper's, and no rate falls: what is kept is a running "
    "average of the generator. Patch discriminators have half the channels."
)

LEARNED = (
    Baseline(
        name="adain",
        title="AdaIN",
        kind="learned",
        code="baselines.networks.adain",
        description="Gives the features of the content image the statistics of the style image and decodes them.",
        source="Huang and Belongie 2017, equations 8 (normalization), 11 to 13 (losses), 14 (strength).",
        simplified=(
            "The fixed encoder is the project's own tiny-vgg-1 instead of VGG-19, which is too large to ship, and goes "
            "to relu3_1 instead of relu4_1, from where a small network cannot be decoded well. "
            f"The decoder is {_NARROW}. The style loss is squared and reads five taps instead of four; "
            "a small smoothness term keeps nearest enlargement from showing, "
            "and a term for pictures whose features were not changed lets short trainings find pictures first."
        ),
        paper="https://arxiv.org/abs/1703.06868",
        method="baselines.methods.adain:AdaIN",
        steps=5000,
        has_strength=True,
    ),
    Baseline(
        name="cgan_bce",
        title="Conditional GAN, cross-entropy",
        kind="learned",
        code="baselines.networks.cgan",
        description="Draws the content image anew, driven by a code of the style image; cross-entropy discriminator.",
        source=(
            "The founding document on style transfer as a service; content and Gram losses of Gatys et al. 2016, "
            "equations 1 and 4; adversarial loss of Goodfellow et al. 2014, equation 1, not saturating (section 3)."
        ),
        simplified=(
            f"{_CONDITIONAL} The content loss is a mean square of features, as in the other founding document, and not "
            "of pixels, which would forbid new colors."
        ),
        paper="https://arxiv.org/abs/1406.2661",
        method="baselines.methods.cgan:CrossEntropyGan",
        steps=6000,
        batch=2,
        has_strength=True,
    ),
    Baseline(
        name="cgan_ls",
        title="Conditional GAN, least squares",
        kind="learned",
        code="baselines.networks.cgan",
        description="Draws the content image anew, driven by a code of the style image; least-squares discriminator.",
        source=(
            "The founding document on the competition platform: alpha content + beta style (w_l, 1/(4 N^2 M^2)) + "
            "gamma adversarial; Gatys et al. 2016, equations 1, 4 and 5; Mao et al. 2017, equation 2 with labels 0, 1."
        ),
        simplified=(
            f"{_CONDITIONAL} Network, pictures and seed are those of cgan_bce: the two differ in the adversarial loss, "
            "in alpha (2 here, 1 there), and in the steps that their cards tell."
        ),
        paper="https://arxiv.org/abs/1611.04076",
        method="baselines.methods.cgan:LeastSquaresGan",
        steps=6000,
        batch=2,
        has_strength=True,
    ),
    Baseline(
        name="semantic_gan",
        title="Semantic GAN",
        kind="learned",
        code="baselines.networks.semantic_gan",
        description="Finds regions that content and style share and gives each the style of its counterpart.",
        source=(
            "The founding document on high-level semantic transfer, with its pre- and post-processing (denoise, scale; "
            "scale back, crop); Huang and Belongie 2017, equation 8, region by region; Park et al. 2019 (SPADE), "
            "equation 1; guided Gram matrices of Gatys et al. 2017; Mao et al. 2017, equation 2 with labels 0, 1."
        ),
        simplified=(
            "Four regions are soft clusters (k-means from learned prototypes) of tiny-vgg-1's relu3_1 in content and "
            "style together, because no labels and no segmentation network are at hand. Modulation is SPADE's without "
            "the normalization, which would undo the moments that the regions were just given. The discriminator has a "
            "logit for each region, of which a patch gets the mix of its own regions. Noise is removed inside the "
            "network by a bilateral filter of 3 x 3 pixels (Tomasi and Manduchi 1998); only pictures above 512 pixels "
            f"are scaled, outside of it (`Model`). The decoder is {_NARROW}."
        ),
        paper="https://arxiv.org/abs/1903.07291",
        method="baselines.methods.semantic_gan:SemanticGAN",
        steps=4500,
        batch=2,
        has_strength=True,
    ),
    Baseline(
        name="cyclegan",
        title="CycleGAN (Byzantine mosaics)",
        kind="learned",
        code="baselines.networks.cyclegan",
        description="Redraws the content image as one collection of pictures would show it, whatever the style image.",
        source=(
            "Zhu et al. 2017, equations 1 to 3, least squares and image pool of section 4, identity loss of section "
            "5.2, generator of section 7.2."
        ),
        simplified=(
            f"{_ONE_COLLECTION} What has to change and what shall stay as it is go through each generator in one batch."
        ),
        paper="https://arxiv.org/abs/1703.10593",
        method="baselines.methods.cyclegan:CycleGAN",
        steps=700,
        batch=1,
        collection="Byzantine",
    ),
    Baseline(
        name="cut",
        title="CUT (Byzantine mosaics)",
        kind="learned",
        code="baselines.networks.cut",
        description="Redraws the content image as one collection of pictures would show it, patch by patch, one way.",
        source=(
            "Park et al. 2020, equations 2 and 3 (patchwise contrast), 5 with both lambdas 1, and section 4 (networks; "
            "least squares)."
        ),
        simplified=(
            f"{_ONE_COLLECTION} Plain strides on the way down instead of antialiased pooling. Contrast is taken at six "
            "taps instead of five (the first maps too), through heads of 128 units instead of 256. No gradient flows "
            "through the side of the input."
        ),
        paper="https://arxiv.org/abs/2007.15651",
        method="baselines.methods.cut:CUT",
        steps=1100,
        batch=1,
        collection="Byzantine",
    ),
    Baseline(
        name="style_modulated",
        title="Style modulation (StyleGAN2 kind)",
        kind="learned",
        code="baselines.networks.style_modulated",
        description="A code of the style image modulates the convolutions that redraw the content image.",
        source=(
            "Karras et al. 2020, equations 1 and 3 (modulation, demodulation), figures 2d and 7b (skip generator) and "
            "section 3.1 (lazy regularization), 2019 for mapping network and noise; Mescheder et al. 2018, equation 9 "
            "(R1); Goodfellow et al. 2014, equation 1, not saturating (section 3)."
        ),
        simplified=(
            "Maps of the content image replace the constant start and enter at every size, because there is content to "
            "keep. The mapping network has three layers instead of eight and takes means and deviations of four taps "
            "of the frozen tiny-vgg-1 on the style image instead of a random vector. Content and Gram losses are "
            "added; path length regularization is left out; codes are mixed between cultures after the training "
            f"(`Model.encode`, `mix`) and not in it; the discriminator judges patches. The network is {_NARROW}."
        ),
        paper="https://arxiv.org/abs/1912.04958",
        method="baselines.methods.style_modulated:StyleModulated",
        steps=5000,
        batch=2,
        has_strength=True,
    ),
)
