/* Mark all words of code but the first of each look, and let axe-core measure the contrast of those without the mark.

   A page of code holds thousands of coloured words in a dozen looks, and each costs axe a millisecond. Two words look
   alike where they and all that they lie in are painted alike, and both are in sight or both not. Axe judges no single
   letter and no signs: these are alike only where they are the same. */
() => {
  "use strict";

  const PAINT = ["color", "backgroundColor", "backgroundImage", "fontSize", "fontWeight", "textShadow", "opacity",
    "filter", "mixBlendMode", "position"];
  const numbers = new Map(), known = new WeakMap(), seen = new Set();

  /* A number for how an element is painted, with all that it lies in. */
  const look = (one) => {
    if (one === null) return 0;
    if (!known.has(one)) {
      const style = getComputedStyle(one);
      const paint = [look(one.parentElement), ...PAINT.map((name) => style[name])].join("|");
      if (!numbers.has(paint)) numbers.set(paint, numbers.size + 1);
      known.set(one, numbers.get(paint));
    }
    return known.get(one);
  };

  const inSight = (word) => {
    if (!word.checkVisibility({ visibilityProperty: true })) return false;
    const at = word.getBoundingClientRect(), box = word.closest("pre, .sig, code").getBoundingClientRect();
    return at.left >= box.left && at.right <= box.right;
  };

  const said = (word) => {
    const text = [...word.childNodes].map((one) => (one.nodeType === Node.TEXT_NODE ? one.data : "")).join("").trim();
    return text.length > 1 && /[\p{L}\p{N}]/u.test(text) ? "a word" : text;
  };

  for (const word of document.querySelectorAll(".highlight pre span, .sig span, code.literal span")) {
    const key = `${look(word)} ${inSight(word)} ${said(word)}`;
    word.toggleAttribute("data-alike", seen.has(key));
    seen.add(key);
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: ":not([data-alike], mjx-container *)" }] });
}
