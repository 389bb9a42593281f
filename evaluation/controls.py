"""Simple pictures that no honest board may reward: copies, damage, collages and plain color transfers.

Every control maps a content and a style image to an output without learning anything, so the headline and the
backbones are tested against them. All are deterministic; those that draw random numbers do so from a seed.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from skimage.color import lab2rgb, rgb2lab
from skimage.exposure import match_histograms

from evaluation.errors import InvalidTensor
from evaluation.images import to_uint8
from evaluation.metrics.checks import check_pixels

Control = Callable[[np.ndarray, np.ndarray, int], np.ndarray]

_SHADE = 1e-8  # added to covariances, so that flat pictures can be whitened


def blend(content: np.ndarray, style: np.ndarray, alpha: float = 0.5) -> np.ndarray:
    """Compute ``(1 - alpha) * content + alpha * style``.

    Args:
        content: uint8 (H, W, 3), sRGB.
        style: uint8 (H, W, 3), same size.
        alpha: share of the style image, in [0, 1].

    Returns:
        uint8 (H, W, 3).

    Raises:
        InvalidTensor: wrong pictures, or alpha outside [0, 1].
    """
    check_pixels("blend", content, style)
    if not 0.0 <= alpha <= 1.0:
        raise InvalidTensor(f"blend: expected alpha in [0, 1], found {alpha}.")
    return to_uint8(((1.0 - alpha) * content + alpha * style) / 255.0)


def blur(image: np.ndarray, sigma: float = 3.0) -> np.ndarray:
    """Convolve with a Gaussian of `sigma` pixels; edges are reflected.

    Args:
        image: uint8 (H, W, 3).
        sigma: standard deviation in pixels, above 0.

    Returns:
        uint8 (H, W, 3).
    """
    check_pixels("blur", image)
    if not sigma > 0:
        raise InvalidTensor(f"blur: expected a deviation above 0, found {sigma}.")
    return to_uint8(gaussian_filter(image / 255.0, sigma, axes=(0, 1), mode="reflect"))


def add_noise(image: np.ndarray, seed: int, deviation: float = 0.1) -> np.ndarray:
    """Add independent Gaussian noise of `deviation` (of a range of 1) to every value, then clip.

    Args:
        image: uint8 (H, W, 3).
        seed: of the noise.
        deviation: standard deviation, in units of the range 0..1.

    Returns:
        uint8 (H, W, 3).
    """
    check_pixels("noise", image)
    if not deviation >= 0:
        raise InvalidTensor(f"noise: expected a deviation of at least 0, found {deviation}.")
    noise = np.random.default_rng(seed).normal(0.0, deviation, image.shape)
    return to_uint8(image / 255.0 + noise)


def shuffle_patches(image: np.ndarray, seed: int, patch: int = 16) -> np.ndarray:
    """Cut a picture into squares and put them back in random order.

    Args:
        image: uint8 (H, W, 3); sides that are no multiple of `patch` are completed by reflection first,
            and the result is cut to the old size.
        seed: of the order.
        patch: side of a square, in pixels, at most the shorter side.

    Returns:
        uint8 (H, W, 3).

    Raises:
        InvalidTensor: a wrong picture, or one smaller than a patch.
    """
    check_pixels("patch shuffle", image)
    _check_patch("patch shuffle", image, patch)
    height, width = image.shape[:2]
    whole = np.pad(image, ((0, -height % patch), (0, -width % patch), (0, 0)), mode="symmetric")
    rows, columns = whole.shape[0] // patch, whole.shape[1] // patch
    squares = whole.reshape(rows, patch, columns, patch, 3).swapaxes(1, 2).reshape(-1, patch, patch, 3)
    mixed = np.random.default_rng(seed).permutation(squares).reshape(rows, columns, patch, patch, 3)
    return np.ascontiguousarray(mixed.swapaxes(1, 2).reshape(whole.shape)[:height, :width])


def quilt(content: np.ndarray, style: np.ndarray, patch: int = 16) -> np.ndarray:
    """Rebuild the content image from patches of the style image.

    Each of the overlapping patches of the content image, recolored by its mean and deviation, takes the style
    patch nearest to it in RGB; overlaps are averaged under a Hann window.

    Args:
        content: uint8 (H, W, 3).
        style: uint8 (H, W, 3), same size.
        patch: side of a patch in pixels, an even number, at most the shorter side.

    Returns:
        uint8 (H, W, 3).

    Raises:
        InvalidTensor: wrong pictures, or one smaller than a patch.

    Source: after Efros and Freeman 2001 (texture transfer by quilting). Deviations: nearest patches on a
    grid, without the search along seams; overlaps are blended, not cut.
    """
    check_pixels("quilt", content, style)
    _check_patch("quilt", content, patch)
    step = patch // 2
    guide = np.pad(
        transfer_mean_std(content, style), ((step, patch), (step, patch), (0, 0)), mode="symmetric"
    )
    wanted, grid = _patches(guide, patch, step)
    offered, _ = _patches(style, patch, max(1, patch // 4))
    nearest = cdist(_thin(wanted), _thin(offered), "sqeuclidean").argmin(axis=1)
    window = np.hanning(patch + 2)[1:-1]
    weights = np.outer(window, window)[..., None]
    total, cover = np.zeros(guide.shape), np.zeros((*guide.shape[:2], 1))
    for (top, left), index in zip(grid, nearest, strict=True):
        area = np.s_[top : top + patch, left : left + patch]
        total[area] += weights * offered[index]
        cover[area] += weights
    height, width = content.shape[:2]
    area = np.s_[step : step + height, step : step + width]
    return to_uint8(total[area] / cover[area] / 255.0)


def transfer_mean_std(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Give the content image the color statistics of the style image: ``(x - m_c) * sd_s / sd_c + m_s``.

    Args:
        content: uint8 (H, W, 3).
        style: uint8 (H', W', 3).

    Returns:
        uint8 (H, W, 3); colors outside of RGB are clipped.

    Source: Reinhard, Ashikhmin, Gooch, Shirley 2001, equations 10 and 11. Deviation: axes of CIE L*a*b*, which
    stays finite at black, instead of l-alpha-beta.
    """
    check_pixels("Reinhard", content)
    check_pixels("Reinhard", style)
    ours, theirs = rgb2lab(content), rgb2lab(style)
    ratio = theirs.std(axis=(0, 1)) / np.maximum(ours.std(axis=(0, 1)), 1e-6)
    moved = (ours - ours.mean(axis=(0, 1))) * ratio + theirs.mean(axis=(0, 1))
    moved[..., 0] = np.clip(moved[..., 0], 0.0, 100.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # colors outside of RGB are clipped on purpose
        return to_uint8(lab2rgb(moved))


def match_colors(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Give each channel of the content image the histogram of the style image (scikit-image).

    Args:
        content: uint8 (H, W, 3).
        style: uint8 (H', W', 3).

    Returns:
        uint8 (H, W, 3).

    Source: Gonzalez and Woods, Digital Image Processing, histogram specification.
    """
    check_pixels("histogram matching", content)
    check_pixels("histogram matching", style)
    return to_uint8(match_histograms(content / 255.0, style / 255.0, channel_axis=-1))


def transfer_linear(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Map colors by the linear optimal transport between their Gaussians (Monge-Kantorovitch).

    ``T = A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2``, ``x -> T (x - m_c) + m_s`` with the covariances A of the
    content and B of the style image.

    Args:
        content: uint8 (H, W, 3).
        style: uint8 (H', W', 3).

    Returns:
        uint8 (H, W, 3); colors outside of RGB are clipped.

    Source: Pitie and Kokaram 2007, equation 8. Deviation: 1e-8 is added to the variances, so that flat
    pictures have an inverse.
    """
    check_pixels("linear color transfer", content)
    check_pixels("linear color transfer", style)
    ours, theirs = content.reshape(-1, 3) / 255.0, style.reshape(-1, 3) / 255.0
    a, b = (np.cov(colors, rowvar=False) + _SHADE * np.eye(3) for colors in (ours, theirs))  # (3, 3)
    root = sqrtm(a).real
    inverse = np.linalg.inv(root)
    plan = inverse @ sqrtm(root @ b @ root).real @ inverse  # (3, 3), symmetric
    moved = (ours - ours.mean(axis=0)) @ plan + theirs.mean(axis=0)
    return to_uint8(moved.reshape(content.shape))


def reduce_palette(content: np.ndarray, style: np.ndarray, seed: int, colors: int = 8) -> np.ndarray:
    """Repaint the content image with the k-means colors of the style image.

    The content image takes the color statistics of the style image first; each pixel then becomes the nearest
    of the `colors` means.

    Args:
        content: uint8 (H, W, 3).
        style: uint8 (H', W', 3).
        seed: of the first means.
        colors: how many means, at least 1; means that no color of the style image is nearest to stay out.

    Returns:
        uint8 (H, W, 3) of at most `colors` colors.

    Source: Lloyd 1982, started by k-means++ (Arthur and Vassilvitskii 2007); distances in sRGB.
    """
    if colors < 1:
        raise InvalidTensor(f"palette: expected at least one color, found {colors}.")
    moved = transfer_mean_std(content, style)
    pixels = style.reshape(-1, 3) / 255.0
    distinct = np.unique(pixels, axis=0)
    if len(distinct) <= colors:
        means = distinct
    else:
        means, _ = kmeans2(pixels, colors, minit="++", rng=seed, missing="warn")
    nearest = cdist(moved.reshape(-1, 3) / 255.0, means, "sqeuclidean").argmin(axis=1)
    return to_uint8(means[nearest].reshape(content.shape))


CONTROLS: Mapping[str, Control] = {
    "identity": lambda content, style, seed: content.copy(),
    "style_copy": lambda content, style, seed: style.copy(),
    "blend": lambda content, style, seed: blend(content, style),
    "blur": lambda content, style, seed: blur(content),
    "noise": lambda content, style, seed: add_noise(content, seed),
    "style_shuffle": lambda content, style, seed: shuffle_patches(style, seed),
    "style_quilt": lambda content, style, seed: quilt(content, style),
    "reinhard": lambda content, style, seed: transfer_mean_std(content, style),
    "histogram": lambda content, style, seed: match_colors(content, style),
    "linear": lambda content, style, seed: transfer_linear(content, style),
    "reinhard_blur": lambda content, style, seed: blur(transfer_mean_std(content, style), 1.5),
    "reinhard_noise": lambda content, style, seed: add_noise(transfer_mean_std(content, style), seed, 0.06),
    "palette": lambda content, style, seed: reduce_palette(content, style, seed),
}


def apply_control(name: str, content: np.ndarray, style: np.ndarray, seed: int = 0) -> np.ndarray:
    """Apply the control `name` of `CONTROLS`.

    Args:
        name: a key of `CONTROLS`.
        content: uint8 (H, W, 3), sRGB.
        style: uint8 (H, W, 3), same size.
        seed: of the random ones.

    Returns:
        uint8 (H, W, 3), never a view of an input.

    Raises:
        InvalidTensor: wrong or differently sized pictures, or an unknown name.
    """
    check_pixels(name, content, style)
    if name not in CONTROLS:
        raise InvalidTensor(f"There is no control {name!r}.", fix=f"Known: {', '.join(CONTROLS)}.")
    return CONTROLS[name](content, style, seed)


def _check_patch(name: str, image: np.ndarray, patch: int) -> None:
    if not 2 <= patch <= min(image.shape[:2]):
        raise InvalidTensor(f"{name}: a patch of {patch} pixels does not fit {image.shape[:2]}.")


def _patches(image: np.ndarray, patch: int, step: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Return all patches on a grid, (n, patch, patch, 3), and their top left corners."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))[::step, ::step]
    grid = [(y * step, x * step) for y in range(windows.shape[0]) for x in range(windows.shape[1])]
    return np.moveaxis(windows, 2, -1).reshape(-1, patch, patch, 3), grid


def _thin(patches: np.ndarray) -> np.ndarray:
    """Halve patches by 2 x 2 means and flatten them, (n, 3 * patch^2 / 4), to make distances cheap."""
    n, side = patches.shape[0], patches.shape[1] // 2
    squares = patches[:, : 2 * side, : 2 * side].reshape(n, side, 2, side, 2, 3)
    return np.asarray(squares.mean(axis=(2, 4)).reshape(n, -1) / 255.0)
