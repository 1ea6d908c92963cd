"""A clip's body signals as a member of a shard, and back: a Parquet table, one row an instant.

Times are float64, all else float32: its error, 6e-8 of a value, is far below any sense's, and bytes
of equal weight stored side by side take 0.4 times the room of float64.
"""

import io
from collections.abc import Mapping

import numpy as np

from ..render.body.canals import CANALS
from ..render.body.contact import CONTACTS
from ..render.body.efference import ANGLES
from ..render.body.signals import BodySignals
from .truth_members import EYES

SIGNALS = "signals.parquet"
FRAME = (
    "head: x right, y down, z forward, origin midway between the eyes; azimuth and yaw positive to "
    "the left, elevation and pitch upwards, torsion and roll right side down"
)
_ROW_COLUMNS: dict[str, tuple[str, ...]] = {
    "time_s": ("time_s",),
    "angular_velocity_rad_s": tuple(f"angular_velocity_{axis}_rad_s" for axis in "xyz"),
    "specific_force_m_s2": tuple(f"specific_force_{axis}_m_s2" for axis in "xyz"),
    "canals_rad_s": tuple(f"canal_{canal}_rad_s" for canal in CANALS),
    "otoliths_m_s2": tuple(f"otolith_{axis}_m_s2" for axis in "xyz"),
    "neck_rad": ("neck_yaw_rad", "neck_pitch_rad", "neck_roll_rad"),
    "stride_phase_rad": ("stride_phase_rad",),
    "speed_m_s": ("speed_m_s",),
    "ground_contact": tuple(f"{part}_on_ground" for part in CONTACTS),
}
"""Fields of ``BodySignals`` with a value, or several, at each instant."""
_EYE_COLUMNS: dict[str, tuple[str, ...]] = {
    f"eye_in_head_{unit}": tuple(f"eye_{angle}_{unit}" for angle in ANGLES)
    for unit in ("rad", "rad_s")
}
"""Those of each eye; its name comes before."""


def encode_signals(signals: BodySignals) -> bytes:
    """Return body signals as the bytes of a Parquet file; equal signals give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, np.ndarray] = {}
    for field, names in _ROW_COLUMNS.items():
        values = getattr(signals, field).reshape(len(signals.time_s), -1)
        columns |= dict(zip(names, values.T, strict=True))
    for field, names in _EYE_COLUMNS.items():
        for eye, values in zip(EYES, getattr(signals, field), strict=False):
            columns |= {f"{eye}_{n}": v for n, v in zip(names, values.T, strict=True)}
    table = pa.table({name: _stored(name, values) for name, values in columns.items()})
    said = {"frame": FRAME, "rate_hz": f"{signals.rate_hz:.9g}"}
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(said),
        buffer,
        compression="zstd",
        use_dictionary=False,
        use_byte_stream_split=[n for n, v in columns.items() if v.dtype != np.bool_],  # type: ignore[arg-type]
    )
    return buffer.getvalue()


def decode_signals(members: Mapping[str, bytes]) -> BodySignals:
    """Return the body signals of a clip."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(members[SIGNALS]))
    columns = {name: table[name].to_numpy() for name in table.column_names}
    eyes = [eye for eye in EYES if f"{eye}_{_EYE_COLUMNS['eye_in_head_rad'][0]}" in columns]
    fields = {
        field: columns[names[0]]
        if names == (field,)
        else np.stack([columns[name] for name in names], axis=1)
        for field, names in _ROW_COLUMNS.items()
    }
    for field, names in _EYE_COLUMNS.items():
        of_eyes = [np.stack([columns[f"{eye}_{n}"] for n in names], axis=1) for eye in eyes]
        fields[field] = np.stack(of_eyes)
    return BodySignals(**fields)


def _stored(name: str, values: np.ndarray) -> np.ndarray:
    exact = name == "time_s" or values.dtype == np.bool_
    return np.ascontiguousarray(values if exact else values.astype(np.float32))
