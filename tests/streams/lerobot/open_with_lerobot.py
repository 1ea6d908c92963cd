"""Opens a data set with the package lerobot and writes what it reads to an .npz file.

    python open_with_lerobot.py FOLDER ITEMS.npz pyav|torchcodec

Runs in an interpreter that has lerobot, which need not have merkwelt: their pins of torch differ.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main(folder: Path, target: Path, backend: str) -> None:
    data = LeRobotDataset("merkwelt/exported", root=folder, video_backend=backend)
    second = 1 / data.fps
    ahead = LeRobotDataset(
        "merkwelt/exported",
        root=folder,
        video_backend=backend,
        delta_timestamps={"action": [0.0, second], "observation.images.left": [-second, 0.0]},
    )
    only = LeRobotDataset("merkwelt/exported", root=folder, video_backend=backend, episodes=[1])
    items = [data[place] for place in range(len(data))]
    arrays = {
        key: np.stack([item[key].numpy() for item in items]) for key in items[0] if key != "task"
    }
    arrays["task"] = np.array([item["task"] for item in items])
    arrays["two_actions"] = ahead[0]["action"].numpy()
    arrays["two_actions_pad"] = ahead[len(ahead) - 1]["action_is_pad"].numpy()
    arrays["two_pictures"] = ahead[1]["observation.images.left"].numpy()
    arrays["only"] = only[0]["observation.images.right"].numpy()
    arrays["only_index"] = np.array([only[place]["index"].item() for place in range(len(only))])
    for key, stats in data.meta.stats.items():
        for name, value in stats.items():
            arrays[f"stats/{key}/{name}"] = np.asarray(value)
    arrays["counts"] = np.array([data.num_episodes, data.num_frames, data.meta.total_tasks])
    arrays["version"] = np.array(version("lerobot"))
    np.savez(target, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
