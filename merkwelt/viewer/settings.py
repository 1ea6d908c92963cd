"""What the viewer shows, and how finely."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from ..render.camera import PinholeCamera
from ..render.render_clip import ClipSettings
from ..render.volume import RenderOptions, RenderPath


@dataclass(frozen=True, kw_only=True)
class ViewSettings:
    """How clips are planned and how large pictures and points are.

    A clip is the one that ``merkwelt render`` makes of the same scene, observer, seed, frames,
    frame rate, field of view and path.
    """

    frames: int = 16
    """Frames of a clip."""
    frame_rate_hz: float = 10.0
    hfov_deg: float = 65.0
    """Field of view of each eye."""
    size: int = 128
    """Width and height in pixels of what each eye sees."""
    path: Annotated[RenderPath, tyro.conf.arg(name="renderer.path")] = "exact"
    """How eyes see: exactly, or through the scene's fast form."""
    points: int = 300_000
    """The scene is shown as at most so many points."""

    def __post_init__(self) -> None:
        """Refuse what no clip can have."""
        if self.points < 1:
            raise ValueError(f"expected at least one point, got {self.points}")
        self.clip_settings(stereo=True)

    def clip_settings(self, *, stereo: bool) -> ClipSettings:
        """Return what is asked of a clip."""
        return ClipSettings(
            frames=self.frames,
            size=self.size,
            frame_rate_hz=self.frame_rate_hz,
            hfov_deg=self.hfov_deg,
            depth=False,
            stereo=stereo,
            renderer=RenderOptions(path=self.path),
        )

    @property
    def camera(self) -> PinholeCamera:
        """The camera of either eye."""
        camera = self.clip_settings(stereo=True).camera
        assert isinstance(camera, PinholeCamera)
        return camera
