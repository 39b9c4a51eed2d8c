/* The worker: computes beside the page, so that the page never waits. Of several questions the newest counts.

   In come { do: "start", kernel }, { do: "model", name, content } and questions, { do: "restore" | "denoise", number, … };
   out go { do: "started" | "ready" | "answer" | "done" | "failed", … }, and on the way { do: "measured" | "level" |
   "share" }. */

"use strict";

const models = {};
let products, newest = 0;

const METHODS = [  // in the order in which they answer; each with the models that it needs
  ["restorer", ["restorer"], async (question, tell) => tell(one(restorer(models, question)))],
  ["gan", ["inverter", "gan"], async (question, tell) => tell(one(gan(models, question)))],
  ["vae", ["vae"], async (question, tell) => tell(one(vae(models, question)))],
  ["diffusion", ["diffusion-digits"], walk],
];

/* Products by the kernel, or in plain JavaScript where a browser has no SIMD or a page's policy forbids WebAssembly. */
function productsHere(program) {
  try {
    if (WebAssembly.validate(program)) return new Products(program);
  } catch {
    // no WebAssembly at all, or it is forbidden
  }
  return new Products(null);
}

const one = (x) => tensor([1, ...SIDES], x);
const pause = () => new Promise((resolve) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { channel.port1.close(); resolve(); };
  channel.port2.postMessage(null);
});

async function walk(question, tell, stale) {
  let last;
  for (const pictures of repaint(models, question, question.answers, gaussian(question.seed))) {
    last = pictures;
    if (!question.still) tell(pictures, true);
    await pause();
    if (stale()) return;
  }
  tell(last);
}

async function answer(question) {
  const stale = () => question.number !== newest;
  for (const [method, needed, run] of METHODS) {
    await pause();
    if (stale()) return;
    if (!needed.every((name) => name in models) || !("classifier" in models)) continue;
    const begun = performance.now();
    await run(question, (pictures, moving = false) => postMessage({
      do: "answer", number: question.number, method, pictures: pictures.data, moving,
      odds: moving ? null : read(models, pictures), ms: performance.now() - begun }), stale);
    if (stale()) return;
  }
  postMessage({ do: "done", number: question.number });
}

/* Add noise to a photograph if wanted, estimate its level if it is not told, and take the noise away. */
async function denoisePhoto({ number, planes, added, seed, sigma, clipping }) {
  const tell = (what, content) => postMessage({ do: what, number, ...content });
  await pause();  // a newer question may wait
  if (number !== newest) return;
  const begun = performance.now(), y = added ? noisy(planes, added, seed) : planes;
  tell("measured", { planes: y });
  const level = sigma ?? estimateNoise(y, clipping);
  tell("level", { sigma: level });
  const walk = denoisePlanes(models.denoiser, y, level);
  for (;;) {
    const { done, value } = walk.next();
    if (done) {
      tell("answer", { planes: value, sigma: level, ms: performance.now() - begun,
                       apart: [y, value].map((found) => meanSquare(planes, found)), change: meanSquare(y, value) });
      return;
    }
    tell("share", { share: value });
    await pause();
    if (number !== newest) return;
  }
}

const QUESTIONS = { restore: answer, denoise: denoisePhoto };

self.onmessage = ({ data }) => {
  try {
    if (data.do === "start") {
      products = productsHere(bytesOf(data.kernel));
      postMessage({ do: "started", fast: Boolean(products.product) });
    } else if (data.do === "model") {
      const networks = unpacked(data.content, products);
      models[data.name] = { ...networks, settings: data.content.settings };
      postMessage({ do: "ready", name: data.name });
    } else {
      newest = data.number;
      QUESTIONS[data.do](data).catch((error) => postMessage({ do: "failed", number: data.number, why: error.message }));
    }
  } catch (error) {
    postMessage({ do: "failed", name: data.name, number: data.number, why: error.message });
  }
};
