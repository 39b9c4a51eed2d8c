/* Runs the course's trained networks: any list of layers that helpers/live/graph.py writes.

   A tensor is { shape, data }: a shape with the batch first and the channels last, as in Keras, and a Float32Array.
   What takes the time is one step, the product of two matrices. A dense layer is such a product. A convolution becomes
   one when the patches under its kernel are laid out as rows; a transposed convolution when each row of the product is
   added up where its patch lies. The product runs as WebAssembly (kernel.wat), or where a browser has no SIMD as plain
   JavaScript with the same numbers up to rounding, and several times slower. */

"use strict";

const size = (shape) => shape.reduce((product, side) => product * side, 1);
const tensor = (shape, data = zeros(size(shape))) => ({ shape, data });

/* Large arrays that a run has done with, for the next layer or run: to ask for new ones all the time costs memory. */
const spare = [], LARGE = 1 << 16;

function zeros(count) {
  const place = count < LARGE ? -1 : spare.findIndex((one) => one.length === count);
  return place < 0 ? new Float32Array(count) : spare.splice(place, 1)[0].fill(0);
}

/* ------------------------------------------------------------------------------------------ the product of matrices */

class Products {
  /* Memory that both kernels work in: a place for rows, a place for results, then the packed weights. */

  static ROWS = 1 << 16;     // numbers of a batch of rows: a quarter of a megabyte stays near the processor
  static RESULTS = 1 << 18;

  constructor(program) {     // the bytes of kernel.wat's translation, or null for plain JavaScript
    this.used = Products.ROWS + Products.RESULTS;
    if (program) {
      this.memory = new WebAssembly.Memory({ initial: Math.ceil(this.used / 16384) });
      const instance = new WebAssembly.Instance(new WebAssembly.Module(program), { engine: { memory: this.memory } });
      this.product = instance.exports.product;
      this.numbers = new Float32Array(this.memory.buffer);
    } else {
      this.numbers = new Float32Array(this.used);
    }
  }

  reserve(count) {
    const place = this.used;
    this.used += count;
    if (this.used > this.numbers.length) {
      if (this.memory) {
        this.memory.grow(Math.ceil((this.used - this.numbers.length) / 16384));
        this.numbers = new Float32Array(this.memory.buffer);
      } else {
        const larger = new Float32Array(Math.max(this.used, 2 * this.numbers.length));
        larger.set(this.numbers);
        this.numbers = larger;
      }
    }
    return place;
  }

  /* Store a matrix of k rows and n columns, whose numbers at(row, column) tells, in blocks of eight columns. */
  pack(k, n, at) {
    const columns = Math.ceil(n / 8) * 8;
    if (4 * k > Products.ROWS || 4 * columns > Products.RESULTS) throw new Error(`a matrix of ${k} × ${n} is too large`);
    const place = this.reserve(k * columns);
    for (let block = 0; block < columns; block += 8) {
      for (let row = 0; row < k; row++) {
        for (let column = block; column < Math.min(block + 8, n); column++) {
          this.numbers[place + block * k + row * 8 + column - block] = at(row, column);
        }
      }
    }
    return { place, k, n, columns };
  }

  /* Multiply m rows with a packed matrix, some rows at a time: fill(to, numbers, first, count) writes rows, and
     take(from, numbers, first, count) reads the results, each row of them matrix.columns long. */
  multiply(m, matrix, fill, take) {
    const { place, k, columns } = matrix;
    const most = Math.min(Math.floor(Products.ROWS / k), Math.floor(Products.RESULTS / columns)) & ~3;
    for (let first = 0; first < m; first += most) {
      const count = Math.min(most, m - first);
      const whole = Math.ceil(count / 4) * 4;  // what stands in the rows behind the last one does not matter
      fill(0, this.numbers, first, count);
      if (this.product) this.product(0, 4 * place, 4 * Products.ROWS, whole, k, columns);
      else plainProduct(this.numbers, 0, place, Products.ROWS, whole, k, columns);
      take(Products.ROWS, this.numbers, first, count);
    }
  }
}

/* What kernel.wat does, a row and eight columns at a time. */
function plainProduct(numbers, a, b, c, m, k, n) {
  for (let column = 0; column < n; column += 8) {
    for (let row = 0; row < m; row++) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
      const from = a + row * k;
      for (let i = 0, w = b + column * k; i < k; i++, w += 8) {
        const x = numbers[from + i];
        s0 += x * numbers[w];
        s1 += x * numbers[w + 1];
        s2 += x * numbers[w + 2];
        s3 += x * numbers[w + 3];
        s4 += x * numbers[w + 4];
        s5 += x * numbers[w + 5];
        s6 += x * numbers[w + 6];
        s7 += x * numbers[w + 7];
      }
      const to = c + row * n + column;
      numbers[to] = s0;
      numbers[to + 1] = s1;
      numbers[to + 2] = s2;
      numbers[to + 3] = s3;
      numbers[to + 4] = s4;
      numbers[to + 5] = s5;
      numbers[to + 6] = s6;
      numbers[to + 7] = s7;
    }
  }
}

/* Return a function that copies results into rows of n numbers, and adds the bias. */
function into(data, n, columns, bias) {
  return (from, numbers, first, count) => {
    for (let row = 0; row < count; row++) {
      const source = from + row * columns, to = (first + row) * n;
      for (let j = 0; j < n; j++) data[to + j] = numbers[source + j] + (bias ? bias[j] : 0);
    }
  };
}

/* Return a function that hands over the rows of a tensor as they are. */
function rowsOf({ shape, data }) {
  const k = shape.at(-1);
  return (to, numbers, first, count) => numbers.set(data.subarray(first * k, (first + count) * k), to);
}

/* Return a function that hands over the patches under a kernel as rows, with zeros where one lies beyond the picture.
   rows and columns tell how many places there are, and by how much the first patch lies before the picture. */
function patchesOf({ shape: [, high, wide, c], data }, [kh, kw], [down, right], rows, columns) {
  const run = kw * c;
  return (to, numbers, first, count) => {
    for (let place = first; place < first + count; place++) {
      const i = Math.floor(place / columns.out), picture = Math.floor(i / rows.out);
      const top = (i % rows.out) * down - rows.before, left = (place % columns.out) * right - columns.before;
      const start = Math.max(left, 0), stop = Math.min(left + kw, wide);
      for (let row = top; row < top + kh; row++, to += run) {
        const inside = row >= 0 && row < high ? stop - start : 0;
        if (inside < kw) numbers.fill(0, to, to + run);
        if (inside <= 0) continue;
        const from = ((picture * high + row) * wide + start) * c;
        numbers.set(data.subarray(from, from + inside * c), to + (start - left) * c);
      }
    }
  };
}

/* The reverse: return a function that adds up rows where their patches lie in y, whose places are h × w. */
function scattered({ shape: [, high, wide, c], data }, columns, [h, w], [kh, kw], [down, right], top, left) {
  return (from, numbers, first, count) => {
    for (let place = first; place < first + count; place++, from += columns) {
      const j = place % w, i = Math.floor(place / w) % h, picture = Math.floor(place / (w * h));
      for (let r = 0; r < kh; r++) {
        const row = i * down + r - top;
        if (row < 0 || row >= high) continue;
        for (let s = 0; s < kw; s++) {
          const column = j * right + s - left;
          if (column < 0 || column >= wide) continue;
          const to = ((picture * high + row) * wide + column) * c, source = from + (r * kw + s) * c;
          for (let o = 0; o < c; o++) data[to + o] += numbers[source + o];
        }
      }
    }
  };
}

/* --------------------------------------------------------------------------------------------------------- padding */

/* How many zeros stand before a side, and how long the output is, as in TensorFlow. */
function padding(side, kernel, stride, kind) {
  if (kind === "valid") return { before: 0, out: Math.floor((side - kernel) / stride) + 1 };
  const out = Math.ceil(side / stride);
  return { before: Math.max((out - 1) * stride + kernel - side, 0) >> 1, out };
}

/* The same for a transposed convolution: how much of its prints lies before the picture, and how long the output is. */
function printed([, h, w], [kh, kw], { padding: kind, strides: [down, right] }) {
  const [rows, columns] = [[h, kh, down], [w, kw, right]].map(([side, kernel, stride]) => {
    const more = Math.max(kernel - stride, 0);
    return { before: kind === "same" ? more >> 1 : 0, out: side * stride + (kind === "same" ? 0 : more) };
  });
  return { rows, columns };
}

/* ---------------------------------------------------------------------------------------------------------- layers

   Each takes its inputs, its entry in the list, and the weights that it names; prepare(), where there is one, packs the
   weights when the network is loaded. */

const layers = {
  constant: {
    run: (inputs, layer) => tensor(layer.shape, Float32Array.from(layer.values)),
  },

  dense: {
    prepare(layer, weight, products) {
      const { shape, data } = weight(layer.kernel), n = shape.at(-1);  // n numbers alone spread one input
      return products.pack(data.length / n, n, (row, column) => data[row * n + column]);
    },
    run([x], layer, weight, matrix, products) {
      const { k, n, columns } = matrix;
      const y = tensor([...x.shape.slice(0, -1), n]);
      products.multiply(size(x.shape) / k, matrix, rowsOf(x), into(y.data, n, columns, weight(layer.bias)?.data));
      return y;
    },
  },

  convolution: {
    prepare(layer, weight, products) {
      const { shape: [kh, kw, ci, n], data } = weight(layer.kernel);
      return products.pack(kh * kw * ci, n, (row, column) => data[row * n + column]);
    },
    run([x], layer, weight, matrix, products) {
      const [count, h, w] = x.shape, [kh, kw] = weight(layer.kernel).shape, [down, right] = layer.strides;
      const rows = padding(h, kh, down, layer.padding), columns = padding(w, kw, right, layer.padding);
      const y = tensor([count, rows.out, columns.out, matrix.n]);
      const patches = patchesOf(x, [kh, kw], layer.strides, rows, columns);
      const take = into(y.data, matrix.n, matrix.columns, weight(layer.bias)?.data);
      products.multiply(count * rows.out * columns.out, matrix, patches, take);
      return y;
    },
  },

  "transposed convolution": {
    prepare(layer, weight, products) {  // from ci numbers to kh × kw × co
      const { shape: [kh, kw, co, ci], data } = weight(layer.kernel);
      return products.pack(ci, kh * kw * co, (row, column) => data[column * ci + row]);
    },
    run([x], layer, weight, matrix, products) {
      const [count, h, w] = x.shape, [kh, kw, co] = weight(layer.kernel).shape;
      const { rows, columns } = printed(x.shape, [kh, kw], layer);
      const y = tensor([count, rows.out, columns.out, co]), bias = weight(layer.bias)?.data;
      if (bias) for (let i = 0; i < y.data.length; i++) y.data[i] = bias[i % co];
      const scatter = scattered(y, matrix.columns, [h, w], [kh, kw], layer.strides, rows.before, columns.before);
      products.multiply(count * h * w, matrix, rowsOf(x), scatter);
      return y;
    },
  },

  "depthwise convolution": {
    run([x], layer, weight) {
      const { shape: [kh, kw, c], data: kernel } = weight(layer.kernel), bias = weight(layer.bias)?.data;
      const [count, high, wide] = x.shape, [down, right] = layer.strides;
      const rows = padding(high, kh, down, layer.padding), columns = padding(wide, kw, right, layer.padding);
      const y = tensor([count, rows.out, columns.out, c]);
      let to = 0;
      for (let picture = 0; picture < count; picture++) {
        for (let i = 0; i < rows.out; i++) {
          for (let j = 0; j < columns.out; j++, to += c) {
            if (bias) y.data.set(bias, to);
            for (let r = 0; r < kh; r++) {
              const row = i * down + r - rows.before;
              if (row < 0 || row >= high) continue;
              for (let s = 0; s < kw; s++) {
                const column = j * right + s - columns.before;
                if (column < 0 || column >= wide) continue;
                const from = ((picture * high + row) * wide + column) * c, at = (r * kw + s) * c;
                for (let o = 0; o < c; o++) y.data[to + o] += x.data[from + o] * kernel[at + o];
              }
            }
          }
        }
      }
      return y;
    },
  },

  embedding: {
    run([x], layer, weight) {
      const { shape: [, width], data } = weight(layer.table);
      const y = tensor([...x.shape, width]);
      x.data.forEach((index, i) => y.data.set(data.subarray(index * width, (index + 1) * width), i * width));
      return y;
    },
  },

  "batch normalisation": {
    run([x], layer, weight) {
      const c = x.shape.at(-1), [mean, variance] = [weight(layer.mean).data, weight(layer.variance).data];
      const scale = Float32Array.from(variance, (value) => 1 / Math.sqrt(value + layer.epsilon));
      return scaled(x, weight(layer.gamma)?.data, weight(layer.beta)?.data,
        (value, i) => (value - mean[i % c]) * scale[i % c]);
    },
  },

  "group normalisation": {
    run([x], layer, weight) {
      const count = x.shape[0], c = x.shape.at(-1), places = size(x.shape) / count / c, width = c / layer.groups;
      const means = new Float64Array(count * layer.groups), scales = new Float64Array(count * layer.groups);
      const group = (i) => Math.floor(i / (places * c)) * layer.groups + Math.floor((i % c) / width);
      x.data.forEach((value, i) => { means[group(i)] += value / (places * width); });
      x.data.forEach((value, i) => { scales[group(i)] += (value - means[group(i)]) ** 2 / (places * width); });
      scales.forEach((variance, g) => { scales[g] = 1 / Math.sqrt(variance + layer.epsilon); });
      return scaled(x, weight(layer.gamma)?.data, weight(layer.beta)?.data,
        (value, i) => (value - means[group(i)]) * scales[group(i)]);
    },
  },

  "unit normalisation": {  // the numbers of each place, divided by their length
    run([x]) {
      const c = x.shape.at(-1), y = tensor(x.shape);
      for (let from = 0; from < x.data.length; from += c) {
        const squares = x.data.subarray(from, from + c).reduce((sum, value) => sum + value ** 2, 0);
        const scale = Math.min(1 / Math.sqrt(squares), 1e12);
        for (let i = from; i < from + c; i++) y.data[i] = scale * x.data[i];
      }
      return y;
    },
  },

  demodulation: {  // 1 / the length of all weights that lead to each output channel; a style scales the input channels
    prepare(layer, weight) {
      const { shape: [, , ci, n], data } = weight(layer.kernel), squares = tensor([ci, n]);
      data.forEach((value, i) => { squares.data[i % (ci * n)] += value ** 2; });
      return squares;
    },
    run([style], { epsilon }, weight, { shape: [ci, n], data: squares }) {
      const y = tensor([style.shape[0], n], new Float32Array(style.shape[0] * n).fill(epsilon));
      style.data.forEach((value, i) => {
        const to = Math.floor(i / ci) * n, from = (i % ci) * n;
        for (let o = 0; o < n; o++) y.data[to + o] += value ** 2 * squares[from + o];
      });
      y.data.forEach((value, i) => { y.data[i] = 1 / Math.sqrt(value); });
      return y;
    },
  },

  "layer normalisation": {
    run([x], layer, weight) {
      const c = x.shape.at(-1), rows = size(x.shape) / c;
      const means = new Float64Array(rows), scales = new Float64Array(rows);
      for (let row = 0; row < rows; row++) {
        const values = x.data.subarray(row * c, (row + 1) * c);
        means[row] = values.reduce((sum, value) => sum + value, 0) / c;
        scales[row] = 1 / Math.sqrt(values.reduce((sum, value) => sum + (value - means[row]) ** 2, 0) / c + layer.epsilon);
      }
      return scaled(x, weight(layer.gamma)?.data, weight(layer.beta)?.data, (value, i) => {
        const row = Math.floor(i / c);
        return (value - means[row]) * scales[row];
      });
    },
  },

  activation: {
    run([x], layer) {
      if (layer.name === "softmax") return softmax(x);
      const f = functions[layer.name], slope = layer.slope;
      const y = tensor(x.shape);
      for (let i = 0; i < y.data.length; i++) y.data[i] = f(x.data[i], slope);
      return y;
    },
  },

  sum: { run: ([a, b]) => combined(a, b, arithmetic.sum) },
  difference: { run: ([a, b]) => combined(a, b, arithmetic.difference) },
  product: { run: ([a, b]) => combined(a, b, arithmetic.product) },

  dot: {
    run([a, b]) {
      const c = a.shape[1], y = tensor([a.shape[0], 1]);
      a.data.forEach((value, i) => { y.data[Math.floor(i / c)] += value * b.data[i]; });
      return y;
    },
  },

  concatenation: {
    run(inputs) {
      const widths = inputs.map((x) => x.shape.at(-1)), width = widths.reduce((a, b) => a + b);
      const y = tensor([...inputs[0].shape.slice(0, -1), width]);
      let left = 0;
      inputs.forEach((x, k) => {
        for (let i = 0; i < x.data.length; i++) {
          y.data[Math.floor(i / widths[k]) * width + left + (i % widths[k])] = x.data[i];
        }
        left += widths[k];
      });
      return y;
    },
  },

  part: {
    run([x], { start, stop }) {
      const c = x.shape.at(-1), width = stop - start, y = tensor([...x.shape.slice(0, -1), width]);
      for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[Math.floor(i / width) * c + start + (i % width)];
      return y;
    },
  },

  copies: {  // learnt numbers, once for each of a batch
    run([x], layer, weight) {
      const { shape, data } = weight(layer.weight), y = tensor([x.shape[0], ...shape]);
      for (let i = 0; i < x.shape[0]; i++) y.data.set(data, i * data.length);
      return y;
    },
  },

  unfold: {  // the numbers of each place become down × right places
    run([x], { size: [down, right] }) {
      const [count, h, w, channels] = x.shape, c = channels / down / right;
      const y = tensor([count, h * down, w * right, c]), run = right * c;
      for (let from = 0; from < x.data.length; from += run) {
        const part = Math.floor(from / run), row = part % down, place = Math.floor(part / down);
        const to = ((Math.floor(place / w) * down + row) * w + (place % w)) * run;
        y.data.set(x.data.subarray(from, from + run), to);
      }
      return y;
    },
  },

  reshape: {
    run: ([x], layer) => tensor([x.shape[0], ...layer.shape], x.data),
  },

  "one hot": {  // a number that is none of 0 … count - 1 gives zeros
    run([x], { count }) {
      const y = tensor([...x.shape, count]);
      x.data.forEach((value, i) => { if (value >= 0 && value < count) y.data[i * count + value] = 1; });
      return y;
    },
  },

  largest: {
    run: ([x], layer) => pooled(x, layer, -Infinity, Math.max, (value) => value),
  },

  mean: {
    run: ([x], layer) => pooled(x, layer, 0, (a, b) => a + b, (value, count) => value / count),
  },

  "global mean": {
    run([x]) {
      const count = x.shape[0], c = x.shape.at(-1), places = size(x.shape) / count / c, y = tensor([count, c]);
      x.data.forEach((value, i) => { y.data[Math.floor(i / (places * c)) * c + (i % c)] += value / places; });
      return y;
    },
  },

  enlarge: {
    run([x], { size: [down, right], interpolation }) {
      const [count, h, w, c] = x.shape, y = tensor([count, h * down, w * right, c]);
      const rows = shares(h, down, interpolation), columns = shares(w, right, interpolation);
      let to = 0;
      for (let picture = 0; picture < count; picture++) {
        for (const above of rows) {
          for (const beside of columns) {
            for (const [row, a] of above) {
              for (const [column, b] of beside) {
                const from = ((picture * h + row) * w + column) * c, share = a * b;
                for (let o = 0; o < c; o++) y.data[to + o] += share * x.data[from + o];
              }
            }
            to += c;
          }
        }
      }
      return y;
    },
  },

  mirror: {  // each side grows by a mirror image of what lies there: … 1 0 | 0 1 2 …
    run([x], { rows, columns }) {
      const [count, h, w, c] = x.shape, y = tensor([count, h + rows[0] + rows[1], w + columns[0] + columns[1], c]);
      const inside = (place, side) => (place < 0 ? -1 - place : Math.min(place, 2 * side - 1 - place));
      let to = 0;
      for (let picture = 0; picture < count; picture++) {
        for (let i = -rows[0]; i < h + rows[1]; i++) {
          for (let j = -columns[0]; j < w + columns[1]; j++, to += c) {
            const from = ((picture * h + inside(i, h)) * w + inside(j, w)) * c;
            y.data.set(x.data.subarray(from, from + c), to);
          }
        }
      }
      return y;
    },
  },

  attention: {  // from queries, keys and values of each place, those of all heads side by side, to what it finds
    run([x], { heads }) {
      const [count, t, all] = x.shape, d = all / 3, width = d / heads, y = tensor([count, t, d]);
      for (let one = 0; one < count * heads; one++) {
        const picture = Math.floor(one / heads), first = (one % heads) * width, scores = tensor([t, t]);
        const at = (place, what) => (picture * t + place) * all + what * d + first;
        scores.data.forEach((_, s) => {
          const query = at(Math.floor(s / t), 0), key = at(s % t, 1);
          for (let k = 0; k < width; k++) scores.data[s] += x.data[query + k] * x.data[key + k] / Math.sqrt(width);
        });
        softmax(scores).data.forEach((share, s) => {
          const to = (picture * t + Math.floor(s / t)) * d + first, value = at(s % t, 2);
          for (let k = 0; k < width; k++) y.data[to + k] += share * x.data[value + k];
        });
      }
      return y;
    },
  },
};

const arithmetic = { sum: (x, y) => x + y, difference: (x, y) => x - y, product: (x, y) => x * y };
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const functions = {
  relu: (x) => (x > 0 ? x : 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  leaky: (x, slope) => (x > 0 ? x : slope * x),
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  tanh: Math.tanh,
  sigmoid,
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  strength: (x) => Math.exp(Math.min(x, Math.log(100))),  // of the chooser
  sin: Math.sin,
  cos: Math.cos,
};

/* The error function, to 2e-7: Abramowitz and Stegun 1964, 7.1.26. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

function softmax(x) {
  const c = x.shape.at(-1), y = tensor(x.shape);
  for (let from = 0; from < x.data.length; from += c) {
    const row = x.data.subarray(from, from + c), highest = row.reduce((a, b) => Math.max(a, b));
    const odds = row.map((value) => Math.exp(value - highest)), all = odds.reduce((a, b) => a + b);
    odds.forEach((value, i) => { y.data[from + i] = value / all; });
  }
  return y;
}

/* A normalisation's end: a factor and a summand for each channel. */
function scaled(x, gamma, beta, normal) {
  const c = x.shape.at(-1), y = tensor(x.shape);
  for (let i = 0; i < y.data.length; i++) {
    y.data[i] = normal(x.data[i], i) * (gamma ? gamma[i % c] : 1) + (beta ? beta[i % c] : 0);
  }
  return y;
}

/* f of each pair; where a side of one is 1 or missing, its numbers are repeated. */
function combined(a, b, f) {
  if (String(a.shape) === String(b.shape)) {
    const y = tensor(a.shape);
    const p = a.data, q = b.data, to = y.data;
    if (f === arithmetic.sum) for (let i = 0; i < to.length; i++) to[i] = p[i] + q[i];  // ten times faster than by f
    else for (let i = 0; i < to.length; i++) to[i] = f(p[i], q[i]);
    return y;
  }
  const rank = Math.max(a.shape.length, b.shape.length, 4);
  const [p, q] = [a, b].map(({ shape }) => [...new Array(rank - shape.length).fill(1), ...shape]);
  const shape = p.map((side, k) => Math.max(side, q[k]));
  const steps = (sides) => sides.map((side, k) => (side === 1 ? 0 : size(sides.slice(k + 1))));
  const [s, t] = [steps(p), steps(q)];
  const y = tensor(shape.slice(rank - Math.max(a.shape.length, b.shape.length)));
  let to = 0;
  for (let i = 0; i < shape[0]; i++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let k = 0; k < shape[2]; k++) {
        const left = i * s[0] + j * s[1] + k * s[2], right = i * t[0] + j * t[1] + k * t[2];
        for (let l = 0; l < shape[3]; l++) y.data[to++] = f(a.data[left + l * s[3]], b.data[right + l * t[3]]);
      }
    }
  }
  return y;
}

function pooled(x, layer, start, gather, finish) {
  const [kh, kw] = layer.size, [down, right] = layer.strides, [count, h, w, c] = x.shape;
  const rows = padding(h, kh, down, layer.padding), columns = padding(w, kw, right, layer.padding);
  const y = tensor([count, rows.out, columns.out, c]);
  let to = 0;
  for (let picture = 0; picture < count; picture++) {
    for (let i = 0; i < rows.out; i++) {
      const top = i * down - rows.before;
      for (let j = 0; j < columns.out; j++) {
        const left = j * right - columns.before;
        for (let o = 0; o < c; o++) {
          let value = start, seen = 0;
          for (let row = Math.max(top, 0); row < Math.min(top + kh, h); row++) {
            for (let column = Math.max(left, 0); column < Math.min(left + kw, w); column++, seen++) {
              value = gather(value, x.data[((picture * h + row) * w + column) * c + o]);
            }
          }
          y.data[to++] = finish(value, seen);
        }
      }
    }
  }
  return y;
}

/* For each place of an enlarged side: the places of the old one that it is made of, each with its share. */
function shares(side, factor, interpolation) {
  if (interpolation === "nearest") return Array.from({ length: side * factor }, (_, i) => [[Math.floor(i / factor), 1]]);
  const cubic = (d) => (d < 1 ? (1.5 * d - 2.5) * d * d + 1 : ((2.5 - 0.5 * d) * d - 4) * d + 2);  // Keys 1981
  const [reach, share] = interpolation === "bicubic" ? [2, cubic] : [1, (d) => 1 - d];
  return Array.from({ length: side * factor }, (_, i) => {
    const middle = (i + 0.5) / factor - 0.5, low = Math.floor(middle) - reach + 1;
    const near = Array.from({ length: 2 * reach }, (_, k) => low + k).filter((place) => place >= 0 && place < side);
    const all = near.reduce((sum, place) => sum + share(Math.abs(place - middle)), 0);
    return near.map((place) => [place, share(Math.abs(place - middle)) / all]);
  });
}

/* --------------------------------------------------------------------------------------------------------- networks */

class Network {
  /* One list of layers with its weights: weight(name) gives a tensor, as unpacked() returns them. */
  constructor(list, weights, products) {
    this.list = list;
    this.products = products;
    this.weight = (name) => (name === undefined ? undefined : weights.get(name));
    for (const { do: kind } of list.layers) {
      if (kind !== "input" && !Object.hasOwn(layers, kind)) throw new Error(`no layer of the engine is called ${kind}`);
    }
    this.prepared = list.layers.map((layer) => layers[layer.do]?.prepare?.(layer, this.weight, products));
    this.lastUse = new Map();  // after it, a result is let go
    list.layers.forEach((layer, i) => layer.of.forEach((place) => this.lastUse.set(place, i)));
    list.outputs.forEach((place) => this.lastUse.set(place, Infinity));
  }

  /* Return the outputs for the inputs, both lists of tensors. */
  run(inputs) {
    const walk = this.steps(inputs);
    for (;;) {
      const { done, value } = walk.next();
      if (done) return value;
    }
  }

  /* The same layer by layer, for whoever wants to pause or to stop: yields the share of the layers that are done. */
  *steps(inputs) {
    const results = [], waiting = [...inputs], isInput = (data) => inputs.some((one) => one.data === data);
    for (const [i, layer] of this.list.layers.entries()) {
      const of = layer.of.map((place) => results[place]);
      results[i] = layer.do === "input" ? waiting.shift()
        : layers[layer.do].run(of, layer, this.weight, this.prepared[i], this.products);
      for (const place of layer.of) {
        if (this.lastUse.get(place) !== i) continue;
        const { data } = results[place] || {};
        results[place] = null;
        const kept = !data || data.length < LARGE || isInput(data) || results.some((one) => one?.data === data);
        if (!kept) spare.push(data);
      }
      yield (i + 1) / this.list.layers.length;
    }
    return this.list.outputs.map((place) => results[place]);
  }
}

/* ---------------------------------------------------------------------------------------------------------- weights */

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/* The checksum of zlib and PNG. */
function crc32(bytes) {
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = table[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/* The number that sixteen bits stand for: a sign, five bits of exponent, ten of fraction (IEEE 754 binary16). */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/* Return the networks by name of what helpers/live/pack.py made; throw if the weights are not what was packed. */
function unpacked({ networks, weights, numbers, crc32: expected }, products) {
  const bytes = bytesOf(numbers);
  if (crc32(bytes) !== expected) throw new Error("the weights are damaged: their checksum is not the expected one");
  const halves = new Uint16Array(bytes.buffer), values = Float32Array.from(halves, half);
  const named = new Map(Object.entries(weights).map(
    ([name, [place, shape]]) => [name, tensor(shape, values.subarray(place, place + size(shape)))]));
  return Object.fromEntries(Object.entries(networks).map(([name, list]) => [name, new Network(list, named, products)]));
}
