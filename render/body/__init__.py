"""What a moving body feels and does: vestibular signals, efference copies and touch."""

from .signals import BodySignals, body_signals

__all__ = ["BodySignals", "body_signals"]
