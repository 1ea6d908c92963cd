"""PredNet written a second time, in numpy and float64, gate by gate, from the paper's equations."""

import numpy as np


def predict_all(weights, clip, *, pixel_max=1.0):
    """Return predictions, mean errors and representations of a clip.

    Args:
        weights: of each layer a dict of ``(kernel [out, in, 3, 3], bias)`` named i, f, o, g, ahat
            and, below the top, a.
        clip: ``[time, channel, row, column]``.
        pixel_max: highest prediction at layer 0.
    """
    layers = len(weights)
    r, c, e = _zeros(weights, clip)
    predictions, errors, seen = [], [], []
    for frame in clip:
        r, c = _top_down(weights, r, c, e)
        a, mean_errors = frame, []
        for layer in range(layers):
            ahat = np.maximum(_conv(weights[layer]["ahat"], r[layer]), 0)
            if layer == 0:
                ahat = np.minimum(ahat, pixel_max)
                predictions.append(ahat)
            e[layer] = np.concatenate([np.maximum(ahat - a, 0), np.maximum(a - ahat, 0)])
            mean_errors.append(e[layer].mean())
            if layer < layers - 1:
                a = _halved(np.maximum(_conv(weights[layer]["a"], e[layer]), 0))
        errors.append(mean_errors)
        following, _ = _top_down(weights, r, c, e)
        seen.append(following)
    return np.stack(predictions), np.array(errors), seen


def _zeros(weights, clip):
    _, height, width = clip[0].shape
    r, e = [], []
    for layer, each in enumerate(weights):
        size = (height // 2**layer, width // 2**layer)
        r.append(np.zeros((each["i"][0].shape[0], *size)))
        e.append(np.zeros((2 * each["ahat"][0].shape[0], *size)))
    return r, [each.copy() for each in r], e


def _top_down(weights, r, c, e):
    r, c = list(r), list(c)
    for layer in reversed(range(len(weights))):
        parts = [r[layer], e[layer]]
        if layer < len(weights) - 1:
            parts.append(r[layer + 1].repeat(2, axis=1).repeat(2, axis=2))
        inputs = np.concatenate(parts)
        i, f, o = (np.clip(0.2 * _conv(weights[layer][k], inputs) + 0.5, 0, 1) for k in "ifo")
        c[layer] = f * c[layer] + i * np.tanh(_conv(weights[layer]["g"], inputs))
        r[layer] = o * np.tanh(c[layer])
    return r, c


def _conv(kernel_and_bias, image):
    """Return the cross-correlation with zeros around the image, pixel by pixel."""
    kernel, bias = kernel_and_bias
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    out = np.empty((len(kernel), height, width))
    for row in range(height):
        for column in range(width):
            window = padded[:, row : row + 3, column : column + 3]
            out[:, row, column] = (kernel * window).sum(axis=(1, 2, 3)) + bias
    return out


def _halved(image):
    channels, height, width = image.shape
    return image.reshape(channels, height // 2, 2, width // 2, 2).max(axis=(2, 4))
