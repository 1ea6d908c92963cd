"""Binocular energy units: how far the eyes' pictures are shifted, by filters and squares alone."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .colour import Colours, colour_channels, colour_count, require_colours
from .front import clips_of_frames, frames_of_eyes, require_front
from .gabor import GaborPairs, GaborShape, sigma_along_px, size_px
from .pooling import pool, windowed

Shift = Literal["position", "phase", "both"]


@dataclass(frozen=True, kw_only=True)
class DisparityEnergyConfig:
    """Settings of ``DisparityEnergy``."""

    eyes: int = 2
    image_channels: int = 3
    disparities_px: tuple[int | float, ...] = (-2, -1, 0, 1, 2, 3, 4, 5, 6)
    """Preferred disparities ``x_left - x_right``, positive for near; whole pixels for position
    shifts."""
    frequencies: tuple[float, ...] = (0.125, 0.25)
    """Cycles per pixel along the carrier."""
    angles_deg: tuple[int | float, ...] = (-45, 0, 45)
    """Directions of the carrier; 0 answers vertical bars. A horizontal bar (90) has no horizontal
    disparity."""
    shift: Shift = "position"
    """Whether the right eye's receptive field lies elsewhere (position), has another phase (phase),
    or there are units of both kinds. Phases reach half a cycle and no further."""
    bandwidth_octaves: float = 1.4
    """Full bandwidth at half amplitude; a median of macaque V1 (De Valois, Albrecht & Thorell
    1982, Vision Research 22:545; recalled, not checked)."""
    sigma_px: float | None = None
    """Standard deviation of the envelope; replaces the bandwidth, at all frequencies."""
    size_px: int | None = None
    """Height and width of the filters, odd; by default three standard deviations each way."""
    colours: Colours = "grey"
    """``opponent`` adds a red-green and a blue-yellow channel, each with units of its own."""
    normalise: bool = True
    """Divide by the energy of the eyes apart (Fleet, Wagner & Heeger 1996)."""
    semi_saturation: float = 0.05
    """Contrast at which the normalised response reaches half of its most."""
    pool_px: int = 2
    """Side of the squares over which energies are averaged; the stride of what comes out."""
    append_left: bool = True
    """Give the left eye's picture as well, averaged over the same squares."""
    learnable: bool = False
    """Learn the filters, and the phases; places stay."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built, and preferences that the units cannot have."""
        require_front(self, eyes=(2,))
        require_colours(self.image_channels, self.colours)
        if not (self.disparities_px and self.frequencies and self.angles_deg):
            raise ValueError(f"expected disparities, frequencies and angles, got {self}")
        if min(self.frequencies) <= 0 or max(self.frequencies) > 0.5:
            raise ValueError(
                f"expected frequencies in (0, 0.5] cycles per pixel, got {self.frequencies}"
            )
        if self.size_px is not None and (self.size_px < 3 or self.size_px % 2 == 0):
            raise ValueError(f"expected an odd size_px of at least 3, got {self.size_px}")
        positive = (self.bandwidth_octaves, self.sigma_px or 1.0, self.semi_saturation)
        if min(positive) <= 0 or self.pool_px < 1:
            raise ValueError(
                "expected bandwidth_octaves, sigma_px and semi_saturation above 0 and pool_px of "
                f"at least 1, got {self}"
            )
        self._require_reachable()

    def _require_reachable(self) -> None:
        farthest = max(abs(each) for each in self.disparities_px)
        fastest = max(self.frequencies) * max(
            abs(math.cos(math.radians(a))) for a in self.angles_deg
        )
        if self.shift != "position" and farthest * fastest > 0.5 + 1e-9:
            raise ValueError(
                f"expected disparities within half a cycle ({0.5 / fastest:.3g} px) for phase "
                f"shifts, got {farthest} px: a phase beyond it prefers another disparity; use "
                "shift='position' or lower frequencies"
            )
        if self.shift != "phase" and any(each != round(each) for each in self.disparities_px):
            raise ValueError(
                f"expected whole pixels for position shifts, got {self.disparities_px}; use "
                "shift='phase'"
            )

    @property
    def mechanisms(self) -> tuple[Shift, ...]:
        """The kinds of units."""
        return ("position", "phase") if self.shift == "both" else (self.shift,)

    @property
    def units(self) -> int:
        """Units at each place."""
        groups = len(self.mechanisms) * len(self.frequencies) * len(self.angles_deg)
        return groups * colour_count(self.colours) * len(self.disparities_px)

    @property
    def out_channels(self) -> int:
        """Channels of what comes out."""
        return self.units + (self.image_channels if self.append_left else 0)

    def shapes(self) -> tuple[GaborShape, ...]:
        """Return the filters of each frequency."""
        sigmas = [
            self.sigma_px or sigma_along_px(frequency, self.bandwidth_octaves)
            for frequency in self.frequencies
        ]
        return tuple(
            GaborShape(
                frequency=frequency,
                sigma_along_px=sigma,
                sigma_across_px=sigma,
                size_px=self.size_px or size_px(sigma),
            )
            for frequency, sigma in zip(self.frequencies, sigmas, strict=True)
        )


class DisparityEnergy(nn.Module):
    """Disparity energy (Ohzawa, DeAngelis & Freeman 1990, Science 249:1037).

    A unit adds the answers of a quadrature pair in the left eye and of its partner in the right
    eye, squares both sums and adds them: with ``z`` the complex answer of a pair,
    ``|z_L(x) + exp(i phase) z_R(x - place)|^2``. Its partner lies ``place = d0`` to the left
    (position shift) or has the phase ``2 pi f cos(angle) d0`` (phase shift), so that it prefers
    the disparity ``x_left - x_right = d0`` (Fleet, Wagner & Heeger 1996, Vision Research 36:1839).

    Energies are averaged over squares of ``pool_px``. Normalised ones are divided by
    ``2 (|z_L|^2 + |z_R|^2) + semi_saturation^2`` and lie in [0, 1]: 1 for what matches, one half
    for what has nothing to do with each other, 0 for opposites and for a uniform field. Without
    normalisation a matching grating of full contrast gives 1.

    Channels: kind of shift, colour, frequency, angle, disparity (fastest); then the left picture.
    """

    phases: Tensor

    def __init__(self, config: DisparityEnergyConfig) -> None:
        """Build the filters; nothing is random."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        angles = [math.radians(each) for each in config.angles_deg]
        self.pairs = GaborPairs(config.shapes(), angles, learnable=config.learnable)
        phases = _phases_rad(config.frequencies, angles, config.disparities_px)
        if config.learnable and "phase" in config.mechanisms:
            self.phases = nn.Parameter(phases)
        else:
            self.register_buffer("phases", phases, persistent=False)

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch 1 time out_channel rows columns"]:
        """Return the energies of all units, and the left picture if it is to be kept."""
        left, right = frames_of_eyes(clips, self.config)
        energies = self.energies(left, right).flatten(1, 5)
        if self.config.append_left:
            energies = torch.cat([energies, self._pool(left)], dim=1)
        return clips_of_frames(energies, len(clips))

    def tuning(
        self,
        clips: Float[Tensor, "batch eye time channel height width"],
        *,
        window: int = 3,
    ) -> Float[Tensor, "batch time disparity rows columns"]:
        """Return the response to each disparity, pooled over all filters and a window.

        Energies are added over frequencies, angles, colours and neighbouring places before they
        are divided by the energy of the eyes apart, so that what is stronger counts for more. Each
        filter alone is ambiguous; the pool has one peak (Fleet, Wagner & Heeger 1996).

        Args:
            clips: values in [0, 1].
            window: side of the square of places that are added; odd.
        """
        left, right = frames_of_eyes(clips, self.config)
        energy, apart = (each.sum(dim=(1, 2, 3, 4)) for each in self._parts(left, right))
        floor = self.config.semi_saturation**2
        pooled = windowed(energy, window) / (2 * windowed(apart, window) + floor)
        return pooled.unflatten(0, (len(clips), -1))

    def energies(
        self,
        left: Float[Tensor, "frame channel height width"],
        right: Float[Tensor, "frame channel height width"],
    ) -> Float[Tensor, "frame shift colour frequency angle disparity rows columns"]:
        """Return energies of the units, pooled and normalised as configured."""
        energy, apart = self._parts(left, right)
        if not self.config.normalise:
            return energy
        return energy / (2 * apart + self.config.semi_saturation**2)

    def _parts(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled energies of the units, and of the eyes apart, axes as of ``energies``."""
        mine, others = self._partners(left, right)
        alone = self._pool(mine.square().sum(dim=4))
        apart = [[alone + self._pool(each.square().sum(dim=4)) for each in o] for o in others]
        both = [[self._pool((mine * each).sum(dim=4)) for each in o] for o in others]
        summed = _stacked(apart)
        # |a + b|^2 = |a|^2 + |b|^2 + 2 a b, which rounding may leave a little below 0.
        return (summed + 2 * _stacked(both)).clamp_min(0), summed

    def _partners(self, left: Tensor, right: Tensor) -> tuple[Tensor, list[list[Tensor]]]:
        """Return answers in the left eye, and for each kind of shift and disparity in the right."""
        places = [round(each) for each in self.config.disparities_px]
        mechanisms = self.config.mechanisms
        beyond_px = max(map(abs, places)) if "position" in mechanisms else 0
        mine, right_answers = self._answers(left), self._answers(right, beyond_px=beyond_px)
        width = mine.shape[-1]
        others = []
        if "position" in mechanisms:
            starts = [beyond_px - place for place in places]
            others.append([right_answers[..., start : start + width] for start in starts])
        if "phase" in mechanisms:
            here = right_answers[..., beyond_px : beyond_px + width]
            others.append([_turned(here, self.phases[..., i]) for i in range(len(places))])
        return mine, others

    def _answers(
        self, frames: Float[Tensor, "frame channel height width"], *, beyond_px: int = 0
    ) -> Float[Tensor, "frame colour frequency angle 2 height wide"]:
        colours = colour_channels(frames, self.config.colours)
        answers = self.pairs(colours.flatten(0, 1), beyond_px=beyond_px)
        return answers.unflatten(0, colours.shape[:2])

    def _pool(self, values: Tensor) -> Tensor:
        return pool(values, self.config.pool_px)


def _stacked(units: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(each, dim=4) for each in units], dim=1)


def _phases_rad(
    frequencies: tuple[float, ...], angles_rad: list[float], disparities_px: tuple[int | float, ...]
) -> Float[Tensor, "frequency angle disparity"]:
    """Return the phases by which the right eye's filters lead, ``2 pi f cos(angle) d0``."""
    across = [[f * math.cos(angle) for angle in angles_rad] for f in frequencies]
    return 2 * math.pi * torch.tensor(across).unsqueeze(-1) * torch.tensor(disparities_px).float()


def _turned(
    answers: Float[Tensor, "frame colour frequency angle 2 height width"],
    phases: Float[Tensor, "frequency angle"],
) -> Float[Tensor, "frame colour frequency angle 2 height width"]:
    """Return the answers of the same filters with their phases advanced."""
    cosine, sine = answers.unbind(dim=4)
    turn = phases.to(answers.dtype)[..., None, None]
    return torch.stack(
        [turn.cos() * cosine - turn.sin() * sine, turn.sin() * cosine + turn.cos() * sine], dim=4
    )
