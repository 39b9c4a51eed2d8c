/* Five ways to restore a digit, with the course's networks: what helpers/models and helpers/posterior do in Python.

   A measurement is { y, mask, sigma }: 784 pixels, zero where one is lost; ones where one is known; the noise level. */

"use strict";

const PIXELS = 784, CLASSES = 10, SIDES = [28, 28, 1];
const GENERATOR_ERROR = 0.15;  // as in helpers/models/vae.py
const clip = (x) => Math.min(Math.max(x, 0), 1);
const identity = (n) => tensor([n, n], Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) ? 0 : 1)));

/* n copies of a picture, as one batch. */
function copies(x, n) {
  const batch = tensor([n, ...SIDES]);
  for (let i = 0; i < n; i++) batch.data.set(x, i * PIXELS);
  return batch;
}

/* y, mask and noise level, side by side in each pixel. */
function damaged({ y, mask, sigma }) {
  const x = tensor([1, 28, 28, 3]);
  for (let i = 0; i < PIXELS; i++) x.data.set([y[i], mask[i], sigma], 3 * i);
  return x;
}

/* Of pixels that are known without noise the data are sure. */
function keepKnown(x, { y, mask, sigma }) {
  return x.map((value, i) => clip(mask[i] > 0 && sigma === 0 ? y[i] : value));
}

/* The odds of the ten classes for each picture of a batch, as rows. */
function read(models, batch) {
  const [logits] = models.classifier.classifier.run([batch]);
  const odds = softmax(logits).data;
  return Array.from({ length: batch.shape[0] }, (_, i) => Array.from(odds.subarray(i * CLASSES, (i + 1) * CLASSES)));
}

/* A network that was trained on pairs of damaged and whole digits. */
function restorer(models, measurement) {
  const [x] = models.restorer.restorer.run([damaged(measurement)]);
  return keepKnown(x.data, measurement);
}

/* The VAE fills in what is missing, looks at the result, fills in again; once for each class, and the class stays that
   explains best. (Vae.restore in helpers/models/vae.py) */
function vae(models, measurement, rounds = 10) {
  const { y, mask, sigma } = measurement, { encoder, decoder } = models.vae, classes = identity(CLASSES);
  const spread = GENERATOR_ERROR ** 2 + sigma ** 2;
  const trust = mask.map((known) => known * GENERATOR_ERROR ** 2 / spread);
  const x = copies(y.map(clip), CLASSES);
  let mean, drawn;
  for (let round = 0; round < rounds; round++) {
    [mean] = encoder.run([x, classes]);
    [drawn] = decoder.run([mean, classes]);
    for (let i = 0; i < x.data.length; i++) {
      const d = drawn.data[i], k = i % PIXELS;
      x.data[i] = clip(d + trust[k] * (y[k] - d));
    }
  }
  const costs = Array.from({ length: CLASSES }, (_, c) => {
    let cost = 0;
    for (let i = 0; i < PIXELS; i++) cost += mask[i] * (drawn.data[c * PIXELS + i] - y[i]) ** 2 / (2 * spread);
    const width = mean.shape[1];
    for (let i = 0; i < width; i++) cost += mean.data[c * width + i] ** 2 / 2;
    return cost;
  });
  const best = costs.indexOf(Math.min(...costs));
  return x.data.slice(best * PIXELS, (best + 1) * PIXELS);
}

/* The GAN's generator draws the digit that an encoder guesses behind the damage. (Inverter.restore with steps=0) */
function gan(models, measurement) {
  const { encoder } = models.inverter, input = damaged(measurement);
  const [logits] = encoder.run([input, tensor([1, CLASSES])]);
  const label = tensor([1, CLASSES]);
  label.data[logits.data.indexOf(Math.max(...logits.data))] = 1;
  const [, mean] = encoder.run([input, label]);
  const [x] = models.gan.generator.run([mean, label]);
  return keepKnown(x.data, measurement);
}

/* The clean pictures that a diffusion model guesses behind noise of level t. (Diffusion.denoise_tensor) */
function denoise(models, x, t) {
  const { denoiser, settings: { centre, spread } } = models["diffusion-digits"];
  const n = x.shape[0], total = Math.sqrt(t ** 2 + spread ** 2);
  const level = tensor([n], new Float32Array(n).fill(Math.log(Math.max(t, 1e-4)) / 4));
  const unsaid = tensor([n, 2], new Float32Array(2 * n).fill(-1));
  const [inside] = denoiser.run([tensor(x.shape, x.data.map((value) => (value - centre) / total)), level, unsaid]);
  const kept = (spread / total) ** 2, correction = t * spread / total;
  return tensor(x.shape, x.data.map((value, i) => centre + kept * (value - centre) + correction * inside.data[i]));
}

/* Falling noise levels, even in their seventh root; the last is 0. (levels("heun", …) in helpers/models/diffusion.py) */
function levels(steps, highest, lowest = 0.004) {
  const [from, to] = [highest, Math.min(lowest, highest)].map((level) => level ** (1 / 7));
  return [...Array.from({ length: steps }, (_, i) => (from + (to - from) * i / (steps - 1)) ** 7), 0];
}

/* RePaint: a walk from noise to n pictures, in which the known pixels are put in their place at each level, and each
   step is taken several times. Yields the guess of the clean pictures at each step. Below the noise of the measurement
   nothing more is known, and if nothing is lost the walk begins there, at y itself. */
function* repaint(models, { y, mask, sigma }, n, normal, steps = 20, jumps = 5) {
  const { settings: { centre, highest } } = models["diffusion-digits"];
  const whole = sigma > 0 && mask.every((known) => known > 0);
  const sigmas = levels(steps, whole ? sigma : highest);
  const x = whole ? copies(y, n) : tensor([n, ...SIDES]);
  if (!whole) for (let i = 0; i < x.data.length; i++) x.data[i] = centre + sigmas[0] * normal();
  for (let step = 0; step < steps; step++) {
    const [t, after] = [sigmas[step], sigmas[step + 1]], kept = (after / t) ** 2;
    const told = !whole && after >= sigma;
    for (let jump = 1; ; jump++) {
      const clean = denoise(models, x, t);
      const [fresh, seen] = [0, 1].map(() => Float32Array.from(x.data, () => (after > 0 ? normal() : 0)));
      for (let i = 0; i < x.data.length; i++) {
        const k = i % PIXELS;
        x.data[i] = told && mask[k] > 0 ? y[k] + Math.sqrt(after ** 2 - sigma ** 2) * seen[i]
          : clean.data[i] + kept * (x.data[i] - clean.data[i]) + Math.sqrt(1 - kept) * after * fresh[i];
      }
      if (jump >= jumps || !told || after === 0) {
        yield after > 0 ? shown(clean, { y, mask, sigma }) : shown(x, { y, mask, sigma });
        break;
      }
      const back = Math.sqrt(t ** 2 - after ** 2);
      for (let i = 0; i < x.data.length; i++) x.data[i] += back * normal();
    }
  }
}

function shown(batch, { y, mask, sigma }) {
  return tensor(batch.shape, batch.data.map((value, i) => {
    const k = i % PIXELS;
    return clip(mask[k] > 0 && sigma === 0 ? y[k] : value);
  }));
}

/* Standard Gaussian numbers from a seed: uniform ones by mulberry32, turned by Box and Muller. */
function gaussian(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
