"""The shape of a PredNet."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PredNetConfig:
    """The shape of a ``PredNet``; the default has 0.44 M parameters.

    Lotter, Kreiman & Cox (2016) used ``eyes=1`` and ``widths=(48, 96, 192)`` on KITTI: 6,915,948
    parameters.
    """

    eyes: int = 2
    """1 or 2. Both eyes' channels are concatenated at layer 0."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    widths: tuple[int, ...] = (12, 24, 48)
    """Channels of the targets ``A_l`` above the frame itself, from layer 1 up."""
    representation_widths: tuple[int, ...] | None = None
    """Channels of the representations ``R_l`` from layer 0 up; None takes those of ``A_l``."""
    pixel_max: float = 1.0
    """Predictions of pixels are cut off above this."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        if self.eyes not in (1, 2):
            raise ValueError(f"expected eyes to be 1 or 2, got {self.eyes}")
        if min(self.image_channels, *self.widths, *(self.representation_widths or ()), 1) < 1:
            raise ValueError(f"expected only positive numbers of channels, got {self}")
        if len(self.representations) != len(self.targets):
            raise ValueError(
                f"expected {len(self.targets)} representation_widths, one for the frame and one "
                f"for each of widths {self.widths}, got {self.representation_widths}"
            )
        if self.pixel_max <= 0:
            raise ValueError(f"expected pixel_max above 0, got {self.pixel_max}")

    @property
    def targets(self) -> tuple[int, ...]:
        """Channels of ``A_l``, from layer 0 up."""
        return (self.eyes * self.image_channels, *self.widths)

    @property
    def representations(self) -> tuple[int, ...]:
        """Channels of ``R_l``, from layer 0 up."""
        return self.targets if self.representation_widths is None else self.representation_widths

    @property
    def size_divisor(self) -> int:
        """What height and width of frames must be divisible by: each layer halves them."""
        return 2 ** len(self.widths)
