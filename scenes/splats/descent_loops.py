"""Walking down a hierarchy of balls, compiled: what density and pictures of Gaussians share."""

# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

from numba import njit

from .hierarchy import FAN_OUT

STACK = 256
"""Nodes that can wait to be looked at; far more than a hierarchy of any size needs."""


@njit(cache=True)
def push_children(levels, nodes, waiting, level, node, starts):
    """Let a node's children wait to be looked at, the first on top; return how many wait."""
    first = node * FAN_OUT
    last = min(first + FAN_OUT, starts[level] - starts[level - 1])
    for child in range(last - 1, first - 1, -1):
        levels[waiting], nodes[waiting] = level - 1, child
        waiting += 1
    return waiting
