/* From noise to a picture: the sampler of helpers/models/diffusion.py, step by step and with its names. */

"use strict";

/* Noise levels even in the time of DDPM's own process, whose noise grows by 0.1 + 19.9 t. */
function evenDiffusion(steps, highest) {
  const gone = Math.log1p((2 * highest) ** 2), last = (Math.sqrt(0.1 ** 2 + 2 * 19.9 * gone) - 0.1) / 19.9;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = last * (1 - i / steps);
    return Math.sqrt(Math.expm1(0.1 * t + 19.9 * t ** 2 / 2)) / 2;
  });
}

/* Noise levels even in the part t of noise in the mixture (1 - t) x₀ + t ε. */
function evenMixture(steps, highest) {
  const most = 2 * highest / (1 + 2 * highest);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = most * (1 - i / steps);
    return t / (1 - t) / 2;
  });
}

const SAMPLERS = {
  ddpm: { levels: evenDiffusion, eta: 1, order: 1 },
  ddim: { levels: evenDiffusion, eta: 0, order: 1 },
  heun: { levels, eta: 0, order: 2 },
  flow: { levels: evenMixture, eta: 0, order: 1 },
};

/* How often a picture runs through the network. */
function evaluations(sampler, steps, guidance) {
  const looks = SAMPLERS[sampler].order === 2 ? 2 * steps - 1 : steps;
  return looks * (guidance === 0 || guidance === 1 ? 1 : 2);
}

/* D(x, σ) for what is said of the picture, a list with -1 where it is left open; guidance exaggerates it. */
function guided(model, said, guidance) {
  const open = said.map(() => -1);
  if (guidance === 1 || said.every((value) => value < 0)) return (x, sigma) => denoise(model, x, sigma, said);
  if (guidance === 0) return (x, sigma) => denoise(model, x, sigma, open);
  return (x, sigma) => {
    const without = denoise(model, x, sigma, open), told = denoise(model, x, sigma, said);
    return tensor(x.shape, without.data.map((value, i) => value + guidance * (told.data[i] - value)));
  };
}

/* Yields at each level the noisy picture x and the clean one that the network sees in it; at the end both are x. */
function* walk(look, x, sigmas, { eta, order }, normal) {
  for (let step = 0; step + 1 < sigmas.length; step++) {
    const [now, after] = [sigmas[step], sigmas[step + 1]];
    const fresh = eta * after * Math.sqrt(1 - (after / now) ** 2), down = Math.sqrt(after ** 2 - fresh ** 2);
    const clean = look(x, now);
    yield { x, clean, sigma: now };
    let slope = x.data.map((value, i) => (value - clean.data[i]) / now);  // dx/dσ
    let there = tensor(x.shape, x.data.map((value, i) => value + (down - now) * slope[i]));
    if (order === 2 && down > 0) {
      const second = look(there, down);
      slope = slope.map((value, i) => (value + (there.data[i] - second.data[i]) / down) / 2);
      there = tensor(x.shape, x.data.map((value, i) => value + (down - now) * slope[i]));
    }
    if (fresh > 0) for (let i = 0; i < there.data.length; i++) there.data[i] += fresh * normal();
    x = there;
  }
  yield { x, clean: x, sigma: sigmas.at(-1) };
}

/* The walk of one picture, from noise at the highest level on. */
function sample(model, said, { sampler, steps, guidance }, normal) {
  const { settings: { centre, highest }, denoiser } = model, how = SAMPLERS[sampler];
  const x = tensor([1, ...denoiser.list.layers[0].shape]);
  for (let i = 0; i < x.data.length; i++) x.data[i] = centre + highest * normal();
  return walk(guided(model, said, guidance), x, how.levels(steps, highest), how, normal);
}
