"""Export of finished data sets in the layout of LeRobotDataset v3.0; LeRobot is not needed."""

from .export import LeRobotExport, export_lerobot
from .layout import LeRobotSettings

__all__ = ["LeRobotExport", "LeRobotSettings", "export_lerobot"]
