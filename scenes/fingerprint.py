"""The content hash of a scene, which data sets carry to say what they were rendered from."""

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .field import Field
    from .scene import Scene


def scene_fingerprint(scene: "Scene") -> str:
    """Return a SHA-256 over the field's weights and every card entry that changes a rendering.

    Names, licences, photographs and measured figures may change without changing the hash.
    """
    card = scene.card
    digest = hashlib.sha256()
    field = [card.field_kind, dict(card.field_config)]
    scale = [card.metres_per_unit, card.world_from_field]
    geometry = [card.bounds, card.floor_height, card.world_from_training_camera]
    geometry += [card.world_from_viewpoint] if card.world_from_viewpoint else []
    objects = [[o.name, o.box.centre_m, o.box.size_m, o.box.yaw_rad] for o in card.objects]
    digest.update(json.dumps([field, scale, geometry, objects], sort_keys=True).encode())
    _add_tensors(digest, scene.field)
    return digest.hexdigest()


def field_fingerprint(field: "Field") -> str:
    """Return a SHA-256 over a field's weights."""
    digest = hashlib.sha256()
    _add_tensors(digest, field)
    return digest.hexdigest()


def fast_fingerprint(scene: "Scene") -> str:
    """Return a SHA-256 over a scene's render-ready form, and over all that leads bodies through it.

    Paths are planned in the field itself, so the scene's own fingerprint is part of it.
    """
    digest = hashlib.sha256(scene_fingerprint(scene).encode())
    bricks = scene.bricks
    digest.update(json.dumps(bricks.description(), sort_keys=True).encode())
    for name, array in sorted(bricks.arrays().items()):
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _add_tensors(digest: "hashlib._Hash", field: "Field") -> None:
    for name, tensor in sorted(field.tensors().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
