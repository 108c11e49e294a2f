"""The check that every model makes of the latent points it is given."""

from torch import Tensor

from alloop.errors import ModelError


def require_latent_points(z: Tensor, n_latents: int) -> None:
    """Check points that are to be decoded or predicted at.

    Raises:
        ModelError: if z is not finite floating-point numbers of shape (n, n_latents).
    """
    is_of_shape = z.ndim == 2 and z.shape[1] == n_latents
    if not is_of_shape or not z.is_floating_point() or not bool(z.isfinite().all()):
        raise ModelError(
            f"latent points of shape {tuple(z.shape)} and type {z.dtype} cannot be decoded; "
            f"they are finite floating-point numbers of shape (n, {n_latents})"
        )
