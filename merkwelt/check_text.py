"""A scene's check as text for the terminal."""

from .console import OUT
from .scene_check import PathCheck, SceneCheck


def print_check(check: SceneCheck) -> None:
    """Print PSNR and SSIM of every view, exact and fast side by side, and the speeds."""
    fast = check.fast.scores if check.fast else [None] * len(check.exact.scores)
    if check.fast:
        OUT.print(f"{'':40s} {'exact':>9s}   {'':10s}   {'fast':>9s}")
    for exact, quick in zip(check.exact.scores, fast, strict=True):
        beside = "" if quick is None else f"   {quick.psnr_db:6.2f} dB   SSIM {quick.ssim:.3f}"
        OUT.print(f"{exact.name:40s} {exact.psnr_db:6.2f} dB   SSIM {exact.ssim:.3f}{beside}")
    mean = f"mean of {len(check.exact.scores)} held-out views"
    beside = "" if check.fast is None else f"   {_figures(check.fast)}"
    OUT.print(f"{mean:40s} {_figures(check.exact)}{beside}")
    if check.fast is not None:
        exact, quick = check.exact, check.fast
        OUT.print(
            f"{'rays per second':40s} {exact.rays_per_s:9.0f}   {'':10s}   {quick.rays_per_s:9.0f}"
            f"   {quick.rays_per_s / exact.rays_per_s:.1f} times as fast"
        )
        OUT.print(f"{'fast beside exact':40s} {check.fast_to_exact_db:6.2f} dB")
    OUT.print(f"side by side: {check.picture}")


def _figures(check: PathCheck) -> str:
    return f"{check.psnr_db:6.2f} dB   SSIM {check.ssim:.3f}"
