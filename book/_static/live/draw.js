/* The panel "draw from noise": a digit, or a robot by words, and every step of the way to it.

   The figure that the page was built with stays until a reader acts; then the strip of the steps takes its place, and a
   slider leads along it. */

(() => {
  "use strict";

  const { element } = live;
  const FIRST = { label: -1, sampler: "heun", steps: 9, guidance: 2, seed: 9 };  // as in the figure
  const ROBOT = 0.03;  // how near a robot must be for the picture to count as one, as on the model card
  const THINGS = {
    "diffusion-digits": { side: 28, needs: ["diffusion-digits", "classifier"], size: 2 },
    "diffusion-robots": { side: 32, needs: ["robot-world", "diffusion-robots"], size: 4 },
  };
  const METHODS = { heun: "Heun's method", ddim: "DDIM", ddpm: "DDPM (new noise)", flow: "flow matching" };

  /* -------------------------------------------------------------------------------------------------- small helpers */

  /* A picture of one or three channels; noisy ones are shrunk into the range, as DDPM keeps them. */
  function paint(canvas, numbers, sigma = 0) {
    const { width: side } = canvas, image = new ImageData(side, side), channels = numbers.length / side ** 2;
    const shrink = 1 / Math.hypot(1, 2 * sigma);
    for (let i = 0; i < side ** 2; i++) {
      for (let c = 0; c < 3; c++) {
        const value = numbers[channels * i + (channels === 3 ? c : 0)];
        image.data[4 * i + c] = Math.round(255 * Math.min(Math.max(0.5 + shrink * (value - 0.5), 0), 1));
      }
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  const level = (sigma) => (sigma >= 1 ? sigma.toFixed(1) : sigma.toPrecision(2));
  const percent = (share) => `${Math.round(100 * share)} %`;

  /* --------------------------------------------------------------------------------------------------- one panel */

  function panel(place) {
    let number = 0, asked = 0, running = null;
    let frames = [], all = 0, position = 0, words = "";  // what is shown: a walk of so many steps, at one of them
    const hand = live.hand({ ready: send, failed: stepBack, hear });
    const id = (name) => `${place.id}-${name}`;

    /* ---- what a reader can set */

    const labelled = (text, control, ...more) => element("label", {}, `${text} `, control, ...more);
    const things = Object.keys(THINGS).map((name, k) => element("input", {
      type: "radio", name: id("thing"), value: name, checked: k === 0, onchange: () => { arrange(); act(); } }));
    const digit = element("select", { onchange: act }, element("option", { value: -1 }, "any"),
      ...Array.from({ length: 10 }, (_, k) => element("option", { value: k, selected: k === FIRST.label }, k)));
    const text = element("input", {
      type: "text", class: "live-words", maxlength: 199, value: "a green robot with a moustache", spellcheck: "false",
      autocomplete: "off", "aria-describedby": id("why"),
      onkeydown: (event) => { if (event.key === "Enter") act(); } });
    const why = element("p", { role: "alert", class: "live-why", id: id("why") });
    const vocabulary = element("details", { hidden: true }, element("summary", {}, "The words it knows"));
    const method = element("select", { onchange: act }, ...Object.entries(METHODS).map(
      ([name, told]) => element("option", { value: name }, told)));
    const slider = (name, min, max, step) => {
      const told = element("output", {}, FIRST[name]);
      const control = element("input", { type: "range", min, max, step, value: FIRST[name],
        oninput: () => { told.textContent = control.value; }, onchange: act });
      return [control, told];
    };
    const [steps, stepsTold] = slider("steps", 2, 36, 1);
    const [guidance, guidanceTold] = slider("guidance", 0, 6, 0.5);
    const seed = element("input", { type: "number", min: 0, max: 2 ** 32 - 1, value: FIRST.seed, onchange: act });
    const another = element("button", { type: "button", onclick: () => { seed.value = chosenSeed() + 1; act(); } },
      "Other noise");
    const go = element("button", { type: "button", class: "live-go", onclick: () => (running ? stop() : act()) },
      "Draw");
    const forDigits = element("div", {}, labelled("Which digit", digit));
    const forRobots = element("div", { class: "live-wide" }, labelled("What it looks like", text), why, vocabulary,
      element("p", { class: "live-credit" }, "Robots by Zikri Kader, robohash, CC BY."));

    const chosenSeed = () => Math.min(Math.max(Math.round(Number(seed.value)) || 0, 0), 2 ** 32 - 1);
    const chosenThing = () => things.find((one) => one.checked).value;

    /* ---- what is shown */

    const status = element("p", { role: "status", class: "live-status" });
    const progress = element("progress", { "aria-label": "steps done", max: 1, value: 0 });
    const [noisy, clean] = ["What the network gets", "What it believes is there"].map((title) => ({
      title, picture: element("canvas", { role: "img", class: "live-large" }) }));
    const scrub = element("input", { type: "range", min: 0, max: 0, step: 1, value: 0, class: "live-scrub",
      "aria-label": "Step of the walk", oninput: () => show(Number(scrub.value)) });
    const where = element("p", { class: "live-where" });
    const strip = element("div", { class: "live-strip", "aria-hidden": "true" });
    const now = element("div", { class: "live-walk", hidden: true }, element("div", { class: "live-pair" },
      ...[noisy, clean].map(({ title, picture }) => element("div", {},
        element("p", { class: "live-name" }, element("strong", {}, title)), picture))), progress, where, scrub, strip);

    place.querySelector(".live-title").after(element("div", { class: "live-controls live-knobs" },
      element("div", { role: "group", "aria-label": "What to draw", class: "live-tools" }, ...things.map((one, k) =>
        element("label", {}, one, k ? " a robot, by words" : " a digit"))),
      forDigits, forRobots,
      element("div", {}, labelled("Method", method), labelled("Steps", steps, stepsTold),
        labelled("Guidance γ", guidance, guidanceTold)),
      element("div", {}, labelled("Seed of the noise", seed), another, go)));
    place.append(now, status);
    arrange();
    say("Press Draw, or turn a knob: the network runs in your browser, and nothing leaves it.");

    function arrange() {
      forDigits.hidden = chosenThing() !== "diffusion-digits";
      forRobots.hidden = !forDigits.hidden;
    }

    function say(sentence) {
      if (sentence !== words) status.textContent = words = sentence;
    }

    /* A place of the strip, or the last one that is there. */
    function show(place) {
      position = Math.min(place, frames.length - 1);
      if (position < 0) return;
      const { x, clean: seen, sigma } = frames[position];
      const told = sigma ? `step ${position + 1} of ${all}, noise level ${level(sigma)}` : "the end: no noise is left";
      for (const [one, numbers, noise] of [[noisy, x, sigma], [clean, seen, 0]]) {
        paint(one.picture, numbers, noise);
        one.picture.setAttribute("aria-label", `${one.title}, ${told}`);
      }
      scrub.value = position;
      scrub.setAttribute("aria-valuetext", told);
      where.textContent = `${told[0].toUpperCase()}${told.slice(1)}`;
      [...strip.children].forEach((one, k) => one.classList.toggle("live-here", k === position));
    }

    /* ---- questions and answers */

    function act() {
      if (!asked) asked = requestAnimationFrame(ask);
    }

    async function ask() {
      asked = 0;
      const name = chosenThing(), { needs, size } = THINGS[name], overtaken = Boolean(running?.gone);
      seed.value = chosenSeed();
      begin({ do: "draw", number: ++number, name, words: text.value, label: Number(digit.value), sampler: method.value,
        steps: Number(steps.value), guidance: Number(guidance.value), seed: chosenSeed(), overtaken });
      hand.post({ do: "stop", number });  // what runs has been overtaken
      if (!hand.has(needs)) say(`The network is coming: about ${size} MB, once.`);
      if (await hand.need(needs)) send();
    }

    /* The newest question goes off when all that it needs is there. */
    function send() {
      if (!running || running.gone || !hand.has(THINGS[running.name].needs)) return;
      running.gone = true;
      if (hand.has(["robot-world"])) live.load("robot-world").then(({ words: known }) => tellWords(known));
      say(`${running.overtaken ? "The last picture is given up. Drawing another" : "Drawing"} …`
        + (hand.isSlow() ? " Slowly: this browser has no fast arithmetic (WebAssembly SIMD)." : ""));
      hand.post(running);
    }

    /* The last walk, or the figure, stays until the first step of the new one comes. */
    function begin(question) {
      running = question;
      go.textContent = "Stop";
      progress.max = question.steps;
      progress.value = 0;
      text.removeAttribute("aria-invalid");
      why.textContent = "";
    }

    function lead() {
      const { side } = THINGS[running.name];
      running.leads = true;
      now.hidden = false;
      place.classList.add("live-begun");
      frames = [];
      position = 0;
      scrub.max = all = running.steps;
      for (const { picture } of [noisy, clean]) if (picture.width !== side) picture.width = picture.height = side;
    }

    function end() {
      running = null;
      go.textContent = "Draw";
    }

    function stop() {
      const done = running.leads ? frames.length : 0, { steps: wanted } = running;
      hand.post({ do: "stop", number: ++number });
      end();
      layStrip();
      show(frames.length - 1);
      say(`Stopped after ${done} of ${wanted} steps${done ? ": the strip shows the way so far" : ""}.`);
    }

    /* Back to the figure: what a reader does next tries again. */
    function stepBack(why) {
      end();
      now.hidden = true;
      place.classList.remove("live-begun");
      say(`The network cannot run here: ${why}. The figure shows one walk; press Draw to try again.`);
    }

    function hear(message) {
      if (message.number !== number || !running) return;
      if (message.do === "failed") {
        hand.fail(message.why);
      } else if (message.do === "step") {
        if (!running.leads) lead();
        frames.push(message);
        progress.value = frames.length - 1;
        if (!matchMedia("(prefers-reduced-motion: reduce)").matches) follow();
      } else if (message.do === "refused") {
        end();
        text.setAttribute("aria-invalid", "true");
        why.textContent = `W${message.why.slice(1)}${message.why.endsWith("?") ? "" : "."}`;  // "Words …"
        say("Nothing is drawn.");
      } else {
        end();
        layStrip();
        show(frames.length - 1);
        say(`${all} steps, ${message.runs} runs of the network. `
          + (message.odds ? readDigit(message.odds) : readRobot(message)));
      }
    }

    /* While it draws: the newest step, unless a reader has gone back along the strip. */
    function follow() {
      const followed = position >= frames.length - 2;
      layStrip();
      if (followed) show(frames.length - 1);
    }

    function layStrip() {
      while (strip.children.length > frames.length) strip.lastChild.remove();
      frames.forEach(({ clean: seen }, k) => {
        let one = strip.children[k];
        if (!one) strip.append(one = element("canvas", { onclick: () => show(k) }));
        if (one.width !== noisy.picture.width) one.width = one.height = noisy.picture.width;
        paint(one, seen);
      });
    }

    function readDigit(odds) {
      const order = [...odds.keys()].sort((a, b) => odds[b] - odds[a]).filter((k, rank) => !rank || odds[k] >= 0.05);
      return `The classifier reads ${order.slice(0, 2).map((k) => `${k} (${percent(odds[k])})`).join(" or ")}.`;
    }

    function readRobot({ said, found, distance, missed }) {
      const near = `${distance.toFixed(3)} away${distance < ROBOT ? "" : ` (above ${ROBOT}: no robot)`}`;
      const came = said === "a robot" ? ""
        : missed.length ? ` Not as asked: ${missed.join(", ")}.` : " All that was asked for came.";
      return `Asked for: ${said}. The nearest of the million is ${found}, ${near}.${came}`;
    }

    function tellWords({ colours, phrases }) {
      if (!vocabulary.hidden) return;
      const list = Object.entries({ colour: colours, ...phrases }).map(([kind, all]) =>
        element("li", {}, element("strong", {}, `${kind}: `), all.join(", ")));
      vocabulary.append(element("ul", {}, ...list));
      vocabulary.hidden = false;
    }
  }

  for (const place of document.querySelectorAll('.live-panel[data-panel="draw-from-noise"]')) panel(place);
})();
