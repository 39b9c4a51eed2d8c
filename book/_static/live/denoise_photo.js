/* The panel "your photo": choose or drop a photograph, and take its noise away.

   The figure that the page was built with stays until a reader acts; then the photograph takes its place, as it came on
   the left of a line and without its noise on the right. Nothing is sent anywhere. */

(() => {
  "use strict";

  const LONGEST = 768, PIECE = 512, SMALLEST = 8;  // pixels: of a whole photograph, of a piece of it, of any side
  const ADDED = 25, HIGHEST = 100, TRAINED = 55;   // noise levels, in grey levels of 255
  const PRIVATE = "The network runs in your browser: your photograph stays on your machine, and nothing of it is sent.";

  const { element } = live;
  const button = (name, press) => element("button", { type: "button", onclick: press }, name);
  const sides = ({ width, height }) => `${width} × ${height}`;
  const decibels = (square) => (square > 1e-10 ? `${(-10 * Math.log10(square)).toFixed(1)} dB` : "exact");

  class Unfit extends Error {}  // its message is for the reader

  /* ------------------------------------------------------------------------------------------------ reading pictures */

  /* Return a photograph of a file, { name, whole, piece }: both as planes, with what was done on the way. */
  async function opened(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);  // turned as the camera was held, in the colours of the screen
    } catch {
      const kind = file.type.startsWith("image/") || !file.type ? "" : `, but ${file.type}`;
      throw new Unfit(`${file.name || "This"} is no picture that this browser can read${kind}. JPEG, PNG and WebP always `
        + "work; save others, such as HEIC or raw, as one of these.");
    }
    try {
      const { width, height } = bitmap, fit = Math.min(LONGEST / Math.max(width, height), 1);
      const small = { width: Math.round(width * fit), height: Math.round(height * fit) };
      if (Math.min(width, height, small.width, small.height) < SMALLEST) {
        const reduced = fit < 1 ? `, reduced ${sides(small)}` : "";
        throw new Unfit(`${file.name} has ${sides(bitmap)} pixels${reduced}: in fewer than ${SMALLEST} on a side there `
          + "is nothing to restore.");
      }
      const square = { width: Math.min(width, PIECE), height: Math.min(height, PIECE) };
      return {
        name: file.name.replace(/\.[^.]*$/, "") || "photograph",
        whole: { ...drawn(bitmap, bitmap, small), how: fit < 1 ? `reduced from ${sides(bitmap)}` : "" },
        piece: { ...drawn(bitmap, square, square),
                 how: Math.max(width, height) > PIECE ? `the middle of ${sides(bitmap)}, not reduced` : "" },
      };
    } finally {
      bitmap.close();
    }
  }

  /* The middle of a bitmap of this size, as planes of another size. What is transparent is laid on white. */
  function drawn(bitmap, from, to) {
    const canvas = element("canvas", to), context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, (bitmap.width - from.width) >> 1, (bitmap.height - from.height) >> 1, from.width,
      from.height, 0, 0, to.width, to.height);
    const { data } = context.getImageData(0, 0, to.width, to.height), count = to.width * to.height;
    const channels = [0, 1, 2].map((c) => Float32Array.from({ length: count }, (_, i) => {
      const opaque = data[4 * i + 3] / 255;
      return opaque * data[4 * i + c] / 255 + 1 - opaque;
    }));
    let grey = true, opaque = true;
    for (let i = 0; i < count; i++) {
      grey &&= channels[0][i] === channels[1][i] && channels[0][i] === channels[2][i];
      opaque &&= data[4 * i + 3] === 255;
    }
    const planes = (grey ? channels.slice(0, 1) : channels).map((values) => ({ ...to, data: values }));
    return { ...to, planes, opaque };
  }

  /* Planes as a picture for the screen. */
  function painted(planes) {
    const { width, height } = planes[0], canvas = element("canvas", { width, height });
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * planes[c % planes.length].data[i];
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  /* ------------------------------------------------------------------------------------------------------- one panel */

  function panel(place) {
    const name = place.id;
    let shipped = null, photo = null, choice = 0;  // the course's photograph, the one that is worked on, how many came
    let part = "whole", added = 0, seed = 1;       // what of it, and the noise that was put on it
    let before = null, after = null, level = 0;    // what is on the screen; the noise level that the network was told
    let network = "course", lacking = "";          // the choice for colours; the network that an answer waits for
    let number = 0, asked = 0, busy = false;
    const hand = live.hand({ ready: () => { if (lacking && hand.has([lacking])) ask(); }, failed: stepBack, hear });

    /* ---- what is shown */

    const file = element("input", { type: "file", accept: "image/*", hidden: true, onchange: () => {
      take([...file.files]);
      file.value = "";  // the same file may be chosen again
    } });
    const parts = Object.entries({
      whole: `all of it, reduced to at most ${LONGEST} × ${LONGEST}`, piece: `its middle ${PIECE} × ${PIECE}, not reduced`,
    }).map(([which, words]) => element("label", {}, element("input", { type: "radio", name: `${name}-part`,
      checked: which === "whole", onclick: () => { part = which; withPhoto(fresh); } }), words));
    const networks = Object.entries({
      course: "as the course chooses", colours: "that of colours", grey: "that of grey pictures, one colour after the other",
    }).map(([which, words]) => element("label", {}, element("input", { type: "radio", name: `${name}-network`,
      checked: which === network, onclick: () => { network = which; if (photo?.[part].planes.length > 1) changed(); } }),
    words));
    const amount = element("input", { type: "number", id: `${name}-amount`, min: 1, max: HIGHEST, value: ADDED });
    const own = element("input", { type: "checkbox", checked: true, onclick: () => changed() });
    const told = element("input", { type: "range", id: `${name}-told`, min: 0, max: HIGHEST, step: 1, value: ADDED,
      oninput: () => { own.checked = false; showLevel(Number(told.value)); changed(); } });
    const value = element("span", { "aria-hidden": "true", class: "live-value" }, String(ADDED));
    const controls = element("div", { class: "live-controls live-settings" },
      element("div", { role: "group", "aria-label": "Photograph" },
        button("Choose a photograph …", () => file.click()), file,
        button("The course's photograph", () => { photo = null; withPhoto(fresh); }),
        button("The same in colours", () => { photo = null; withPhoto(fresh, "colours"); }),
        element("span", {}, "or drop one here. It stays on your machine.")),
      element("div", { role: "group", "aria-label": "Of a large photograph", class: "live-tools" },
        element("span", {}, "Of a large photograph:"), ...parts),
      element("div", { role: "group", "aria-label": "Network for colours", class: "live-tools" },
        element("span", {}, "Network for a photograph in colours:"), ...networks),
      element("div", { role: "group", "aria-label": "Noise", class: "live-tools" },
        element("label", { for: amount.id }, "Noise of level"), amount,
        button("Add noise", addNoise), button("No added noise", () => withPhoto(() => { added = 0; fresh(); }))),
      element("div", { role: "group", "aria-label": "Noise level that the network is told", class: "live-tools" },
        element("label", { for: told.id }, "Noise level σ, told to the network:"), told, value,
        element("label", {}, own, "estimated from the picture")));

    const screen = element("canvas", { role: "img", class: "live-screen" });
    const [left, right] = ["before", "after"].map((side) =>
      element("span", { class: `live-tag live-tag-${side}`, "aria-hidden": "true" }, side));
    const line = element("input", { type: "range", id: `${name}-line`, min: 0, max: 100, value: 50, oninput: wipe });
    const progress = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "Denoising" });
    const save = button("Save the result as PNG", saveResult);
    save.disabled = true;
    const now = element("div", { class: "live-photo", hidden: true },
      element("div", { class: "live-stage" }, screen, left, right),
      element("div", { class: "live-line" }, line, element("label", { for: line.id }, "Line between before and after")),
      element("div", { class: "live-controls" }, element("div", {}, save, progress)));
    const status = element("p", { role: "status", class: "live-status" });

    place.querySelector(".live-title").after(controls);
    place.append(now, status);
    status.textContent = `Choose a photograph, or try the course's. ${PRIVATE}`;

    let words = "";
    function say(sentence) {
      if (sentence !== words) status.textContent = words = sentence;
    }

    function showLevel(grey) {
      told.value = Math.round(grey);
      value.textContent = own.checked ? grey.toFixed(1) : String(grey);
      told.setAttribute("aria-valuetext", `${value.textContent} grey levels of 255`);
    }

    /* Left of the line what there was, right of it what the network made of it. */
    function wipe() {
      if (!before) return;
      const context = screen.getContext("2d"), { width, height } = before, share = Number(line.value);
      if (screen.width !== width || screen.height !== height) {
        Object.assign(screen, { width, height });
        screen.style.width = `${width * Math.max(1, Math.floor(640 / width))}px`;
      }
      const at = after ? Math.round(width * share / 100) : width;
      context.drawImage(before, 0, 0);
      if (after && at < width) context.drawImage(after, at, 0, width - at, height, at, 0, width - at, height);
      if (after && share > 0 && share < 100) {
        const unit = Math.max(1, Math.round(width / 400));  // of the line's width
        context.fillStyle = "#000";
        context.fillRect(at - 2 * unit, 0, 4 * unit, height);
        context.fillStyle = "#fff";
        context.fillRect(at - unit, 0, 2 * unit, height);
      }
      left.hidden = after && share < 15;
      right.hidden = !after || share > 85;
      line.setAttribute("aria-valuetext", `${share} % before, ${100 - share} % after`);
      screen.setAttribute("aria-label", after ? `${photo.name}: as it came on the left ${share} % of the picture, without `
        + "its noise on the rest" : `${photo.name}, as it came`);
    }

    function drag(event) {
      if (!event.isPrimary || !(event.buttons & 1)) return;
      const box = screen.getBoundingClientRect();
      line.value = Math.round(100 * (event.clientX - box.left) / box.width);
      wipe();
    }
    screen.addEventListener("pointerdown", (event) => {
      screen.setPointerCapture(event.pointerId);
      drag(event);
    });
    screen.addEventListener("pointermove", drag);

    /* ---- what a reader does */

    async function take(files) {
      if (!files.length) return;
      if (files.length > 1) {
        say(`${files.length} files came, and this panel takes one at a time. Nothing was changed.`);
        return;
      }
      say(`Reading ${files[0].name} …`);
      const mine = ++choice;
      try {
        const found = await opened(files[0]);
        if (mine !== choice) return;  // another came since
        photo = found;
        added = 0;
        fresh();
      } catch (error) {
        const why = error instanceof Unfit ? error.message : `${files[0].name} could not be read: ${error.message}.`;
        if (mine === choice) say(photo ? `${why} The photograph before it is still there.` : why);
      }
    }

    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      place.addEventListener(kind, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        place.classList.toggle("live-drop", kind === "dragenter" || kind === "dragover");
        if (kind === "drop") take([...event.dataTransfer.files]);
      });
    }

    function addNoise() {
      const wanted = amount.valueAsNumber;
      if (!(wanted >= 1 && wanted <= HIGHEST)) {
        say(`Noise of level 1 to ${HIGHEST} can be added, in grey levels of 255; "${amount.value}" is no such number.`);
        amount.focus();
        return;
      }
      withPhoto(() => {
        added = wanted;
        seed++;
        fresh();
      });
    }

    /* Do something with the photograph; where there is none, with the course's and with noise, as in the figure. */
    function withPhoto(act, kind = "grey") {
      if (photo) return act();
      const mine = ++choice;
      begin(() => {
        if (mine !== choice) return;
        [photo, added] = [shipped[kind], ADDED];
        act();
      });
    }

    /* Another picture is to be shown: what was on the screen goes. */
    function fresh() {
      before = painted(photo[part].planes);
      after = null;
      save.disabled = true;
      now.hidden = false;
      place.classList.add("live-begun");
      wipe();
      changed();
    }

    function changed() {
      if (!photo) return withPhoto(fresh);
      asked ||= requestAnimationFrame(() => { asked = 0; begin(ask); });
    }

    function saveResult() {
      const called = `${photo.name}-denoised.png`;
      after.toBlob((blob) => {
        if (!blob) return say("The picture could not be written: the browser gave no reason.");
        const address = URL.createObjectURL(blob);
        element("a", { href: address, download: called }).click();
        setTimeout(() => URL.revokeObjectURL(address), 10_000);
        say(`Handed to your browser as ${called}; it puts the file where it puts downloads.`);
      }, "image/png");
    }

    /* ---- questions and answers */

    /* Do something when the course's photograph and a worker are there: loaded once, and after a failure once more. */
    async function begin(then) {
      if (!hand.has([])) say("The network is coming: about 2 MB, once.");
      try {
        shipped ??= unwrapped(await live.load("photo"));
      } catch (error) {
        hand.fail(error.message);
        return;
      }
      if (await hand.need([])) then();
    }

    function unwrapped({ name: called, width, height, pixels, clipping, colourFrom }) {
      const planes = (channels) => channels.map((bytes) => ({
        width, height, data: Float32Array.from(atob(bytes), (letter) => letter.charCodeAt(0) / 255) }));
      const made = (channels) => {
        const picture = { width, height, planes: planes(channels), opaque: true, how: "" };
        return { name: called, truth: true, whole: picture, piece: picture };
      };
      return { grey: made(pixels.grey), colours: made(pixels.colours), clipping,
               from: { course: colourFrom, colours: 0, grey: Infinity } };  // σ, from which on colours go together
    }

    /* Back to the figure: what a reader does next tries again. */
    function stepBack(why) {
      busy = false;
      lacking = "";
      now.hidden = true;
      place.classList.remove("live-begun");
      say(`The network cannot run here: ${why}. The figure shows what it does`
        + `${photo && !photo.truth ? ", and your photograph is kept" : ""}; press any button to try again.`);
    }

    const slowly = () => (hand.isSlow() ? " This browser has no fast arithmetic (WebAssembly SIMD): it takes longer than "
      + "elsewhere." : "");

    function ask() {
      now.hidden = false;
      place.classList.add("live-begun");
      const { planes, width, height } = photo[part];
      say(`Denoising ${sides({ width, height })} pixels${busy ? ", and what ran before was stopped" : ""} …${slowly()}`);
      busy = true;
      lacking = "";
      progress.value = 0;
      progress.hidden = false;
      hand.post({ do: "denoise", number: ++number, planes, added: added / 255, seed,
                  sigma: own.checked ? null : Number(told.value) / 255, clipping: shipped.clipping,
                  colourFrom: shipped.from[network], contrasts: network === "course" });
    }

    function hear(message) {
      if (message.number !== number) return;
      if (message.do === "failed") {
        hand.fail(message.why);
      } else if (message.do === "measured") {
        before = painted(message.planes);
        wipe();
      } else if (message.do === "level") {
        level = 255 * message.sigma;
        if (own.checked) showLevel(level);
      } else if (message.do === "lacking") {
        lacking = message.name;
        busy = false;
        progress.hidden = true;
        say(`The network of ${lacking === "denoiser" ? "grey pictures" : "colours"} is coming: about 2 MB, once.`);
        hand.need([lacking]);
      } else if (message.do === "share") {
        progress.value = message.share;
      } else if (message.do === "answer") {
        after = painted(message.planes);
        save.disabled = false;
        progress.hidden = true;
        busy = false;
        wipe();
        say(`${summary(message)}${slowly()}`);
      }
    }

    function summary({ apart, change, planes, ms, name: by }) {
      const { width, height, how, opaque } = photo[part], from = Number((255 * shipped.from.course).toFixed(1));
      const alone = network !== "course" ? "one after the other"
        : `as brightness and two contrasts (the course has them together from σ = ${from} on)`;
      const kind = `three colours, ${by === "denoiser" ? alone : "all together"}`;
      const what = [sides({ width, height }), planes.length > 1 ? kind : "grey", how,
        opaque ? "" : "what is transparent laid on white", added ? `noise of level ${added} added` : ""];
      const beyond = level > TRAINED ? ` (the network was trained up to ${TRAINED})` : "";
      const result = added || photo.truth
        ? `PSNR against the photograph without added noise: ${decibels(apart[0])} before, ${decibels(apart[1])} after.`
        : `The network changed the pixels by ${(255 * Math.sqrt(change)).toFixed(1)} grey levels of 255 (root mean square); `
          + "how near that is to the truth nobody can tell, for nobody knows it.";
      return `${photo.name}: ${what.filter(Boolean).join(", ")}. Told σ = ${level.toFixed(1)}${own.checked ? ", estimated" : ""}`
        + `${beyond}. ${result} It took ${(ms / 1000).toFixed(1)} seconds.`;
    }
  }

  for (const place of document.querySelectorAll('.live-panel[data-panel="denoise-photo"]')) panel(place);
})();
