"""The content hash of a scene, which data sets carry to say what they were rendered from."""

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    for name, tensor in sorted(scene.field.tensors().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
