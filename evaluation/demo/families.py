"""The families of style images that the project can paint, each after one named tradition."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation.demo.styles import (
    azulejo,
    batik,
    bogolan,
    girih,
    ink_wash,
    kente,
    kolam,
    mosaic,
    paper_cut,
    pointillism,
    seigaiha,
    stained_glass,
    swirls,
    ukiyo_e,
)


@dataclass(frozen=True)
class StyleFamily:
    """One painter; `after` names the tradition, of which its pictures are geometry and no artworks."""

    name: str
    culture: str
    split: str
    after: str
    paint: Callable[[np.random.Generator, int], np.ndarray]


FAMILIES: tuple[StyleFamily, ...] = (
    StyleFamily("seigaiha", "Japanese", "hidden", "seigaiha, wave scales on cloth and paper", seigaiha.paint),
    StyleFamily("ukiyo-e", "Japanese", "hidden", "ukiyo-e landscape prints", ukiyo_e.paint),
    StyleFamily("ink-wash", "Chinese", "hidden", "shan shui ink-wash landscapes", ink_wash.paint),
    StyleFamily("paper-cut", "Chinese", "hidden", "jianzhi paper cuts", paper_cut.paint),
    StyleFamily("kente", "West African", "hidden", "kente strip cloth of Akan weavers", kente.paint),
    StyleFamily("bogolan", "West African", "hidden", "bogolan mud cloth of Bamana dyers", bogolan.paint),
    StyleFamily("pointillism", "French", "hidden", "Neo-Impressionist pointillism", pointillism.paint),
    StyleFamily("stained-glass", "French", "hidden", "Gothic rose windows", stained_glass.paint),
    StyleFamily("girih", "Persian", "public", "girih star lattices in tile", girih.paint),
    StyleFamily("azulejo", "Portuguese", "public", "azulejo painted tiles", azulejo.paint),
    StyleFamily("batik", "Javanese", "public", "batik wax-resist cloth with kawung ovals", batik.paint),
    StyleFamily("mosaic", "Byzantine", "public", "mosaics of stone and gold tesserae", mosaic.paint),
    StyleFamily("swirls", "Dutch", "public", "Post-Impressionist directed brushwork", swirls.paint),
    StyleFamily("kolam", "South Indian", "public", "kolam threshold drawings in rice flour", kolam.paint),
)


def paint_style(family: StyleFamily, seed: int, size: int) -> np.ndarray:
    """Paint one style image; equal seeds give equal pictures, whatever other families exist.

    Returns:
        uint8 array of shape (size, size, 3).
    """
    rng = np.random.default_rng([seed, zlib.crc32(family.name.encode())])
    return family.paint(rng, size)
