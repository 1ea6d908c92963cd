"""Numbers as people say them."""

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count_word(count: int) -> str:
    """Return a count in a word, up to ten."""
    return _WORDS[count] if count < len(_WORDS) else str(count)


def times(count: int) -> str:
    """Return ``once``, ``twice``, ``three times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count_word(count)} times")


def spoken_metres(length_m: float) -> str:
    """Return a length: to 0.1 m up to 3 m, to half a metre up to 10 m, to a metre beyond.

    Example:
        >>> [spoken_metres(length) for length in (0.02, 1.38, 4.7, 12.6)]
        ['0.1 m', '1.4 m', '4.5 m', '13 m']
    """
    if length_m < 3:
        return f"{max(round(length_m, 1), 0.1):g} m"
    return f"{round(2 * length_m) / 2 if length_m < 10 else round(length_m):g} m"


def spoken_speed(speed_m_s: float) -> str:
    """Return a speed to 0.1 m/s."""
    return f"{max(round(speed_m_s, 1), 0.1):g} m/s"


def spoken_angle(angle_deg: float) -> str:
    """Return the size of an angle to ten degrees."""
    return f"{10 * max(round(abs(angle_deg) / 10), 1)} degrees"
