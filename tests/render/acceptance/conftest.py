"""Motion that is known in closed form."""

import numpy as np
import pytest
from merkwelt.render.motion.motion import ACTIVITIES, Motion
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.render.rigid import direction_from_angles, rotation_from_angles, transform

RATE_HZ = 200.0


@pytest.fixture(scope="session")
def motion_of():
    """A function that makes a motion of what is given and stands still otherwise."""

    def made(seconds=10.0, **given):
        n = round(seconds * RATE_HZ) + 1
        time_s = np.arange(n) / RATE_HZ
        zero = np.zeros(n)
        known = {"position": np.tile([0.0, 0.0, 1.6], (n, 1)), "yaw": zero, "pitch": zero}
        known |= {"roll": zero, "heading": zero, "gaze_yaw": zero, "gaze_pitch": zero}
        known |= {"blink": zero > 0, "activity": "walking", "vergence_rad": 0.0}
        known |= {name: of(time_s) if callable(of) else of for name, of in given.items()}
        head = transform(
            rotation_from_angles(known["yaw"], known["pitch"], known["roll"]), known["position"]
        )
        gaze = direction_from_angles(known["gaze_yaw"], known["gaze_pitch"])
        half = known["vergence_rad"] / 2
        eyes = []
        for side in (-1, 1):
            axes = rotation_from_angles(known["gaze_yaw"] + side * half, known["gaze_pitch"])
            centre = known["position"] + side * 0.0315 * head[:, :3, 0]
            eyes.append(transform(axes, centre))
        target = known.get("target", known["position"] + 2.0 * gaze)
        activity = np.full(n, ACTIVITIES.index(known["activity"]), dtype=np.int8)
        return Motion(
            course=Trajectory(
                time_s=time_s,
                world_from_head=head,
                world_from_eye=np.stack(eyes),
                gaze_target=np.broadcast_to(target, (n, 3)),
                fixation_id=np.zeros(n, dtype=np.int64),
                saccade=np.zeros(n, dtype=bool),
                blink=known["blink"],
                gait_phase_rad=zero,
            ),
            heading_rad=known["heading"],
            speed=zero,
            activity=activity,
            frame_every=10,
        )

    return made
