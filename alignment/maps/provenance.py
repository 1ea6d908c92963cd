"""What maps are and where they come from, carried along when they change their form."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Kind, source and licence in words. Published constants belong to a kind of map."""

    kind: str
    source: str
    licence: str


CLICKME_1 = Provenance(
    kind="ClickMe 1.0 maps",
    source="ClickMe 1.0 (Linsley et al. 2019; Fel et al. 2022) on ImageNet images",
    licence="no licence is stated for the maps; images: ImageNet, non-commercial research",
)
CLICKME_2 = Provenance(
    kind="ClickMe 2.0 click maps",
    source=(
        "ClickMe 2.0 on renders of CO3D objects (serre-lab; images from CO3D through PeRFception)"
    ),
    licence="research use; the images derive from CO3D, CC BY-NC 4.0",
)
CLICKME_2_PROCESSED = Provenance(
    kind=CLICKME_2.kind,
    source="processed ClickMe 2.0 (serre-lab/human_clickme_data_processing)",
    licence="no licence is stated for the maps; images: CO3D, CC BY-NC 4.0, or ImageNet",
)
PSEUDO_CLICKME = Provenance(
    kind="Pseudo_ClickMe maps",
    source="Pseudo_ClickMe (serre-lab)",
    licence=CLICKME_1.licence,
)
