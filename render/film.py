"""From poses to pictures: what the eyes of a clip see, and what their optics make of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..scenes.scene import Scene
from .camera import Camera, rays_of
from .key import ClipKey
from .motion.motion import Motion
from .optics.develop import developed, quantised
from .optics.settings import OpticsSettings
from .optics.shutter import eyes_at, open_times, openness
from .optics.transfer import light_from_srgb
from .truth.ground_truth import Geometry
from .volume import RenderOptions, render_rays

RAYS_AT_ONCE = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Film:
    """A scene before a camera, and how it is rendered."""

    scene: Scene
    camera: Camera
    renderer: RenderOptions

    def exposed(
        self, motion: Motion, optics: OpticsSettings, key: ClipKey
    ) -> tuple[Tensor, Geometry]:
        """Return uint8 video ``[eye, time, 3, h, w]`` of a motion, and where things are in it.

        Geometry is that of the frames' instants, whatever the shutter.
        """
        eyes = motion.frames().world_from_eye
        if not optics.is_on:
            video, geometry = self._seen(eyes, quantised)
            return _channels_first(video), geometry
        light, geometry = self._seen(eyes, _light)
        time_s = open_times(motion, optics)
        if optics.shutter > 0:
            light = self._blurred(eyes_at(motion, time_s))
        frames_s = motion.course.time_s[:: motion.frame_every]
        video = developed(light, optics, key, frames_s, openness(motion, time_s))
        return _channels_first(video), geometry

    def _blurred(self, world_from_eye: np.ndarray) -> Tensor:
        """Return the mean light ``[eye, time, h, w, 3]`` of poses ``[eye, time, sub, 4, 4]``."""
        subs = world_from_eye.shape[2]
        light, _ = self._seen(world_from_eye[:, :, 0], _light)
        for sub in range(1, subs):
            light += self._seen(world_from_eye[:, :, sub], _light)[0]
        return light / subs

    def _seen(
        self, world_from_eye: np.ndarray, kept: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Geometry]:
        """Return what is kept of colours ``[eye, time, h, w, 3]``, and the geometry."""
        poses = world_from_eye.reshape(-1, 4, 4)
        at_once = max(1, RAYS_AT_ONCE // (self.camera.width * self.camera.height))
        colours, lengths = [], []
        for first in range(0, len(poses), at_once):
            some = poses[first : first + at_once]
            rays = rays_of(self.camera, some, device=self.renderer.device)
            seen = render_rays(self.scene, rays, self.renderer)
            # Nothing is read before all is asked for: a GPU then never waits for the next part.
            colours.append(kept(seen.rgb))
            lengths.append(torch.stack([seen.depth_median, seen.depth, seen.opacity]).float())
        shape = (*world_from_eye.shape[:2], self.camera.height, self.camera.width)
        depth, expected, opacity = torch.cat(lengths, dim=1).cpu().reshape(3, *shape)
        geometry = Geometry(depth=depth, expected_depth=expected, opacity=opacity)
        return torch.cat(colours).cpu().reshape(*shape, 3), geometry


def _light(colour: Tensor) -> Tensor:
    return light_from_srgb(colour.clamp(0, 1))


def _channels_first(video: Tensor) -> Tensor:
    return video.permute(0, 1, 4, 2, 3).contiguous()
