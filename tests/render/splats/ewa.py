"""Splatting as Gaussians are trained with it, slow and plain: another way to the same pictures.

Zwicker et al. 2001, "EWA Volume Splatting", equations 24 to 31; Kerbl et al. 2023, section 4 and
appendix C: each covariance is projected by the camera's derivative at the mean, widened by 0.3
square pixels, cut where it absorbs less than 1/255, and all are composited by the depth of means.
"""

import numpy as np
import torch


def ewa_picture(field, camera, world_from_camera, *, dilation=0.3, compensate=False):
    """Return rgb [h, w, 3] and opacity [h, w]; field and world coordinates are the same."""
    g = field.gaussians
    rotation, eye = world_from_camera[:3, :3].T, world_from_camera[:3, 3]
    offset = g.positions.double().numpy() - eye
    mean = offset @ rotation.T
    seen = (mean[:, 2] > 0.05) & (g.opacities.numpy() >= 1 / 255)
    mean, offset = mean[seen], offset[seen]
    opacity = g.opacities.double().numpy()[seen]
    x, y, z = mean.T
    jacobian = np.zeros((len(mean), 2, 3))
    jacobian[:, 0, 0], jacobian[:, 0, 2] = camera.fx / z, -camera.fx * x / z**2
    jacobian[:, 1, 1], jacobian[:, 1, 2] = camera.fy / z, -camera.fy * y / z**2
    half = jacobian @ rotation @ g.axes().numpy()[seen] * g.scales.double().numpy()[seen, None]
    plain = half @ half.transpose(0, 2, 1)
    wide = plain + dilation * np.eye(2)
    if compensate:
        opacity = opacity * np.sqrt(np.linalg.det(plain) / np.linalg.det(wide))
    inverse = np.linalg.inv(wide)
    colours = _colours(g, seen, offset)
    centre = np.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], axis=1)
    reach = np.sqrt(2 * np.log(np.maximum(255 * opacity, 1.0)))
    box = reach[:, None] * np.sqrt(wide[:, [0, 1], [0, 1]])
    size = np.array([camera.width, camera.height])
    low = np.clip(np.ceil(centre - box - 0.5), 0, size).astype(int)
    high = np.clip(np.floor(centre + box - 0.5) + 1, 0, size).astype(int)
    rgb, light = np.zeros((camera.height, camera.width, 3)), np.ones((camera.height, camera.width))
    for i in np.argsort(z, kind="stable"):
        if np.any(high[i] <= low[i]):
            continue
        part = np.s_[low[i, 1] : high[i, 1], low[i, 0] : high[i, 0]]
        dx = np.arange(low[i, 0], high[i, 0]) + 0.5 - centre[i, 0]
        dy = (np.arange(low[i, 1], high[i, 1]) + 0.5 - centre[i, 1])[:, None]
        (a, b), (_, d) = inverse[i]
        power = a * dx * dx + 2 * b * dx * dy + d * dy * dy
        alpha = np.minimum(opacity[i] * np.exp(-0.5 * power), 0.99)
        alpha[(alpha < 1 / 255) | (light[part] < 1e-4)] = 0
        rgb[part] += (light[part] * alpha)[..., None] * colours[i]
        light[part] *= 1 - alpha
    if field.background == "white":
        rgb += light[..., None]
    return rgb.clip(0, 1), 1 - light


def _colours(gaussians, seen, offset):
    directions = torch.from_numpy(np.zeros((len(seen), 3)))
    unit = offset / np.linalg.norm(offset, axis=1, keepdims=True)
    directions[torch.from_numpy(seen)] = torch.from_numpy(unit)
    return gaussians.colours(directions).numpy()[seen]


def psnr(found, expected):
    return float(-10 * np.log10(np.mean((np.asarray(found) - np.asarray(expected)) ** 2)))
