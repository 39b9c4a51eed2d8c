/* The panel "damage and restore a digit": pick or draw one, wipe some of it away, and watch the networks put it back.

   The figure that the page was built with stays until a reader acts; then a board and the answers take its place. */

(() => {
  "use strict";

  const SIDE = 28, PIXELS = SIDE * SIDE, ZOOM = 10, NOISE = 0.5, ANSWERS = 4;
  const MODELS = ["classifier", "restorer", "inverter", "gan", "vae", "diffusion-digits"];
  const METHODS = {
    restorer: ["U-Net", "trained on damaged digits", 1],
    gan: ["GAN", "searches the digit behind it", 1],
    vae: ["VAE", "fills in, looks, fills in again", 1],
    diffusion: ["Diffusion", "four draws of what it could have been", ANSWERS],
  };
  const NUMBERS = ["none", "one", "two", "three", "all four"];

  /* -------------------------------------------------------------------------------------------------- small helpers */

  const { element } = live;

  function paint(canvas, pixels) {
    const image = new ImageData(SIDE, SIDE);
    for (let i = 0; i < PIXELS; i++) {
      const grey = Math.round(255 * Math.min(Math.max(pixels[i], 0), 1));
      image.data.set([grey, grey, grey, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  const small = (label) => element("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": label });

  /* A function that gives random numbers from 0 to 1, by mulberry32: the seed decides the sequence. */
  function random(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  function gaussian(next) {
    return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }

  /* "7 (98 %)", and the runner-up where the odds are open. */
  function reading(odds) {
    const order = [...odds.keys()].sort((a, b) => odds[b] - odds[a]);
    const told = order.slice(0, 2).filter((digit, place) => place === 0 || odds[digit] >= 0.05);
    return told.map((digit) => `${digit} (${Math.round(100 * odds[digit])} %)`).join(" or ");
  }

  function decibels(truth, found) {
    let squares = 0;
    for (let i = 0; i < PIXELS; i++) squares += (truth[i] - found[i]) ** 2;
    return squares ? `${(-10 * Math.log10(squares / PIXELS)).toFixed(1)} dB` : "exact";
  }

  /* --------------------------------------------------------------------------------------------------- one panel */

  function panel(place, digits) {
    const first = digits[place.dataset.digit];
    const state = {  // as in the figure: the lower half is lost
      x: first.pixels, mask: Float32Array.from({ length: PIXELS }, (_, i) => (i < PIXELS / 2 ? 1 : 0)), noise: null,
      tool: "wipe", cursor: [13, 13], number: 0, drawing: false, last: null, seed: 1,
    };
    let computer = null, attempt = 0, asked = 0, found = {};
    const ready = new Set(), broken = new Map();

    /* ---- what is shown */

    const board = element("canvas", {
      width: SIDE * ZOOM, height: SIDE * ZOOM, tabindex: 0, role: "application", class: "live-board",
      "aria-label": "The digit, 28 by 28 pixels. Move with the arrow keys; space wipes or draws; hold shift to go on "
        + "wiping or drawing while you move.",
    });
    const status = element("p", { role: "status", class: "live-status" });
    const spot = element("p", { "aria-live": "polite", class: "visually-hidden" });
    const cards = Object.fromEntries(Object.entries(METHODS).map(([method, [name, what, count]]) => {
      const pictures = Array.from({ length: count }, (_, i) => {
        const canvas = small(`${name}${count > 1 ? `, answer ${i + 1}` : ""}: no answer yet`);
        const words = element("span", { class: "live-reading" }, "…");
        return { canvas, words, figure: element("div", { class: "live-answer" }, canvas, words) };
      });
      const card = element("div", { class: `live-card live-card-${count}` },
        element("p", { class: "live-name" }, element("strong", {}, name), element("br"), what),
        element("div", { class: "live-answers" }, ...pictures.map((one) => one.figure)));
      return [method, { card, pictures }];
    }));
    const now = element("div", { class: "live-now", hidden: true },
      element("div", { class: "live-card live-card-board" },
        element("p", { class: "live-name" }, element("strong", {}, "What the networks see"), element("br"),
          "hatched: lost"), board),
      element("div", { class: "live-cards" }, ...Object.values(cards).map(({ card }) => card)));

    const pickers = digits.map((digit) => {
      const picture = small("");
      picture.setAttribute("aria-hidden", "true");
      paint(picture, digit.pixels);
      return element("button", {
        type: "button", class: "live-pick", "aria-label": `a handwritten ${digit.label}`, "aria-pressed": "false",
        onclick: () => pick(digit),
      }, picture);
    });
    const damages = {
      Hole: () => lose((row, column) => row >= 7 && row < 21 && column >= 7 && column < 21),
      "Lower half": () => lose((row) => row >= 14),
      Scatter: () => { const next = random(state.seed++); lose(() => next() < 0.75); },
      Noise: () => {
        const next = random(1000 + state.seed++);
        lose(() => false);
        state.noise = Float32Array.from({ length: PIXELS }, () => gaussian(next));
      },
      "Whole again": () => lose(() => false),
    };
    const buttons = Object.entries(damages).map(([name, damage]) => element("button", {
      type: "button", onclick: () => { damage(); changed(); } }, name));
    const tools = ["wipe", "draw"].map((tool) => element("label", {},
      element("input", { type: "radio", name: `live-tool-${place.id}`, checked: tool === "wipe",
        onclick: () => { state.tool = tool; act(); } }), ` ${tool}`));
    const blank = element("button", { type: "button", onclick: () => {
      state.x = new Float32Array(PIXELS);
      lose(() => false);
      press(null);
      tools[1].firstChild.checked = true;
      state.tool = "draw";
      changed();
      board.focus();
    } }, "Blank sheet");

    place.querySelector(".live-title").after(element("div", { class: "live-controls" },
      element("div", { role: "group", "aria-label": "Digit" }, ...pickers, blank),
      element("div", { role: "group", "aria-label": "Damage" }, ...buttons),
      element("div", { role: "group", "aria-label": "What the pointer does", class: "live-tools" },
        element("span", {}, "On the board: "), ...tools)));
    place.append(now, status, spot);
    status.textContent = "Pick a digit or a damage: then you can wipe and draw with mouse, finger or keyboard. The "
      + "networks run in your browser; nothing leaves it.";

    /* ---- what a reader does */

    function press(button) {
      for (const one of pickers) one.setAttribute("aria-pressed", String(one === button));
    }

    function pick(digit) {
      state.x = digit.pixels;
      press(pickers[digits.indexOf(digit)]);
      changed();
    }

    function lose(lost) {
      state.noise = null;
      state.mask = Float32Array.from({ length: PIXELS }, (_, i) => (lost(Math.floor(i / SIDE), i % SIDE) ? 0 : 1));
    }

    /* Wipe or draw around a place, given in pixels of the digit. */
    function touch(row, column) {
      const drawing = state.tool === "draw";
      if (drawing && digits.some(({ pixels }) => pixels === state.x)) state.x = state.x.slice();
      for (let i = 0; i < PIXELS; i++) {
        const far = Math.hypot(Math.floor(i / SIDE) + 0.5 - row, (i % SIDE) + 0.5 - column);
        if (drawing) {
          state.x[i] = Math.max(state.x[i], Math.min(Math.max(1.8 - far, 0), 1));
          if (far < 1.8) state.mask[i] = 1;
        } else if (far < 1.8) {
          state.mask[i] = 0;
        }
      }
      if (drawing) press(null);
    }

    /* From the last place to this one, without gaps. */
    function stroke(to) {
      const from = state.last || to, steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
      for (let i = 1; i <= steps; i++) {
        touch(from[0] + (to[0] - from[0]) * i / steps, from[1] + (to[1] - from[1]) * i / steps);
      }
      state.last = to;
      changed();
    }

    function where(event) {
      const box = board.getBoundingClientRect();
      return [(event.clientY - box.top) / box.height * SIDE, (event.clientX - box.left) / box.width * SIDE];
    }

    board.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;  // a second finger draws no line to the first
      event.preventDefault();
      board.focus({ preventScroll: true });
      board.setPointerCapture(event.pointerId);
      state.drawing = true;
      state.last = null;
      stroke(where(event));
    });
    board.addEventListener("pointermove", (event) => {
      if (state.drawing && event.isPrimary) stroke(where(event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      board.addEventListener(end, (event) => { if (event.isPrimary) state.drawing = false; });
    }

    board.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const step = steps[event.key];
      if (!step && event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (step) {
        state.cursor = state.cursor.map((at, axis) => Math.min(Math.max(at + step[axis], 0), SIDE - 1));
      }
      if (!step || event.shiftKey) {
        state.last = null;
        stroke(state.cursor.map((at) => at + 0.5));
      }
      drawBoard();
      spot.textContent = underCursor();
    });
    for (const event of ["focus", "blur"]) board.addEventListener(event, () => drawBoard());

    /* What a screen reader says of the place of the keyboard. */
    function underCursor() {
      const [row, column] = state.cursor, i = row * SIDE + column;
      const what = !state.mask[i] ? "lost" : state.x[i] > 0.5 ? "ink" : "empty";
      return `row ${row + 1}, column ${column + 1}: ${what}`;
    }

    /* ---- the board */

    function measured() {
      const { x, mask, noise } = state;
      return Float32Array.from(x, (value, i) => mask[i] * (value + (noise ? NOISE * noise[i] : 0)));
    }

    function drawBoard() {
      const context = board.getContext("2d"), y = measured();
      for (let i = 0; i < PIXELS; i++) {
        const left = (i % SIDE) * ZOOM, top = Math.floor(i / SIDE) * ZOOM;
        const grey = Math.round(255 * Math.min(Math.max(y[i], 0), 1));
        context.fillStyle = state.mask[i] ? `rgb(${grey} ${grey} ${grey})` : "#1f3a5f";
        context.fillRect(left, top, ZOOM, ZOOM);
        if (!state.mask[i]) {
          context.strokeStyle = "#9dc3f0";
          context.lineWidth = 1.5;
          context.beginPath();
          context.moveTo(left, top + ZOOM);
          context.lineTo(left + ZOOM, top);
          context.stroke();
        }
      }
      if (document.activeElement === board && board.matches(":focus-visible")) {
        const [row, column] = state.cursor;
        for (const [colour, grow] of [["#000", 3], ["#fff", 1]]) {
          context.strokeStyle = colour;
          context.lineWidth = 2;
          context.strokeRect(column * ZOOM - grow, row * ZOOM - grow, ZOOM + 2 * grow, ZOOM + 2 * grow);
        }
      }
    }

    /* ---- questions and answers */

    function act() {
      if (!now.hidden) return;
      now.hidden = false;
      place.classList.add("live-begun");
      drawBoard();
      say("The networks are coming: about 10 MB, once.");
      const mine = ++attempt;
      live.computer(MODELS, (message) => { if (mine === attempt) hear(message); })
        .then((worker) => {
          if (mine !== attempt) return worker.terminate();
          computer = worker;
          ask();
        })
        .catch((error) => { if (mine === attempt) fail(error.message); });
    }

    let words = "";
    function say(sentence) {
      if (sentence !== words) status.textContent = words = sentence;
    }

    /* Back to the figure: what a reader does next tries again. */
    function fail(why) {
      computer?.terminate();
      computer = null;
      attempt++;
      ready.clear();
      broken.clear();
      now.hidden = true;
      place.classList.remove("live-begun");
      say(`The networks cannot run here: ${why}. The figure shows what they make of one digit; press any button to try `
        + "again.");
    }

    function changed() {
      act();
      drawBoard();
      if (!asked) asked = requestAnimationFrame(ask);
    }

    function ask() {
      asked = 0;
      if (!computer) return;
      found = {};
      computer.postMessage({
        do: "restore", number: ++state.number, y: measured(), mask: state.mask, sigma: state.noise ? NOISE : 0,
        answers: ANSWERS, seed: state.number, still: matchMedia("(prefers-reduced-motion: reduce)").matches });
    }

    function hear(message) {
      if (message.do === "ready") {
        ready.add(message.name);
        if (ready.has("classifier")) ask();
      } else if (message.do === "failed" && message.name && message.name !== "classifier") {
        broken.set(message.name, message.why);
        say(missing());
      } else if (message.do === "failed") {  // without the classifier nobody can read the answers
        fail(message.why);
      } else if (message.do === "started" && !message.fast) {
        say("This browser has no fast arithmetic (WebAssembly SIMD): the answers will come, but slowly.");
      } else if (message.number !== state.number) {
        return;
      } else if (message.do === "answer") {
        show(message);
      } else if (message.do === "done" && ready.size + broken.size === MODELS.length) {
        say(broken.size ? `${summary()} ${missing()}` : summary());
      }
    }

    function show({ method, pictures, odds, moving }) {
      const [name, , count] = METHODS[method];
      cards[method].pictures.forEach(({ canvas, words }, i) => {
        const picture = pictures.subarray(i * PIXELS, (i + 1) * PIXELS);
        paint(canvas, picture);
        if (moving) {
          words.textContent = "on its way …";
          return;
        }
        const near = count > 1 ? "" : `, ${decibels(state.x, picture)}`;
        words.textContent = `reads ${reading(odds[i])}${near}`;
        canvas.setAttribute("aria-label", `${name}${count > 1 ? `, answer ${i + 1}` : ""}: reads ${reading(odds[i])}`);
      });
      if (!moving) found[method] = odds.map((row) => row.indexOf(Math.max(...row)));
    }

    function missing() {
      const all = [...broken].map(([name, why]) => `${name}: ${why}`);
      return `${all.length > 1 ? "Some networks are" : "One network is"} missing (${all.join("; ")}). The others go on; `
        + "reload the page to try again.";
    }

    function summary() {
      const lost = state.mask.reduce((sum, known) => sum + 1 - known, 0);
      const damage = state.noise ? `noise of level ${NOISE}${lost ? `, and ${lost} of 784 pixels lost` : ""}`
        : lost ? `${lost} of 784 pixels lost` : "nothing lost";
      const single = Object.entries(found).filter(([, read]) => read.length === 1)
        .map(([method, read], place) => `the ${METHODS[method][0]}'s ${place ? "" : "answer reads "}as ${read[0]}`);
      const counts = new Map();
      for (const digit of found.diffusion || []) counts.set(digit, (counts.get(digit) || 0) + 1);
      const draws = [...counts].sort((a, b) => b[1] - a[1]).map(([digit, times], place) =>
        `${NUMBERS[times]} ${place ? "" : times > 1 ? "read " : "reads "}as ${digit}`);
      const told = [single.join(", "), draws.length ? `of four draws of the diffusion model, ${draws.join(", ")}` : ""];
      return `With ${damage}, ${told.filter(Boolean).join("; ") || "no network answers"}.`;
    }

    press(pickers[digits.indexOf(first)]);
  }

  for (const place of document.querySelectorAll('.live-panel[data-panel="restore-digit"]')) {
    live.load("digits").then((digits) => {
      panel(place, digits.map(({ label, pixels }) => ({
        label, pixels: Float32Array.from(atob(pixels), (letter) => letter.charCodeAt(0) / 255) })));
    }).catch((error) => {  // the figure is complete without it
      place.append(element("p", { role: "status", class: "live-status" }, `The panel cannot begin: ${error.message}.`));
    });
  }
})();
