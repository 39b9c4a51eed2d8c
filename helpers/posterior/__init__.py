"""Restoration by drawing: several answers to one damaged picture, and worlds whose exact posterior is known.

A posterior sampler is ``sample(y, operator, sigma, model, n, seed)`` and returns n pictures that could have left the
measurement y, shape ``(n, *model.shape)``. The model is the prior. Any object will do that has

- ``shape``, the height, width and channels of its pictures, and ``centre`` and ``spread``, mean and standard deviation
  of their pixels,
- ``schedule(steps)``, the noise levels to walk through: steps + 1 falling numbers, float32, of which the last is 0,
- ``denoiser(label, guidance, n)``, a function (x, t) -> x_hat for n pictures under noise of level t, through which
  gradients pass,
- for ``"gibbs"`` also ``choices``, how many values each condition has, and ``denoise(x, t, label)`` for arrays.

``helpers.models.diffusion.Diffusion`` is such a model, and so is a density whose denoiser is known in closed form. For
photographs there is no such model, but a denoiser, and it holds a prior too: :mod:`helpers.posterior.implicit`.
"""
