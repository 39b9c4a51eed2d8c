/* The worker: computes beside the page, so that the page never waits. Of several questions the newest counts.

   In come { do: "start", kernel }, { do: "model", name, content } and questions, { do: "restore" | "denoise" | "draw" |
   "mix" | "stop", number, … }; out go { do: "started" | "ready" | "answer" | "done" | "drawn" | "told" | "refused" |
   "failed", … }, and on the way { do: "measured" | "level" | "lacking" | "share" | "step" | "mixed" }. */

"use strict";

const STARTS = 4;  // of the GAN's search

const models = {};
let products, newest = 0;

const METHODS = [  // in the order in which they answer; each with the models that it needs
  ["restorer", ["restorer"], async (question, tell) => tell(one(restorer(models, question)))],
  ["vae", ["vae"], async (question, tell) => tell(one(vae(models, question)))],
  ["gan", ["inverter", "gan"], searchAll],
  ["diffusion", ["diffusion-digits"], repaintAll],
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

/* Show the pictures of a walk as it goes, and the last one for good; stop when another question has come. */
async function follow(walk, { still }, tell, stale) {
  let last;
  for (last of walk) {
    if (!still) tell(last, true);
    await pause();
    if (stale()) return;
  }
  tell(last);
}

function searchAll(question, tell, stale) {
  const start = guesses(models, question, STARTS, gaussian(question.seed), uniformly(question.seed));
  return follow(search(models, question, start), question, (x, moving) => tell(one(x), moving), stale);
}

function repaintAll(question, tell, stale) {
  return follow(repaint(models, question, question.answers, gaussian(question.seed)), question, tell, stale);
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

/* One picture from noise, told at each step; at the end, what it reads as. */
async function draw({ number, name, words, label, seed, ...how }) {
  let said = [label, -1], last;
  if (name === "diffusion-robots") {
    try {
      said = parse(words, models["robot-world"].words);
    } catch (error) {
      postMessage({ do: "refused", number, why: error.message });
      return;
    }
  }
  for (last of sample(models[name], said, how, gaussian(seed))) {
    postMessage({ do: "step", number, x: last.x.data, clean: last.clean.data, sigma: last.sigma });
    await pause();
    if (number !== newest) return;
  }
  const picture = tensor(last.x.shape, last.x.data.map(clip)), runs = evaluations(how.sampler, how.steps,
    said.every((value) => value < 0) ? 1 : how.guidance);
  if (name === "diffusion-digits") {
    postMessage({ do: "drawn", number, runs, odds: read(models, picture)[0] });
    return;
  }
  models["robot-world"].drawn ??= drawings(models["robot-world"].parts);
  const { robot, distance } = nearestRobot(picture.data, models["robot-world"].drawn);
  postMessage({ do: "drawn", number, runs, distance, said: caption(said, models["robot-world"].words),
    found: caption(robot, models["robot-world"].words), missed: models["robot-world"].words.attributes.filter(
      (_, k) => said[k] >= 0 && said[k] !== robot[k]) });
}

/* Two robots, their mixture and what lies between them; then what the two and the mixture read as. */
async function mix({ number, ...how }) {
  const stale = () => number !== newest, model = models["stylegan-robots"], world = models["robot-world"];
  await pause();
  if (stale()) return;
  const begun = performance.now(), pictures = mixedRobots(model, how), width = size(pictures.shape.slice(1));
  postMessage({ do: "mixed", number, pictures: pictures.data, ms: performance.now() - begun });
  if (!world) return;
  world.drawn ??= drawings(world.parts);
  const readings = [];
  for (let i = 0; i < 3; i++) {
    await pause();
    if (stale()) return;
    readings.push(nearestRobot(pictures.data.subarray(i * width, (i + 1) * width), world.drawn, true));
  }
  postMessage({ do: "told", number, readings });
}

/* Add noise to a photograph if wanted, estimate its level if it is not told, and take the noise away: by the network of
   colours from the level colourFrom on, below it by that of grey pictures, of contrasts if they are wanted. Which one
   is needed shows here, so it may still have to come. */
async function denoisePhoto({ number, planes, added, seed, sigma, clipping, colourFrom, contrasts }) {
  const tell = (what, content) => postMessage({ do: what, number, ...content });
  await pause();  // a newer question may wait
  if (number !== newest) return;
  const begun = performance.now(), y = added ? noisy(planes, added, seed) : planes;
  tell("measured", { planes: y });
  const level = sigma ?? estimateNoise(y, clipping);
  tell("level", { sigma: level });
  const name = planes.length > 1 && level >= colourFrom ? "denoiser-colour" : "denoiser";
  if (!models[name]) {
    tell("lacking", { name });
    return;
  }
  const turned = contrasts && planes.length > 1 && name === "denoiser";
  const walk = denoisePlanes(models[name], turned ? toContrasts(y) : y, level);
  let step = walk.next();
  for (; !step.done && number === newest; step = walk.next()) {
    tell("share", { share: step.value });
    await pause();
  }
  spare.length = 0;  // the arrays of a large picture
  if (!step.done) return;
  const x = turned ? fromContrasts(step.value) : step.value;
  tell("answer", { planes: x, ms: performance.now() - begun, apart: [y, x].map((found) => meanSquare(planes, found)),
                   change: meanSquare(y, x), name });
}

const QUESTIONS = { restore: answer, denoise: denoisePhoto, draw, mix, stop: async () => {} };

self.onmessage = ({ data }) => {
  try {
    if (data.do === "start") {
      products = productsHere(bytesOf(data.kernel));
      postMessage({ do: "started", fast: Boolean(products.product) });
    } else if (data.do === "model") {
      const networks = data.content.networks && unpacked(data.content, products);
      models[data.name] = networks ? { ...networks, settings: data.content.settings } : data.content;
      postMessage({ do: "ready", name: data.name });
    } else {
      newest = data.number;
      QUESTIONS[data.do](data).catch((error) => postMessage({ do: "failed", number: data.number, why: error.message }));
    }
  } catch (error) {
    postMessage({ do: "failed", name: data.name, number: data.number, why: error.message });
  }
};
