"""Disparity and flow measured on pictures by OpenCV, which knows nothing of the renderer."""

import cv2
import numpy as np

WINDOW_PX = 15
MARGIN_PX, SPACING_PX = 12, 6
"""Of the points at which displacements are measured: windows lie inside the picture."""


def disparity_sgbm_px(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return dense disparity ``[height, width]`` by semi-global matching, NaN where unsure."""
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=32,
        blockSize=5,
        P1=200,
        P2=800,
        uniquenessRatio=10,
        mode=cv2.STEREO_SGBM_MODE_HH,
    )
    found = matcher.compute(left, right).astype(np.float64) / 16
    return np.where(found > 0, found, np.nan)


def flow_dis_px(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return dense flow ``[height, width, xy]`` by DIS."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    return flow.calc(first, second, None).astype(np.float64)  # type: ignore[call-overload]


def moved_lk_px(first: np.ndarray, second: np.ndarray, guess_px: np.ndarray) -> np.ndarray:
    """Return displacements ``[height, width, xy]`` by Lucas and Kanade, on a grid of points.

    Starts at the guess ``[height, width, xy]``; NaN elsewhere.
    """
    inside = [slice(MARGIN_PX, length - MARGIN_PX, SPACING_PX) for length in first.shape]
    rows, columns = (places.ravel() for places in np.mgrid[inside[0], inside[1]])
    there = np.isfinite(guess_px[rows, columns]).all(-1)
    rows, columns = rows[there], columns[there]
    result = np.full(guess_px.shape, np.nan)
    if not len(rows):
        return result
    # The guess is of a pixel's centre, which for OpenCV has whole coordinates.
    start = np.ascontiguousarray(np.stack([columns, rows], -1), np.float32)
    end = np.ascontiguousarray(start + guess_px[rows, columns], np.float32)
    found, ok, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        start,
        end,
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=0,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-3),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    good = ok.ravel() == 1
    result[rows[good], columns[good]] = (found - start)[good]
    return result
