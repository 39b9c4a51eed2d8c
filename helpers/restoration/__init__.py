"""Classical restoration: from a measurement y = A(x) + n back to a picture, ``method(y, operator, sigma) -> x_hat``.

Each method is one objective and the algorithm that minimises it. The data decide through ``|A x - y|²``; where they
are silent the prior decides, and the methods differ in nothing but the prior:

====================== ======================================= ==================================================
method                 prior                                   algorithm
====================== ======================================= ==================================================
``least_squares``      none                                    conjugate gradients
``tikhonov``           small differences, squared              one division in the Fourier domain, or CG
``wiener``             Gaussian, power falls like 1/f^2.5      one division in the Fourier domain, or CG
``richardson_lucy``    none but x >= 0; noise is Poisson's     expectation maximisation, multiplicative
``total_variation``    few edges                               accelerated primal-dual, stops by the duality gap
``biharmonic``         small curvature                         CG, with multigrid for wide holes
``wavelet_shrinkage``  sparse wavelet coefficients             one transform, thresholds, back
``dct_shrinkage``      sparse cosines in every 8 × 8 patch     the same, on overlapping patches
``non_local_means``    patches repeat                          averages of similar patches
``plug_and_play``      whatever a denoiser believes            half-quadratic splitting
====================== ======================================= ==================================================

Where nobody knows the operator, ``blind_deconvolution`` finds a blur kernel as well as the picture.

All take y as float32 or float64 of shape (H, W) or (H, W, C), as ``operator.forward`` returns it, and give the picture
in the same type. ``sigma`` is the noise level in image units (25/255). With ``report=True`` they return the pair
(x_hat, :class:`Report`). A progress bar appears in a terminal when a run takes more than two seconds.

Default parameters come from a rule whose source is named, or were tuned on ``photos("train")``; no test picture was
looked at. Each family has a file of its own: ``quadratic``, ``poisson``, ``tv``, ``inpainting``, ``shrinkage`` and
``pnp``; ``blind`` finds kernels, ``noise`` estimates its level; ``common`` and ``linear`` hold what they share.
"""

from helpers.restoration.blind import (
    POINT,
    UNSURE,
    aligned_psnr,
    blind_deconvolution,
    estimate_kernel,
    kernel_agreement,
    kernel_correlation,
    kernel_radius,
)
from helpers.restoration.common import ROUNDING, WIDE_HOLE, Report, peak_memory
from helpers.restoration.inpainting import biharmonic
from helpers.restoration.noise import estimate_noise
from helpers.restoration.pnp import DENOISERS, LEAST_NOISE, MOST_NOISE, even_schedule, plug_and_play
from helpers.restoration.poisson import richardson_lucy
from helpers.restoration.quadratic import (
    AMPLITUDE,
    EXPONENT,
    GRADIENT_ENERGY,
    least_squares,
    tikhonov,
    wiener,
)
from helpers.restoration.shrinkage import dct_shrinkage, non_local_means, wavelet_shrinkage
from helpers.restoration.tv import total_variation

# In the order of the table, which is that of the API page.
__all__ = [  # noqa: RUF022
    "least_squares", "tikhonov", "wiener", "richardson_lucy", "total_variation", "biharmonic", "wavelet_shrinkage",
    "dct_shrinkage", "non_local_means", "plug_and_play", "blind_deconvolution", "estimate_kernel", "kernel_agreement",
    "kernel_correlation", "kernel_radius", "aligned_psnr",
    "estimate_noise", "even_schedule", "peak_memory", "Report", "AMPLITUDE", "DENOISERS",
    "EXPONENT", "GRADIENT_ENERGY", "LEAST_NOISE", "MEMORY_LIMIT", "MOST_NOISE", "POINT", "ROUNDING", "UNSURE",
    "WIDE_HOLE",
]

MEMORY_LIMIT = 4e9  # bytes: a method that would need more says so before it starts; raise it on a larger machine
