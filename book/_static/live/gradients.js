/* The slopes of a network's output: how it changes with each number that went in. Backpropagation, layer by layer.

   For layers of the GAN and its like. Each function takes the layer's inputs, its output, and the slope of the outcome
   by each number of that output; it returns the slopes by the numbers of its inputs, null for an input that has
   none (the index of an embedding). The slope of a convolution is a transposed convolution, and the other way
   round: rows and patches change places, and the matrix is transposed. */

"use strict";

const turned = new WeakMap();  // from a packed matrix to its transpose

function transposed(matrix, make) {
  if (!turned.has(matrix)) turned.set(matrix, make());
  return turned.get(matrix);
}

/* What of a slope belongs to numbers that were repeated: a single one gets all of it. */
function gathered(slope, { shape }) {
  if (String(slope.shape) === String(shape)) return slope;
  if (size(shape) !== 1) throw new Error("the engine knows no slope of numbers that were repeated");
  return tensor(shape, Float32Array.of(slope.data.reduce((sum, value) => sum + value, 0)));
}

const backward = {
  dense([x], y, slope, layer, weight, matrix, products) {
    const { shape: [k, n], data } = weight(layer.kernel);
    const back = transposed(matrix, () => products.pack(n, k, (row, column) => data[column * n + row]));
    const found = tensor(x.shape);
    products.multiply(size(x.shape) / k, back, rowsOf(slope), into(found.data, k, back.columns));
    return [found];
  },

  convolution([x], y, slope, layer, weight, matrix, products) {
    const { shape: [kh, kw, c, n], data } = weight(layer.kernel), [, h, w] = x.shape, [, high, wide] = y.shape;
    const back = transposed(matrix, () => products.pack(n, kh * kw * c, (row, column) => data[column * n + row]));
    const [down, right] = layer.strides, found = tensor(x.shape);
    const top = padding(h, kh, down, layer.padding).before, left = padding(w, kw, right, layer.padding).before;
    const scatter = scattered(found, back.columns, [high, wide], [kh, kw], layer.strides, top, left);
    products.multiply(size(y.shape) / n, back, rowsOf(slope), scatter);
    return [found];
  },

  "transposed convolution"([x], y, slope, layer, weight, matrix, products) {
    const { shape: [kh, kw, co, c], data } = weight(layer.kernel), [count, h, w] = x.shape;
    const back = transposed(matrix, () => products.pack(kh * kw * co, c, (row, column) => data[row * c + column]));
    const { rows: { before: above }, columns: { before: left } } = printed(x.shape, [kh, kw], layer);
    const found = tensor(x.shape);
    const patches = patchesOf(slope, [kh, kw], layer.strides, { before: above, out: h }, { before: left, out: w });
    products.multiply(count * h * w, back, patches, into(found.data, c, back.columns));
    return [found];
  },

  "group normalisation"([x], y, slope, layer, weight) {
    const count = x.shape[0], c = x.shape.at(-1), places = size(x.shape) / count / c, width = c / layer.groups;
    const gamma = weight(layer.gamma)?.data, all = places * width, groups = count * layer.groups;
    const group = (i) => Math.floor(i / (places * c)) * layer.groups + Math.floor((i % c) / width);
    const [means, scales, slopes, along] = [0, 1, 2, 3].map(() => new Float64Array(groups));
    x.data.forEach((value, i) => { means[group(i)] += value / all; });
    x.data.forEach((value, i) => { scales[group(i)] += (value - means[group(i)]) ** 2 / all; });
    scales.forEach((variance, g) => { scales[g] = 1 / Math.sqrt(variance + layer.epsilon); });
    const inner = slope.data.map((value, i) => value * (gamma ? gamma[i % c] : 1));
    const normal = (i) => (x.data[i] - means[group(i)]) * scales[group(i)];
    inner.forEach((value, i) => {
      slopes[group(i)] += value / all;
      along[group(i)] += value * normal(i) / all;
    });
    return [tensor(x.shape, inner.map((value, i) =>
      scales[group(i)] * (value - slopes[group(i)] - normal(i) * along[group(i)])))];
  },

  activation([x], y, slope, layer) {
    const derivative = derivatives[layer.name];
    if (!derivative) throw new Error(`the engine knows no slope of ${layer.name}`);
    return [tensor(x.shape, slope.data.map((value, i) => value * derivative(x.data[i], y.data[i], layer.slope)))];
  },

  sum: (inputs, y, slope) => inputs.map((x) => gathered(slope, x)),
  difference: ([a, b], y, slope) => [gathered(slope, a), gathered(tensor(slope.shape, slope.data.map((v) => -v)), b)],
  product: ([a, b], y, slope) => [[a, b], [b, a]].map(
    ([x, other]) => gathered(combined(slope, other, arithmetic.product), x)),

  dot([a, b], y, slope) {
    const c = a.shape[1], by = (other) => tensor(other.shape, other.data.map((v, i) => v * slope.data[Math.floor(i / c)]));
    return [by(b), by(a)];
  },

  concatenation(inputs, y, slope) {
    let start = 0;
    return inputs.map((x) => {
      const stop = start + x.shape.at(-1), part = layers.part.run([slope], { start, stop });
      start = stop;
      return part;
    });
  },

  reshape: ([x], y, slope) => [tensor(x.shape, slope.data)],
  embedding: () => [null],
  constant: () => [],
};

const derivatives = {
  relu: (x) => (x > 0 ? 1 : 0),
  leaky: (x, y, slope) => (x > 0 ? 1 : slope),
  sigmoid: (x, y) => y * (1 - y),
  tanh: (x, y) => 1 - y * y,
};

/* Run a network of one output. Return that output, and back(slope): from the slope of some outcome by each number of
   the output to its slopes by the numbers of the inputs, a list of tensors. */
function traced({ list, weight, prepared, products }, inputs) {
  const results = [], waiting = [...inputs], places = [];
  for (const [i, layer] of list.layers.entries()) {
    if (layer.do === "input") {
      results.push(waiting.shift());
      places.push(i);
      continue;
    }
    if (!Object.hasOwn(backward, layer.do)) throw new Error(`the engine knows no slope of a layer ${layer.do}`);
    const of = layer.of.map((place) => results[place]);
    results.push(layers[layer.do].run(of, layer, weight, prepared[i], products));
  }
  const [end] = list.outputs;

  function back(slope) {
    const slopes = [];
    slopes[end] = slope;
    for (let i = list.layers.length - 1; i >= 0; i--) {
      const layer = list.layers[i];
      if (!slopes[i] || layer.do === "input") continue;
      const of = layer.of.map((place) => results[place]);
      backward[layer.do](of, results[i], slopes[i], layer, weight, prepared[i], products).forEach((found, k) => {
        const place = layer.of[k];
        if (found) slopes[place] = slopes[place] ? combined(slopes[place], found, arithmetic.sum) : found;
      });
    }
    return places.map((place) => slopes[place] || tensor(results[place].shape));
  }

  return { output: results[end], back };
}
