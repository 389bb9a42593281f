"""What goes wrong when metrics are computed or read: the traps of each, for explanations and documents."""

from collections.abc import Mapping

_CONTENT_LOSS = (
    "Tap the layer after its ReLU and copy it: networks that rectify in place overwrite an earlier tap.",
    "Means of raw values over pairs rank contents, not methods: it is anchored per pair first.",
    "Identity wins it.",
)
_ARRANGEMENT = "A copy of the style image, and shuffled patches of it, win it."

TRAPS: Mapping[str, tuple[str, ...]] = {
    "headline": (
        "It is not comparable between suites, networks, image sizes or datasets.",
        "Its constants come from comparisons of methods, not yet from votes of people.",
        "A good color transfer or a plain blend earns much of what a simple transfer earns: look at C and S too.",
    ),
    "content": (
        "It is 1 for the untouched content image: never read it without S.",
        "It assumes a content image that is a photograph; between paintings its anchors are closer together.",
    ),
    "style": (
        "It is 1 for a copy of the style image: never read it without C.",
        "It is 0 for the untouched content image, however near that is to the style already.",
    ),
    "content_loss": _CONTENT_LOSS,
    "content_loss_sum": (*_CONTENT_LOSS, "Half the sum grows with the number of positions and of channels."),
    "normalized_content": (
        "It ignores the strength of whole feature channels, so a flat recoloring costs nothing.",
        "Identity wins it.",
    ),
    "perceptual": (
        "It is no LPIPS: the learned channel weights are missing, and values of two backbones do not compare.",
        "Identity wins it.",
    ),
    "lpips": (
        "The network wants images from -1 to 1: fed with 0 to 1, one pair fell from 0.102 to 0.033.",
        "Values of the AlexNet, VGG and SqueezeNet versions do not compare, nor do versions 0.0 and 0.1.",
        "Identity wins it; adversarial noise moves it.",
    ),
    "ssim": (
        "A box window and sample covariance, the default of some libraries, gave 0.671 where the published "
        "Gaussian window gives 0.636; pooling first, as others do with large images, gave 0.754 for 0.399.",
        "Identity and a gray blur do well.",
    ),
    "ms_ssim": (
        "It needs more than 160 pixels a side; negative contrast terms are cut at 0.",
        "Identity and a gray blur do well.",
    ),
    "gram": (
        "85 to 91 % of the variance of raw values is the style image: a mean of raw values over styles says "
        "little about the method, so it is anchored per pair.",
        "Feature maps that are flattened over channels too give a matrix of one number: exchanging channels "
        "must change the loss.",
        "The paper sums over positions; here each matrix is divided by its own number of positions.",
        _ARRANGEMENT,
    ),
    "relative_gram": ("Comparable between layers, not between style images.", _ARRANGEMENT),
    "mean_std": ("A global recoloring moves it far.", _ARRANGEMENT),
    "sliced_wasserstein": (
        "The directions are part of the metric: other seeds give other values.",
        _ARRANGEMENT,
    ),
    "colour_histogram": ("A color transfer without any brushwork wins it.",),
    "colour_wasserstein": ("A color transfer without any brushwork wins it.",),
    "style_retrieval": (
        "Chance is 1 over the number of styles of the split, so splits do not compare.",
        "A tie with another style counts as a miss.",
    ),
    "content_retrieval": (
        "Chance is 1 over the number of contents of the split, so splits do not compare.",
        "Nearly every output that keeps its layout has it: only a low value says something.",
    ),
    "jitter_gain": (
        "It exists only under suites with several jitters.",
        "Above its noise it hints at tuning to single pixels; it proves nothing alone.",
    ),
    "total_loss": (
        "Its parts have different scales, so the weights decide everything; it is shown and never ranked.",
        "Without a discriminator the adversarial part is 0.",
    ),
    "adversarial": (
        "It says how far an output looks like the art of its training set, not like the style image of the pair.",
        "Who has the discriminators can fool them: they stay private and are trained anew each season.",
        "Scores of two ensembles do not compare; the id names the ensemble by its digest.",
    ),
    "adversarial_loss": ("Two forms, least squares and cross-entropy, have different scales.",),
    "seconds": (
        "It is measured by the platform around the generator, loading left out, one image at a time.",
        "It is known of local outputs only where `generation.json` lies beside them.",
    ),
    "kid": (
        "Slightly negative values are right: the estimate is unbiased around 0.",
        "It compares with the style images of the split, of which there are few: read the interval.",
    ),
    "fid": (
        "Its bias falls like 1/n and depends on the generator: two samples of one distribution measured 24 % "
        "of the total variance apart at n = 800, and all of it at n = 40.",
        "Resizing, JPEG and rounding each move it by several points; the three families of code do not compare.",
        "A copy of every style image has an FID of exactly 0.",
    ),
    "artfid": (
        "On the standard Inception network, so it does not compare with published ArtFID.",
        "It has no value for a single pair, so no paired test, and it rewards doing nothing where contents are art.",
        "A copy of every style image has an FID of 0, which leaves 1 + LPIPS.",
    ),
    "kid_backbone": ("It looks through the backbone of the suite and does not compare with KID.",),
}
