"""How an observer moves and looks: body, gait, gaze and eyes, at every instant of a clip."""

from .motion import ACTIVITIES, Motion
from .plan import plan_motion, plan_trajectory
from .trajectory import Trajectory

__all__ = ["ACTIVITIES", "Motion", "Trajectory", "plan_motion", "plan_trajectory"]
