"""Which of an encoder's named maps an objective works on."""

from .objective import FeatureShapes


def chosen_map(shapes: FeatureShapes, name: str | None) -> str:
    """Return the name of a map that the encoder has; None stands for its deepest.

    Raises:
        ValueError: the encoder has no map of this name.
    """
    if name is None:
        return list(shapes.map_channels)[-1]
    if name not in shapes.map_channels:
        raise ValueError(
            f"expected map_name to be one of the encoder's maps {list(shapes.map_channels)}, "
            f"got {name!r}"
        )
    return name
