/* The panel "turn a knob": a slider under a figure that the page has drawn for every value beforehand.

   The figures come as text (helpers/live/knobs.py), once, when a reader first turns the knob; until then, and at the
   value where the knob begins, the page's own figure stands there. */

(() => {
  "use strict";

  /* Return the address of figure k in state i. It ends in .svg as a file's does: the style sheet asks for that. */
  function address({ kinds, lines, states }, i, k) {
    const text = states[i][k].map(([from, count]) => lines.slice(from, from + count).join("\n")).join("\n");
    return kinds[k] === "image/png" ? `data:image/png;base64,${text}`
      : `data:${kinds[k]},${encodeURIComponent(text)}#figure.svg`;
  }

  function panel(place) {
    const { script, label, values, words, start } = JSON.parse(place.dataset.knob);
    const figures = [...place.querySelectorAll(".cell_output img")];
    const begun = figures.map(({ src, alt }) => ({ src, alt }));
    let shown = start;

    const controls = document.createElement("div");
    controls.className = "live-controls live-knob";
    controls.innerHTML = '<div><label></label><input type="range" min="0" step="1" autocomplete="off">'
      + '<span class="live-value" aria-hidden="true"></span></div><output role="status" class="live-words"></output>';
    const [name, range, value, said] = controls.querySelectorAll("label, input, span, output");
    range.id = `${place.id}-range`;
    name.htmlFor = said.htmlFor = range.id;
    name.textContent = label;
    range.max = values.length - 1;
    value.style.minWidth = `${Math.max(...values.map(({ length }) => length))}ch`;

    function tell(i) {
      range.value = i;
      value.textContent = values[i];
      range.setAttribute("aria-valuetext", values[i]);
    }

    function show(i, content) {
      figures.forEach((figure, k) => {
        figure.src = i === start ? begun[k].src : address(content, i, k);
        figure.alt = i === start ? begun[k].alt : `The same figure for ${label} = ${values[i]}. ${words[i]}`;
      });
      said.textContent = words[i];
      shown = i;
    }

    range.addEventListener("input", async () => {
      const wanted = Number(range.value);
      tell(wanted);
      try {
        const content = await live.load(script);
        if (wanted === Number(range.value)) show(wanted, content);
      } catch (error) {
        tell(shown);
        said.textContent = `The other figures did not come: ${error.message}. Turn the knob to try again.`;
      }
    });

    for (const printed of place.querySelectorAll(".cell_output .stream")) printed.hidden = true;  // said below
    place.append(controls);
    tell(start);
    said.textContent = words[start];
  }

  document.querySelectorAll('.live-panel[data-panel="turn-knob"]').forEach(panel);
})();
