"""Which imperfections pictures have; none by default."""

import math
from dataclasses import dataclass, fields

_SIGNED = ("exposure_stops", "warmth_stops")


@dataclass(frozen=True, kw_only=True)
class OpticsSettings:
    """Exposure, colour of light, noise, blur and lids; what is 0 is off.

    Random parts are drawn from a clip's own key, each from a stream of its own: turning one on
    changes none of the others. Both eyes share all but the noise.
    """

    exposure_stops: float = 0.0
    """Exposure of every clip: one stop more is twice the light."""
    exposure_spread_stops: float = 0.0
    """Standard deviation of the exposure between clips."""
    drift_stops: float = 0.0
    """Standard deviation of a slow drift of exposure within a clip."""
    drift_s: float = 2.0
    """Time over which the drift is correlated."""
    adaptation: float = 0.0
    """Share from 0 to 1 of a change in the scene's light, in stops, that exposure makes up for."""
    adaptation_s: float = 0.5
    """Time constant of that."""
    warmth_stops: float = 0.0
    """Red over blue, in stops; the luminance of grey stays."""
    warmth_spread_stops: float = 0.0
    """Standard deviation of the warmth between clips."""
    shot_noise: float = 0.0
    """Standard deviation of shot noise at white, as a share of white: 1 / sqrt(full well)."""
    read_noise: float = 0.0
    """Standard deviation of read noise, as a share of white."""
    shutter: float = 0.0
    """Share from 0 to 1 of the time between frames for which the shutter is open."""
    sub_frames: int = 8
    """Pictures that are averaged while the shutter is open."""
    lids: bool = False
    """Blinks darken the picture."""

    def __post_init__(self) -> None:
        """Refuse what no optics can do."""
        for f in fields(self):
            value = getattr(self, f.name)
            if not math.isfinite(value) or (f.name not in _SIGNED and value < 0):
                raise ValueError(
                    f"expected optics.{f.name} to be "
                    f"{'finite' if f.name in _SIGNED else 'finite and at least 0'}, got {value}"
                )
        for name in ("adaptation", "shutter"):
            if getattr(self, name) > 1:
                raise ValueError(
                    f"expected optics.{name} between 0 and 1, got {getattr(self, name)}"
                )
        if self.sub_frames < 1 or self.drift_s == 0 or self.adaptation_s == 0:
            raise ValueError(
                "expected at least one sub-frame and positive times, got "
                f"sub_frames={self.sub_frames}, drift_s={self.drift_s}, "
                f"adaptation_s={self.adaptation_s}"
            )

    @property
    def is_on(self) -> bool:
        """Whether pictures differ from those without optics."""
        return any(getattr(self, name) for name in _SWITCHES)


_SWITCHES = (
    "exposure_stops",
    "exposure_spread_stops",
    "drift_stops",
    "adaptation",
    "warmth_stops",
    "warmth_spread_stops",
    "shot_noise",
    "read_noise",
    "shutter",
    "lids",
)
