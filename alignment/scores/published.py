"""Ceilings that others published as constants.

A constant holds for the maps, the people and the blur that it was measured with. So each names
them, and is shown beside maps of that kind only, as a reference and never as a bound.
"""

from dataclasses import dataclass

from ..maps.human_maps import HumanMaps

CLICKME_1 = "ClickMe 1.0"
CLICKME_2 = "ClickMe 2.0"


@dataclass(frozen=True, kw_only=True)
class PublishedCeiling:
    """A constant from a publication, never measured on the maps at hand."""

    name: str
    value: float
    metric: str
    source: str
    kind: str
    """What kinds of map it belongs to begin with."""

    def belongs_to(self, maps: HumanMaps) -> bool:
        """Return whether the constant was published for maps of this kind."""
        return maps.are_human and maps.kind.startswith(self.kind)


FEL2022_CEILING = PublishedCeiling(
    name="published ClickMe 1.0 ceiling",
    value=0.6575315343478081,
    metric="Spearman",
    source=(
        "split-half Spearman of ClickMe 1.0 (Fel et al. 2022), HUMAN_SPEARMAN_CEILING of "
        "serre-lab/Harmonization@ffe1c49; maps of 64 px blurred by a Gaussian (kernel 10 px, SD "
        "10 px); single people were not published, so a reference and not a bound"
    ),
    kind=CLICKME_1,
)
CO3D2025_CEILING = PublishedCeiling(
    name="published CO3D ceiling",
    value=0.4422303328731989,
    metric="Spearman",
    source=(
        "split-half Spearman of ClickMe 2.0 on CO3D with brush 11 (SD sqrt(11) px), train.py of "
        "serre-lab/co3d-harmonization-pytorch@04b708d; another blur than these maps, so a "
        "reference and not a bound"
    ),
    kind=CLICKME_2,
)
PUBLISHED_CEILINGS = (FEL2022_CEILING, CO3D2025_CEILING)


def published_ceilings(maps: HumanMaps, metric: str) -> tuple[PublishedCeiling, ...]:
    """Return the constants that were published for this kind of map and this metric."""
    return tuple(c for c in PUBLISHED_CEILINGS if c.belongs_to(maps) and c.metric == metric)
