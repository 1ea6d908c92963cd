import pytest
from merkwelt.alignment.views.view_pairs import View

from .box_room import camera_at, room_view


@pytest.fixture(scope="session")
def box_views() -> tuple[View, View]:
    """Two views of the box, 35 degrees apart."""
    first = camera_at((2.2, -1.6, 1.5), (0.0, 0.0, 0.7))
    second = camera_at((2.5, 0.0, 1.2), (0.0, 0.1, 0.6))
    return room_view("left", first), room_view("right", second)
