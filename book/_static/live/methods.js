/* Five ways to restore a digit, with the course's networks: what helpers/models and helpers/posterior do in Python.

   A measurement is { y, mask, sigma }: 784 pixels, zero where one is lost; ones where one is known; the noise level. */

"use strict";

const PIXELS = 784, CLASSES = 10, SIDES = [28, 28, 1];
const GENERATOR_ERROR = 0.15;  // as in helpers/models/vae.py
const REALISM = 0.1;  // the weight of the discriminator's opinion, as in helpers/models/inversion.py
const UNSAID = [-1, -1];  // neither a class nor whether the digit is bent
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

/* Where the GAN's search begins: the encoder's best guess of class and z, and others drawn as it finds them likely.
   (Inverter._from_encoder in helpers/models/inversion.py) */
function guesses(models, measurement, count, normal, uniform) {
  const { encoder } = models.inverter, input = damaged(measurement);
  const [logits] = encoder.run([input, tensor([1, CLASSES])]), odds = softmax(logits).data;
  const label = tensor([count, CLASSES]), z = [];
  for (let k = 0; k < count; k++) {
    let chosen = odds.indexOf(Math.max(...odds));
    if (k > 0) {
      let left = uniform();
      chosen = Math.max(odds.findIndex((share) => (left -= share) < 0), 0);
    }
    label.data[k * CLASSES + chosen] = 1;
    const [, mean, variance] = encoder.run([input, tensor([1, CLASSES], label.data.slice(k * CLASSES, (k + 1) * CLASSES))]);
    const width = (value) => Math.exp(0.5 * Math.min(Math.max(value, -8), 4));
    z.push(...mean.data.map((value, i) => value + (k > 0 ? width(variance.data[i]) * normal() : 0)));
  }
  return { label, z: tensor([count, z.length / count], Float32Array.from(z)) };
}

/* How badly digits explain a measurement: far from it, an unlikely z, or no digit in the eyes of the discriminator. With
   the slope of that by each z. (Inverter._objective) */
function objective(models, { y, mask, sigma }, { label, z }) {
  const n = z.shape[0], width = z.shape[1], spread = 1 / (2 * (sigma ** 2 + GENERATOR_ERROR ** 2));
  const drawn = traced(models.gan.generator, [z, label]), x = drawn.output;
  const judged = traced(models.gan.discriminator, [x, label]), real = judged.output;
  const cost = new Float64Array(n);
  z.data.forEach((value, i) => { cost[Math.floor(i / width)] += value ** 2 / 2; });
  x.data.forEach((value, i) => {
    const k = i % PIXELS;
    cost[Math.floor(i / PIXELS)] += spread * (mask[k] * value - y[k]) ** 2;
  });
  real.data.forEach((value, i) => { cost[i] += REALISM * functions.softplus(-value); });
  const [byPicture] = judged.back(tensor(real.shape, real.data.map((value) => -REALISM * sigmoid(-value))));
  const slope = tensor(x.shape, x.data.map((value, i) => {
    const k = i % PIXELS;
    return byPicture.data[i] + 2 * spread * mask[k] * (mask[k] * value - y[k]);
  }));
  const [byZ] = drawn.back(slope);
  return { x, cost, slope: byZ.data.map((value, i) => value + z.data[i]) };
}

/* The GAN searches the z behind the damage, by Adam and from all guesses at once. Yields the best digit so far at each
   step. (Inverter._descend) */
function* search(models, measurement, start, steps = 50, rate = 0.1, decay = 0.9, decaySquared = 0.99) {
  const { label, z: { shape, data } } = start, z = tensor(shape, data.slice());
  const momentum = new Float64Array(data.length), square = new Float64Array(data.length);
  for (let step = 1; ; step++) {
    const { x, cost, slope } = objective(models, measurement, { label, z });
    const best = cost.indexOf(Math.min(...cost));
    yield keepKnown(x.data.slice(best * PIXELS, (best + 1) * PIXELS), measurement);
    if (step > steps) return;
    const lower = rate * 0.5 * (1 + Math.cos(Math.PI * step / (steps + 1)));
    slope.forEach((value, i) => {
      momentum[i] = decay * momentum[i] + (1 - decay) * value;
      square[i] = decaySquared * square[i] + (1 - decaySquared) * value ** 2;
      z.data[i] -= lower * (momentum[i] / (1 - decay ** step)) / (Math.sqrt(square[i] / (1 - decaySquared ** step)) + 1e-8);
    });
  }
}

/* The clean pictures that a diffusion model guesses behind noise of level t; of all of them is said the same, a list with
   -1 where something is left open. (Diffusion.denoise_tensor) */
function denoise({ denoiser, settings: { centre, spread } }, x, t, said) {
  const n = x.shape[0], total = Math.sqrt(t ** 2 + spread ** 2);
  const level = tensor([n], new Float32Array(n).fill(Math.log(Math.max(t, 1e-4)) / 4));
  const told = tensor([n, said.length], Float32Array.from({ length: n * said.length }, (_, i) => said[i % said.length]));
  const [inside] = denoiser.run([tensor(x.shape, x.data.map((value) => (value - centre) / total)), level, told]);
  const kept = (spread / total) ** 2, correction = t * spread / total;
  return tensor(x.shape, x.data.map((value, i) => centre + kept * (value - centre) + correction * inside.data[i]));
}

/* Falling noise levels, even in their seventh root; the last is 0. (levels("heun", …) in helpers/models/diffusion.py) */
function levels(steps, highest, lowest = 0.004) {
  const [from, to] = [highest, Math.min(lowest, highest)].map((level) => level ** (1 / 7));
  return [...Array.from({ length: steps }, (_, i) => (from + (to - from) * i / Math.max(steps - 1, 1)) ** 7), 0];
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
      const clean = denoise(models["diffusion-digits"], x, t, UNSAID);
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

/* Uniform numbers from 0 to 1 from a seed, by mulberry32. */
function uniformly(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/* Standard Gaussian numbers from a seed, by Box and Muller. */
function gaussian(seed) {
  const uniform = uniformly(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
