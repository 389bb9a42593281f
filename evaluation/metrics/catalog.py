"""The list of all numbers that can stand in a suite; torch-free, so that the web server can read it."""

from dataclasses import replace

from evaluation.spec import BACKBONE, DISCRIMINATORS, INCEPTION, LPIPS, Direction, Family, MetricSpec


def _distance(name: str, title: str, family: Family, *, source: str, misses: str) -> MetricSpec:
    """Describe a number that is lower where images are closer: 0 at its best, without an upper end."""
    return MetricSpec(name, title, family, Direction.LOWER, "", 0.0, None, source, misses)


def _score(name: str, title: str, family: Family, *, source: str, misses: str) -> MetricSpec:
    """Describe a number from 0 to 1 that is higher where images are closer."""
    return MetricSpec(name, title, family, Direction.HIGHER, "", 0.0, 1.0, source, misses)


SPECS = (
    replace(
        _score(
            "headline",
            "Trade-off score",
            Family.HEADLINE,
            source="C^(1-w) * S^w of the anchored content score C and style score S",
            misses="How pleasing a picture is: it measures two kinds of closeness, not beauty or artifacts.",
        ),
        unit="score",
    ),
    replace(
        _score(
            "content",
            "Content score",
            Family.CONTENT,
            source="Mean of the suite's content metrics, each from 0 (unrelated picture) to 1 (content image)",
            misses="Style: the untouched content image has a perfect content score.",
        ),
        unit="score",
    ),
    replace(
        _score(
            "style",
            "Style score",
            Family.STYLE,
            source="Mean of the suite's style metrics, each from 0 (content image) to 1 (style statistics met)",
            misses="Content: a copy of the style image has a perfect style score.",
        ),
        unit="score",
    ),
    replace(
        _distance(
            "content_loss",
            "Content loss",
            Family.CONTENT,
            source="Gatys, Ecker, Bethge 2016, equation 1, as a mean",
            misses="Its size depends on the content image, so raw values of different pairs do not compare.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    replace(
        _distance(
            "perceptual",
            "Perceptual distance",
            Family.PERCEPTUAL,
            source="Zhang et al. 2018 (LPIPS), equation 1, all channel weights 1",
            misses="Without the published heads it is not LPIPS; it punishes brush strokes as it punishes noise.",
        ),
        network=BACKBONE,
    ),
    replace(
        _score(
            "ssim",
            "SSIM",
            Family.CONTENT,
            source="Wang, Bovik, Sheikh, Simoncelli 2004, equation 13",
            misses="Meaning: it compares local contrast only, and falls for strokes that keep the scene readable.",
        ),
        minimum=-1.0,
    ),
    replace(
        _distance(
            "gram",
            "Gram loss",
            Family.STYLE,
            source="Gatys, Ecker, Bethge 2016, equations 3 to 5",
            misses="Arrangement: shuffled patches of the style image score well; raw values of styles do not compare.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    replace(
        _distance(
            "mean_std",
            "Mean and deviation loss",
            Family.STYLE,
            source="Huang and Belongie 2017 (AdaIN), equation 13, squared",
            misses="Arrangement and how features go together; a global recoloring moves it far.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    replace(
        _distance(
            "colour_histogram",
            "Color distance",
            Family.COLOUR,
            source="Hellinger distance of OKLab histograms, after Afifi, Brubaker, Brown 2021",
            misses="Everything but color: a color transfer without any brushwork wins it.",
        ),
        maximum=1.0,
    ),
    replace(
        _distance(
            "content_loss_sum",
            "Content loss, half sum",
            Family.CONTENT,
            source="Gatys, Ecker, Bethge 2016, equation 1, as printed",
            misses="Grows with the size of the image; the mean form does not.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    replace(
        _distance(
            "normalized_content",
            "Normalized content loss",
            Family.CONTENT,
            source="Deng et al. 2022 (StyTr2), on instance-normalized features",
            misses="Contrast and strength of whole feature channels: it forgives recoloring.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    replace(
        _distance(
            "lpips",
            "LPIPS",
            Family.PERCEPTUAL,
            source="Zhang et al. 2018, version 0.1, AlexNet",
            misses="Punishes brush strokes as it punishes noise; adversarial noise moves it.",
        ),
        network=LPIPS,
    ),
    _score(
        "ms_ssim",
        "MS-SSIM",
        Family.CONTENT,
        source="Wang, Simoncelli, Bovik 2003, equation 7",
        misses="Meaning: it compares local contrast at five scales; strokes that keep the scene readable lower it.",
    ),
    replace(
        _distance(
            "relative_gram",
            "Relative Gram loss",
            Family.STYLE,
            source="Squared Frobenius distance of Gram matrices over the squared norm of the style's",
            misses="Arrangement; comparable between layers, but not between style images.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    replace(
        _distance(
            "sliced_wasserstein",
            "Sliced Wasserstein distance",
            Family.STYLE,
            source="Heitz, Vanhoey, Chambon, Belcour 2021, equation 5",
            misses="Arrangement: shuffled patches of the style image score well.",
        ),
        is_squared=True,
        network=BACKBONE,
    ),
    _distance(
        "colour_wasserstein",
        "Color Wasserstein distance",
        Family.COLOUR,
        source="Sliced Wasserstein distance in OKLab, after Rabin, Peyre, Delon, Bernot 2011",
        misses="Everything but color: a color transfer without any brushwork wins it.",
    ),
    replace(
        _score(
            "style_retrieval",
            "Style retrieval R_s@1",
            Family.STYLE,
            source="Share of outputs whose nearest style image is the target, by feature means and deviations",
            misses="How near: a weak transfer that beats all other styles counts as a full hit.",
        ),
        unit="share",
        network=BACKBONE,
    ),
    replace(
        _score(
            "content_retrieval",
            "Content retrieval R_c@1",
            Family.CONTENT,
            source="Share of outputs whose nearest content image is the target, by the pooled content map",
            misses="How near: a picture that barely resembles its content image may still be nearest to it.",
        ),
        unit="share",
        network=BACKBONE,
    ),
    replace(
        _distance(
            "jitter_gain",
            "Gain without jitter",
            Family.HEADLINE,
            source="Trade-off score of the image as it is, less its mean over the other jitters",
            misses="Tuning to the metrics themselves: it shows only what a flip, shift or crop destroys.",
        ),
        unit="score",
        minimum=-1.0,
        maximum=1.0,
    ),
    _distance(
        "total_loss",
        "Total loss",
        Family.PERCEPTUAL,
        source="alpha L_c + beta L_s + gamma L_adv with the organizer's weights",
        misses="Everything that its weights hide: shown for completeness, never ranked.",
    ),
    replace(
        _score(
            "adversarial",
            "Adversarial score",
            Family.PERCEPTUAL,
            source="Reference discriminators after Isola et al. 2017, from 0 (photographs) to 1 (art)",
            misses="Whatever fools its discriminators; they stay private, and it is never ranked.",
        ),
        network=DISCRIMINATORS,
    ),
    replace(
        _distance(
            "adversarial_loss",
            "Adversarial loss",
            Family.PERCEPTUAL,
            source="The generator's loss under the reference discriminators, Mao et al. 2017 or Goodfellow et al. 2014",
            misses="As the adversarial score; its scale is that of one ensemble and compares with no other.",
        ),
        network=DISCRIMINATORS,
    ),
    replace(
        _distance(
            "seconds",
            "Time per image",
            Family.EFFICIENCY,
            source="From the last byte of the input to the last byte of the answer, on the worker's machine",
            misses="Depends on the machine: compare only runs of one kind of worker.",
        ),
        unit="s",
    ),
    replace(
        _distance(
            "kid",
            "KID",
            Family.PERCEPTUAL,
            source="Binkowski et al. 2018, equation 4, whole U-statistic",
            misses="Which style went where: outputs in each other's styles score the same.",
        ),
        minimum=None,
        network=INCEPTION,
        is_set_level=True,
    ),
    replace(
        _distance(
            "fid",
            "FID",
            Family.PERCEPTUAL,
            source="Heusel et al. 2017, equation 6",
            misses="Biased upwards at small n: compare only equal n, and prefer KID.",
        ),
        network=INCEPTION,
        is_set_level=True,
    ),
    replace(
        _distance(
            "artfid",
            "ArtFID",
            Family.PERCEPTUAL,
            source="Wright and Ommer 2022, equation 4, on the standard Inception network",
            misses="Needs equal n; returning art contents unchanged can win it.",
        ),
        minimum=1.0,
        network=INCEPTION,
        is_set_level=True,
    ),
    replace(
        _distance(
            "kid_backbone",
            "KID of the backbone",
            Family.PERCEPTUAL,
            source="Binkowski et al. 2018, equation 4, on pooled taps of the suite's backbone",
            misses="Does not compare with KID on Inception; which style went where.",
        ),
        minimum=None,
        network=BACKBONE,
        is_set_level=True,
    ),
)
