/* The panel "mix styles": two robots, and a third one whose layers take their styles from either; below, a walk.

   The figure that the page was built with stays until a reader acts. Everything that can be set is one question, which
   the network answers in one go; the newest question counts. */

(() => {
  "use strict";

  const { element } = live;
  const FIRST = { seeds: [1, 4], second: [0, 1, 2], along: 0.5, truncation: 1, noise: 1 };  // as in the figure
  const SIZES = [4, 8, 8, 16, 16, 16];  // places along a side of what each layer puts out
  const SIDE = 32, LAST = 2 ** 32 - 1;
  const LIMIT = 0.06;  // how near a robot must be for the picture to count as one, as on the page
  const NETWORK = ["stylegan-robots"];

  function paint(canvas, numbers) {
    const image = new ImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE ** 2; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * numbers[3 * i + c]);
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  const listed = (words) => [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(" and ");

  function panel(place) {
    let number = 0, asked = 0, world = null, words = "";
    const hand = live.hand({ ready: send, failed: stepBack, hear });
    const id = (name) => `${place.id}-${name}`;

    /* ---- what a reader can set */

    const labelled = (text, ...controls) => element("label", {}, `${text} `, ...controls);
    const [a, b] = FIRST.seeds.map((value) => element("input", {
      type: "number", min: 0, max: LAST, value, onchange: act }));
    const others = element("button", { type: "button", onclick: () => {
      for (const one of [a, b]) one.value = Math.min(seedOf(one) + 2, LAST);
      act();
    } }, "Two others");
    const layers = SIZES.map((side, k) => element("input", {
      type: "checkbox", checked: FIRST.second.includes(k), onchange: act }));
    const slider = (value, max, told) => {
      const output = element("output", {}, told(value));
      const control = element("input", { type: "range", min: 0, max, step: 0.05, value, oninput: () => {
        output.textContent = told(Number(control.value));
        act();
      } });
      return [control, output];
    };
    const [truncation, truncationTold] = slider(FIRST.truncation, 1.25, (value) => value.toFixed(2));
    const [along, alongTold] = slider(FIRST.along, 1, (value) => `${Math.round(100 * value)} %`);
    let noise = FIRST.noise;
    const fresh = element("button", { type: "button", onclick: () => { noise++; act(); } }, "New noise");
    const go = element("button", { type: "button", class: "live-go", onclick: act }, "Draw");

    const seedOf = (one) => Math.min(Math.max(Math.round(Number(one.value)) || 0, 0), LAST);
    const chosen = () => SIZES.map((_, k) => k).filter((k) => layers[k].checked);

    /* ---- what is shown */

    const status = element("p", { role: "status", class: "live-status" });
    const shown = ["Robot A", "The mixture", "Robot B", "Walk in z", "Walk in w"].map((title) => {
      const picture = element("canvas", { role: "img", class: "live-large", width: SIDE, height: SIDE });
      return { title, picture, card: element("div", {}, element("p", { class: "live-name" },
        element("strong", {}, title)), picture) };
    });
    const body = element("tbody");
    const table = element("table", { class: "live-told", hidden: true },
      element("caption", {}, "The nearest of a million robots. Where it is far away, this says little."),
      element("thead", {}, element("tr", {}, ...["", "Robot A", "The mixture", "Robot B"].map((head) =>
        element(head ? "th" : "td", head ? { scope: "col" } : {}, head)))), body);
    const now = element("div", { class: "live-walk", hidden: true },
      element("div", { class: "live-trio" }, ...shown.slice(0, 3).map(({ card }) => card)), table,
      element("div", { class: "live-knobs" }, labelled("From A to B", along, alongTold)),
      element("div", { class: "live-trio" }, ...shown.slice(3).map(({ card }) => card)));

    place.querySelector(".live-title").after(element("div", { class: "live-controls live-knobs" },
      element("div", {}, labelled("Seed of robot A", a), labelled("Seed of robot B", b), others),
      element("div", { role: "group", "aria-labelledby": id("layers"), class: "live-tools live-six" },
        element("span", { id: id("layers"), class: "live-wide" }, "Which layers of the mixture get the "
          + "style of B? (In brackets, the places that each works on.)"),
        ...layers.map((one, k) => element("label", {}, one, `${k} (${SIZES[k]} × ${SIZES[k]})`))),
      element("div", {}, labelled("Truncation ψ", truncation, truncationTold), fresh, go),
      element("p", { class: "live-credit" }, "Robots by Zikri Kader, robohash, CC BY.")));
    place.append(now, status);
    say("Press Draw, or change anything: the network runs in your browser, and nothing leaves it.");

    function say(sentence) {
      if (sentence !== words) status.textContent = words = sentence;
    }

    /* ---- questions and answers */

    function act() {
      number++;  // what is on its way answers an older question
      if (!asked) asked = requestAnimationFrame(ask);
    }

    async function ask() {
      asked = 0;
      for (const one of [a, b]) one.value = seedOf(one);
      if (!hand.has(NETWORK)) say("The network is coming: about 2 MB, once.");
      if (await hand.need([...NETWORK, "robot-world"])) send();
    }

    /* What is set now, as one question. */
    function send() {
      if (!hand.has(NETWORK)) return;
      if (hand.isSlow()) say("Drawing … Slowly: this browser has no fast arithmetic (WebAssembly SIMD).");
      hand.post({ do: "mix", number: ++number, seeds: [a, b].map(seedOf), noise,
        second: layers.map((one) => one.checked), along: Number(along.value), truncation: Number(truncation.value) });
    }

    /* Back to the figure: what a reader does next tries again. */
    function stepBack(why) {
      now.hidden = true;
      place.classList.remove("live-begun");
      say(`The network cannot run here: ${why}. The figure shows two robots; press Draw to try again.`);
    }

    function hear(message) {
      if (message.number !== number) return;
      if (message.do === "failed") hand.fail(message.why);
      else if (message.do === "mixed") show(message.pictures);
      else tell(message.readings);
    }

    function show(pictures) {
      const count = 3 * SIDE ** 2, way = `, ${alongTold.textContent} of the way from A to B`;
      const more = [`, seed ${a.value}`, `: ${mixture()}`, `, seed ${b.value}`, way, way];
      shown.forEach(({ title, picture }, i) => {
        paint(picture, pictures.subarray(i * count, (i + 1) * count));
        picture.setAttribute("aria-label", `${title}${more[i]}`);
      });
      now.hidden = false;
      place.classList.add("live-begun");
    }

    function mixture() {
      const of = chosen();
      if (!of.length) return "all layers of A";
      if (of.length === SIZES.length) return "all layers of B";
      return `${of.length === 1 ? "layer" : "layers"} ${listed(of)} of B, the others of A`;
    }

    async function tell(readings) {
      world ??= (await live.load("robot-world")).words;
      const { attributes, colours, phrases } = world, values = [colours, ...Object.values(phrases)];
      const [first, mixed, last] = readings.map(({ robot }) => robot);
      const whose = mixed.map((value, k) => [value === first[k] && "A", value === last[k] && "B"].filter(Boolean));
      body.replaceChildren(...attributes.map((name, k) => row(name, [first, mixed, last].map((robot, column) =>
        values[k][robot[k]] + (column === 1 && whose[k].length ? `, as ${listed(whose[k])}` : "")))),
      row("distance", readings.map(({ distance }) => distance.toFixed(3))));
      table.hidden = false;
      const as = (wanted) => listed(attributes.filter((_, k) => whose[k].join() === wanted)) || "nothing";
      const near = readings[1].distance;
      const sentence = `${mixture()[0].toUpperCase()}${mixture().slice(1)}.`;
      say(`${sentence} The robot nearest to the mixture is ${near.toFixed(3)} away`
        + `${near < LIMIT ? "" : ` (above ${LIMIT}: no robot)`}. `
        + `Shared with A alone: ${as("A")}; with B alone: ${as("B")}.`);
    }

    function row(name, cells) {
      return element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((text) => element("td", {}, text)));
    }
  }

  for (const place of document.querySelectorAll('.live-panel[data-panel="mix-styles"]')) panel(place);
})();
