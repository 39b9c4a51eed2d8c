/* A photograph without its noise: what helpers/models/denoiser.py and helpers/restoration/noise.py do in Python.

   A plane is one channel of a picture, { height, width, data }; a grey picture has one, a picture in colours three. */

"use strict";

const plane = (height, width, data = new Float32Array(height * width)) => ({ height, width, data });

/* Add white Gaussian noise; the seed decides it. */
function noisy(planes, sigma, seed) {
  const next = gaussian(seed);
  return planes.map(({ height, width, data }) => plane(height, width, data.map((value) => value + sigma * next())));
}

/* The mean squared difference of two pictures, both clipped to what can be shown. */
function meanSquare(a, b) {
  let sum = 0, count = 0;
  a.forEach(({ data }, c) => {
    for (let i = 0; i < data.length; i++) sum += (clip(data[i]) - clip(b[c].data[i])) ** 2;
    count += data.length;
  });
  return sum / count;
}

/* ------------------------------------------------------------------------------------------------- the noise level */

const CALM = 0.1, ENOUGH = 4096, AS_CALM = 1.5, MOST_CLIPPED = 0.6, FEW_FLAT = 0.1;  // as in noise.py
const GROWS = [1.03, 1.1], SHARED = 0.52, AT_LEAST = 0.3, FEW = 100, MIDDLE = 0.69337;

/* estimate_noise: the finest details of the calmest places. clipping holds what clipped pixels do to an estimate. */
function estimateNoise(planes, clipping) {
  const { height, width } = planes[0];
  if (Math.min(height, width) < 2) return 0;
  const room = () => ({ details: new Float32Array(planes.length * (height - 1) * (width - 1)), count: 0,
    unrests: new Float32Array(planes.length * (height - 1) * (width - 1)) });
  const cells = room(), squares = room();
  for (const y of planes) look(y, clipping, cells, squares);
  const { count } = cells, unrests = cells.unrests.subarray(0, count);
  if (!count) return 0;
  const calm = AS_CALM * unrests.slice().sort()[Math.max(Math.round(CALM * count), Math.min(ENOUGH, count)) - 1];
  const among = ({ details, unrests, count }) => details.subarray(0, count).filter((_, i) => unrests[i] <= calm);
  const level = levelOf(among(cells)), finer = among(squares);
  if (finer.length < FEW) return level;
  const ordered = unrests.filter((one) => one <= calm).sort(), third = Math.floor(ordered.length / 3);
  const levelAt = (chosen) => levelOf(cells.details.subarray(0, count).filter((_, i) => chosen(unrests[i])));
  const calmer = levelAt((one) => one <= ordered.at(third));
  const lessCalm = levelAt((one) => one >= ordered.at(-1 - third) && one <= calm);
  return withoutTexture(level, levelOf(finer), calmer ? lessCalm / calmer : 1);
}

function levelOf(details) {
  const ordered = details.slice().sort(), quarter = ordered.length >> 2;
  const middle = ordered.subarray(quarter, ordered.length - quarter);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length / MIDDLE;
}

function withoutTexture(level, finer, growth) {
  const belief = finer < level ? clip((growth - GROWS[0]) / (GROWS[1] - GROWS[0])) : 0;
  const texture = belief * (level ** 2 - finer ** 2) / (1 - SHARED);
  const left = Math.sqrt(Math.max(level ** 2 - texture, 0));
  return left > AT_LEAST * level ? left : level;
}

/* Write down the sizes of the details in the cells of 2 × 2 pixels that may be looked at, and the unrest there; then
   the same for squares of 3 × 3 pixels, whose unrest is that of the worst of their cells. */
function look(y, clipping, cells, squares) {
  const { usable, lively } = livelyPlaces(y);
  if (!usable.includes(1)) return;
  const left = shareLeft(y, lively, clipping), unrest = unrestOf(y).data, w = y.width - 1, detail = diagonal(y);
  const write = (list, size, worst) => {
    list.details[list.count] = Math.abs(size);
    list.unrests[list.count++] = worst;
  };
  for (let i = 0; i < usable.length; i++) {
    unrest[i] = usable[i] && left[i] ? unrest[i] / left[i] ** 2 : Infinity;
    if (unrest[i] < Infinity) write(cells, detail.data[i] / 2 / left[i], unrest[i]);
  }
  diagonal(detail).data.forEach((finer, i) => {
    const at = i + Math.floor(i / (w - 1)), four = [at, at + 1, at + w, at + w + 1];
    const worst = Math.max(...four.map((one) => unrest[one]));
    if (worst < Infinity) write(squares, finer / 6 / (four.reduce((sum, one) => sum + left[one], 0) / 4), worst);
  });
}

/* The difference of the differences in each square of 2 × 2 pixels. */
function diagonal({ height, width, data }) {
  const differences = plane(height - 1, width - 1);
  for (let i = 0; i < differences.data.length; i++) {
    const at = i + Math.floor(i / (width - 1));
    differences.data[i] = data[at] - data[at + width] - data[at + 1] + data[at + width + 1];
  }
  return differences;
}

/* Which cells may be looked at, and which pixels: neither in areas of one value nor in drawings. */
function livelyPlaces({ height, width, data }) {
  const h = height - 1, w = width - 1, flat = new Uint8Array(h * w);
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < w; j++) {
      const at = i * width + j, a = data[at];
      flat[i * w + j] = a === data[at + 1] && a === data[at + width] && a === data[at + width + 1];
    }
  }
  const area = plane(h, w), near = new Uint8Array(h * w), lively = plane(height, width).data.fill(1);
  for (let i = 0; i + 1 < h; i++) {
    for (let j = 0; j + 1 < w; j++) {
      const at = i * w + j;
      if (flat[at] && flat[at + 1] && flat[at + w] && flat[at + w + 1]) {
        for (const one of [at, at + 1, at + w, at + w + 1]) area.data[one] = 1;
      }
    }
  }
  area.data.forEach((inside, at) => {
    if (!inside) return;
    const i = Math.floor(at / w), j = at % w;
    for (let row = Math.max(i - 1, 0); row <= Math.min(i + 1, h - 1); row++) {
      near.fill(1, row * w + Math.max(j - 1, 0), row * w + Math.min(j + 1, w - 1) + 1);
    }
    for (const one of [0, 1, width, width + 1]) lively[i * width + j + one] = 0;
  });
  const share = meanAround(area, 15).data, usable = flat.map((_, at) => Number(!near[at] && share[at] <= FEW_FLAT));
  const count = (list) => list.reduce((sum, one) => sum + one, 0);
  if (count(usable) <= 0.05 * (h * w - count(flat))) usable.fill(0);
  return { usable, lively };
}

/* By how much clipping has shortened the noise in each cell: 1 where there is none, 0 where too much is. */
function shareLeft({ height, width, data }, lively, [shares, levels]) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < data.length; i++) {
    if (lively[i]) [low, high] = [Math.min(low, data[i]), Math.max(high, data[i])];
  }
  const weight = cells(meanAround(plane(height, width, lively), 15));
  const left = new Float32Array(weight.length).fill(1);
  for (const end of [low, high]) {
    const ends = plane(height, width, data.map((value, i) => (value === end ? lively[i] : 0)));
    cells(meanAround(ends, 15)).forEach((mean, i) => {
      const share = mean / Math.max(weight[i], 1e-6);
      left[i] *= share > MOST_CLIPPED ? 0 : between(share, shares, levels);
    });
  }
  return left;
}

/* The mean squared slope of the slightly blurred picture around each cell. */
function unrestOf(y) {
  const bell = Array.from({ length: 9 }, (_, i) => Math.exp(-((i - 4) ** 2) / 2)), all = bell.reduce((a, b) => a + b);
  const { height, width, data } = filtered(y, bell.map((value) => value / all));
  const slopes = plane(height - 1, width - 1);
  for (let i = 0; i < height - 1; i++) {
    for (let j = 0; j < width - 1; j++) {
      const at = i * width + j, a = data[at], b = data[at + 1], c = data[at + width], d = data[at + width + 1];
      slopes.data[i * (width - 1) + j] = (d - c + b - a) ** 2 + (d - b + c - a) ** 2;
    }
  }
  return meanAround(slopes, 7);
}

const meanAround = (values, side) => filtered(values, new Array(side).fill(1 / side));

/* The mean of each four pixels that make a cell. */
function cells({ height, width, data }) {
  const means = new Float32Array((height - 1) * (width - 1));
  for (let i = 0; i < means.length; i++) {
    const at = i + Math.floor(i / (width - 1));
    means[i] = (data[at] + data[at + 1] + data[at + width] + data[at + width + 1]) / 4;
  }
  return means;
}

/* A kernel of odd length along the columns and then along the rows; at its border the picture is mirrored. */
function filtered({ height, width, data }, kernel) {
  const along = (from, lines, length, line, step) => {
    const to = new Float32Array(from.length), reach = kernel.length >> 1, row = new Float64Array(length + 2 * reach);
    for (let k = 0; k < lines; k++) {
      for (let i = 0; i < row.length; i++) row[i] = from[k * line + mirrored(i - reach, length) * step];
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let t = 0; t < kernel.length; t++) sum += kernel[t] * row[i + t];
        to[k * line + i * step] = sum;
      }
    }
    return to;
  };
  return plane(height, width, along(along(data, width, height, 1, width), height, width, width, 1));
}

/* The place inside 0 … length - 1 that a place before or behind it mirrors: … 1 0 | 0 1 2 … */
function mirrored(place, length) {
  const at = ((place % (2 * length)) + 2 * length) % (2 * length);
  return at < length ? at : 2 * length - 1 - at;
}

/* The value at x of the line through points with rising xs; outside it is level. */
function between(x, xs, ys) {
  if (x <= xs[0]) return ys[0];
  const i = xs.findIndex((one) => x <= one);
  return i < 0 ? ys.at(-1) : ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
}

/* ------------------------------------------------------------------------------------------------------ the network */

/* Denoise as many channels at once as the network knows, as the library does: a network for grey pictures gets one after
   the other. A generator: it yields the share that is done, and returns planes. */
function* denoisePlanes(model, planes, sigma, tile = model.settings.tile) {
  const colours = model.denoiser.list.layers[0].shape.at(-1) - 1, clean = [];  // the last channel is the noise level
  while (clean.length < planes.length) {
    for (const walk = denoiseTogether(model, planes.slice(clean.length, clean.length + colours), sigma, tile); ;) {
      const { done, value } = walk.next();
      if (done) {
        clean.push(...value);
        break;
      }
      yield (clean.length + colours * value) / planes.length;
    }
  }
  return clean;
}

/* Red, green and blue as brightness and two contrasts, and back: as by_contrasts in helpers/league/photographs.py. */
const OPPONENT = [[1, 1, 1], [1, 0, -1], [1, -2, 1]].map((row) => row.map((value) => value / Math.hypot(...row)));
const NO_COLOUR = [0, 0.5, 0.5];

function toContrasts(planes) {
  return OPPONENT.map((row, k) => ({ ...planes[0], data: planes[0].data.map(
    (_, i) => row.reduce((sum, share, c) => sum + share * planes[c].data[i], NO_COLOUR[k])) }));
}

function fromContrasts(planes) {
  return planes.map((one, c) => ({ ...one, data: one.data.map(
    (_, i) => OPPONENT.reduce((sum, row, k) => sum + row[c] * (planes[k].data[i] - NO_COLOUR[k]), 0)) }));
}

/* Denoiser._channels: in tiles, each with a margin as wide as the network looks, so that no seam arises. */
function* denoiseTogether({ denoiser, settings: { stride, reach } }, planes, sigma, tile) {
  const [{ height, width }] = planes, [high, wide] = [height, width].map((side) => Math.ceil(side / stride) * stride);
  const colours = planes.length, clean = planes.map(() => plane(height, width));
  const tiles = [];
  for (let top = 0; top < high; top += tile) for (let left = 0; left < wide; left += tile) tiles.push([top, left]);
  for (const [number, [top, left]] of tiles.entries()) {
    const above = Math.min(top, reach), before = Math.min(left, reach);
    const h = Math.min(top + tile + reach, high) - top + above, w = Math.min(left + tile + reach, wide) - left + before;
    const told = tensor([1, h, w, colours + 1]);
    for (let i = 0, to = 0; i < h; i++) {
      const row = mirrored(top - above + i, height) * width;
      for (let j = 0; j < w; j++) {
        const from = row + mirrored(left - before + j, width);
        for (const { data } of planes) told.data[to++] = data[from];
        told.data[to++] = sigma;
      }
    }
    const walk = denoiser.steps([told]);
    let step = walk.next();
    for (; !step.done; step = walk.next()) yield (number + step.value) / tiles.length;
    const [{ data }] = step.value;
    for (let i = top; i < Math.min(top + tile, height); i++) {
      for (let j = left, from = colours * ((i - top + above) * w + before); j < Math.min(left + tile, width); j++) {
        for (const x of clean) x.data[i * width + j] = data[from++];
      }
    }
  }
  return clean;
}
