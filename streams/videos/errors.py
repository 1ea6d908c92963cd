"""Why a recording gives no clips."""


class Unusable(ValueError):
    """A recording cannot be cut into clips; the message says why, and what to do."""
