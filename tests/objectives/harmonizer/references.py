"""Slow and obvious forms of what the harmonizer computes."""

import numpy as np


def same_convolution(image):
    """TensorFlow's SAME convolution, stride 2, from its documented arithmetic, in loops."""
    line = np.array([1, 4, 6, 4, 1]) / 16
    height, width = image.shape
    out_rows, out_columns = (height + 1) // 2, (width + 1) // 2
    before = [
        max((out - 1) * 2 + 5 - size, 0) // 2
        for out, size in ((out_rows, height), (out_columns, width))
    ]
    result = np.zeros((out_rows, out_columns))
    for i in range(out_rows):
        for j in range(out_columns):
            for k in range(5):
                for m in range(5):
                    row, column = 2 * i + k - before[0], 2 * j + m - before[1]
                    if 0 <= row < height and 0 <= column < width:
                        result[i, j] += line[k] * line[m] * image[row, column]
    return result


def standardised_cut(values, *, epsilon=1e-5):
    return np.maximum((values - values.mean()) / (values.std() + epsilon), 0)


def fel_loss(saliency, human, levels):
    """The TensorFlow reference on one pair of maps, step by step."""
    s, h = standardised_cut(saliency), standardised_cut(human)
    h = h / (h.max() + 1e-6) * (s.max() + 1e-6)
    losses = []
    for _ in range(levels):
        losses.append(np.mean((h - s) ** 2))
        s, h = same_convolution(s), same_convolution(h)
    return np.mean(losses)
