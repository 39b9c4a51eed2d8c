/* Robots ruled by styles: two of them, their mixture layer by layer, and what lies between them. What
   helpers/models/stylegan.py does, with numbers that the browser draws. */

"use strict";

const MANY = 10000;  // latent codes of which the mean style is taken

const normals = (seed, count) => Float32Array.from({ length: count }, gaussian(seed));
const blend = (a, b, along) => a.map((value, i) => (1 - along) * value + along * b[i]);

/* The styles of latent codes, each a row of its own. */
function stylesOf({ mapping }, codes) {
  const z = tensor([codes.length, codes[0].length]);
  codes.forEach((code, i) => z.data.set(code, i * code.length));
  const [{ shape: [, width], data }] = mapping.run([z]);
  return codes.map((_, i) => data.slice(i * width, (i + 1) * width));
}

/* The mean style, towards which truncation draws; computed once. */
function meanStyle(model) {
  if (!model.centre) {
    const [count] = model.mapping.list.layers[0].shape, all = normals(0, MANY * count);
    const styles = stylesOf(model, Array.from({ length: MANY }, (_, i) => all.subarray(i * count, (i + 1) * count)));
    model.centre = styles[0].map((_, k) => styles.reduce((sum, style) => sum + style[k], 0) / MANY);
  }
  return model.centre;
}

/* Five robots of two seeds a and b: a, the mixture, b, and what lies so far along the straight way from a to b in z and
   in w. The mixture has the styles of b in the layers of which second is true, elsewhere those of a. All of them get
   the same noise: number n begins at the far end of the seeds, lest it be that of a robot. */
function mixedRobots(model, { seeds, second, along, truncation, noise }) {
  const { mapping, synthesis } = model, [entry, given] = synthesis.list.layers;
  const codes = seeds.map((seed) => normals(seed, mapping.list.layers[0].shape[0]));
  let [a, b, middle] = stylesOf(model, [...codes, blend(...codes, along)]);
  if (truncation !== 1) [a, b, middle] = [a, b, middle].map((w) => blend(meanStyle(model), w, truncation));
  const each = [() => a, (layer) => (second[layer] ? b : a), () => b, () => middle, () => blend(a, b, along)];
  const [layers, width] = entry.shape, [places] = given.shape;
  const styles = tensor([each.length, layers, width]), added = tensor([each.length, places]);
  each.forEach((styleOf, i) => {
    for (let layer = 0; layer < layers; layer++) styles.data.set(styleOf(layer), (i * layers + layer) * width);
    added.data.set(normals(2 ** 32 - 1 - noise, places), i * places);
  });
  const [x] = synthesis.run([styles, added]);
  return tensor(x.shape, x.data.map(clip));
}
