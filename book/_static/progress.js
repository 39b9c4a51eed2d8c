/* Remembers what a reader has done: in this browser alone, in one entry of localStorage. Nothing is sent anywhere.

   What is remembered is plain text, one line a thing, and the same text is the file that a reader can save:

     page book/1-background/art done
     exercise first-restoration-halving done
     quiz quiz-half-the-noise right 2             the second choice was taken, and it was right
*/
(() => {
  "use strict";

  const KEY = "image-course-progress";
  const HEADER = "Image Generation and Restoration: my progress";
  const LINE = /^((?:page|exercise|quiz) [\w./-]{1,200}) (done|(?:right|wrong) \d{1,2})$/;
  const LARGEST_FILE = 1_000_000;
  let memory = "";          // stands in for localStorage where the browser forbids it
  let remembers = true;

  // ------------------------------------------------------------------------------------ what is remembered

  function recall() {
    let text = memory;
    try {
      if (remembers) text = window.localStorage.getItem(KEY) || "";
    } catch {
      remembers = false;
    }
    return parse(text).known;
  }

  function remember(known) {
    memory = format(known);
    try {
      window.localStorage.setItem(KEY, memory);
    } catch {
      remembers = false;
    }
    show();
  }

  function note(name, value) {
    const known = recall();
    if (value) known.set(name, value);
    else known.delete(name);
    remember(known);
  }

  function parse(text) {
    const known = new Map();
    let unknown = 0;
    for (const line of text.split(/\r?\n/).map((one) => one.trim()).filter(Boolean)) {
      const match = LINE.exec(line);
      if (match) known.set(match[1], match[2]);
      else if (line !== HEADER) unknown += 1;
    }
    return { known, unknown };
  }

  function format(known) {
    return [...known].map(([name, value]) => `${name} ${value}`).sort().join("\n");
  }

  // ---------------------------------------------------------------------------------- on the pages of the book

  function element(tag, attributes = {}, ...children) {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children);
    return made;
  }

  function count(number, one, many = `${one}s`) {
    return `${number} ${number === 1 ? one : many}`;
  }

  /* A box to tick under every exercise: only the reader knows what a kernel said. */
  function addBoxes() {
    for (const exercise of document.querySelectorAll("div.exercise[id]")) {
      const box = element("input", { type: "checkbox", autocomplete: "off" });
      box.dataset.done = `exercise ${exercise.id}`;
      exercise.append(element("label", { className: "exercise-done" }, box, " I have solved this"));
    }
  }

  /* Under the last question of a page: what the last answer was, and how many are right. It is read aloud. */
  function addScore() {
    const questions = document.querySelectorAll(".quiz");
    if (questions.length) {
      const score = element("p", { className: "quiz-score" });
      score.setAttribute("role", "status");
      questions[questions.length - 1].after(score);
    }
  }

  function listen() {
    document.addEventListener("change", ({ target }) => {
      if (target.dataset.done) {
        note(target.dataset.done, target.checked && "done");
      } else if (target.dataset.verdict) {
        note(`quiz ${target.name}`, `${target.dataset.verdict} ${target.value}`);
        showScore(target.dataset.verdict);
      }
    });
    window.addEventListener("storage", show);   // another tab of this book
    window.addEventListener("pageshow", show);  // back by the browser's button
  }

  function show() {
    const known = recall();
    for (const box of document.querySelectorAll("input[data-done]")) {
      box.checked = known.has(box.dataset.done);
    }
    for (const question of document.querySelectorAll(".quiz")) {
      const value = known.get(`quiz ${question.id}`) || "";
      for (const choice of question.querySelectorAll("input[data-verdict]")) {
        choice.checked = value === `${choice.dataset.verdict} ${choice.value}`;
      }
    }
    showScore();
    showProgress(known);
  }

  function showScore(verdict) {
    const score = document.querySelector(".quiz-score");
    if (!score) return;
    const chosen = [...document.querySelectorAll("input[data-verdict]:checked")];
    const right = chosen.filter((one) => one.dataset.verdict === "right").length;
    const said = { right: "Right; the reason stands under the choice. ", wrong: "No; the reason stands under the choice. " };
    const lost = remembers ? "" : " This browser does not let the book remember it.";
    score.textContent = `${said[verdict] || ""}${right} of ${count(document.querySelectorAll(".quiz").length, "question")} right.${lost}`;
  }

  // ---------------------------------------------------------------------------------------- the page of progress

  const ANSWERS = { right: "right", wrong: "not right yet" };

  function showProgress(known) {
    const all = { exercises: [0, 0], questions: [0, 0], pages: [0, 0] };
    for (const chapter of document.querySelectorAll(".progress-chapter")) {
      const here = { exercises: [0, 0], questions: [0, 0], pages: [0, 0] };
      const add = (kind, done) => {
        for (const sum of [here, all]) {
          sum[kind][0] += done;
          sum[kind][1] += 1;
        }
      };
      for (const box of chapter.querySelectorAll("input[data-done]")) {
        add(box.dataset.done.startsWith("page ") ? "pages" : "exercises", box.checked);
      }
      for (const place of chapter.querySelectorAll("[data-quiz]")) {
        const answer = (known.get(`quiz ${place.dataset.quiz}`) || "").split(" ")[0];
        place.textContent = ANSWERS[answer] || "open";
        place.dataset.answer = answer;
        add("questions", answer === "right");
      }
      chapter.querySelector(".progress-total").textContent = sentence(here);
    }
    const controls = document.querySelector(".progress-controls");
    if (!controls) return;
    controls.hidden = false;
    const done = all.exercises[0] + all.questions[0] + all.pages[0];
    const bar = controls.querySelector("progress");
    bar.max = Math.max(1, all.exercises[1] + all.questions[1] + all.pages[1]);
    bar.value = done;
    controls.querySelector(".progress-all").textContent = `In all: ${sentence(all)}`;
    controls.querySelector(".progress-forgets").hidden = remembers;
  }

  function sentence({ pages, exercises, questions }) {
    const parts = [`${pages[0]} of ${count(pages[1], "page")} read`];
    if (exercises[1]) parts.push(`${exercises[0]} of ${count(exercises[1], "exercise")} done`);
    if (questions[1]) parts.push(`${questions[0]} of ${count(questions[1], "quiz question")} right`);
    return `${parts.join(", ")}.`;
  }

  function say(text) {
    document.querySelector(".progress-said").textContent = text;
  }

  function saveFile() {
    const known = recall();
    const address = URL.createObjectURL(new Blob([`${HEADER}\n${format(known)}\n`], { type: "text/plain" }));
    element("a", { href: address, download: "course-progress.txt" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    say(`Saved ${count(known.size, "entry", "entries")} to course-progress.txt.`);
  }

  async function loadFile(input) {
    const [file] = input.files;
    if (!file) return;
    const text = file.size <= LARGEST_FILE ? await file.text().catch(() => "") : "";
    input.value = "";
    if (!text.trimStart().startsWith(HEADER)) {
      say(`${file.name} is no file of progress of this course. Nothing was changed.`);
      return;
    }
    const { known: found, unknown } = parse(text);
    const known = recall();
    for (const [name, value] of found) {
      if (!(known.get(name) || "").startsWith("right")) known.set(name, value);
    }
    remember(known);
    const skipped = unknown ? ` ${count(unknown, "line was", "lines were")} not understood and left out.` : "";
    say(`Loaded ${count(found.size, "entry", "entries")}.${skipped}`);
  }

  function forgetAll() {
    if (window.confirm("Forget all that this browser remembers of your progress?")) {
      remember(new Map());
      say("All is forgotten.");
    }
  }

  function addControls() {
    const controls = document.querySelector(".progress-controls");
    if (!controls) return;
    const input = controls.querySelector("input[type=file]");
    controls.querySelector(".progress-save").addEventListener("click", saveFile);
    controls.querySelector(".progress-load").addEventListener("click", () => input.click());
    controls.querySelector(".progress-forget").addEventListener("click", forgetAll);
    input.addEventListener("change", () => loadFile(input));
  }

  addBoxes();
  addScore();
  addControls();
  listen();
  show();
})();
