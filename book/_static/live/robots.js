/* Words for robots, and the robot that is nearest to a picture: what helpers/images/robots.py does, with its words and
   its drawings (helpers/live/robots.py sends them). */

"use strict";

/* Read attributes from words: -1 where they leave one open. What it refuses it refuses in the words of the library. */
function parse(words, { attributes, meanings, nouns, fillers, examples }) {
  const found = attributes.map(() => -1);
  const tokens = words.toLowerCase().match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) || [];
  const said = `words ${quoted(words)}`, known = [...fillers, ...Object.keys(meanings), ...Object.keys(nouns)];
  let before = null;  // the kind of the design that the word before told
  for (const token of tokens) {
    if (Object.hasOwn(nouns, token)) {
      const kind = nouns[token];
      if (before === null) {
        throw new Error(`${said} do not say which ${token}: put a word before it, as in ${quoted(examples[kind])}`);
      }
      if (before !== kind) {
        throw new Error(`${said}: what stands before ${quoted(token)} tells the ${before}, not the ${kind}`);
      }
      before = null;
    } else if (Object.hasOwn(meanings, token)) {
      const [kind, value] = meanings[token], column = attributes.indexOf(kind);
      if (found[column] !== -1 && found[column] !== value) {
        throw new Error(`${said} say two things of the ${kind}, the second is ${quoted(token)}`);
      }
      found[column] = value;
      before = kind;
    } else {
      if (!fillers.includes(token)) throw new Error(`${said}: ${unknown(token, known)}`);
      before = null;
    }
  }
  if (!tokens.length) throw new Error(`${said} hold no word`);
  return found;
}

function unknown(word, options) {
  const near = nearWords(word, options), listed = options.slice(0, 24).map(quoted).join(", ");
  const more = options.length > 24 ? ` and ${options.length - 24} more` : "";
  return `${quoted(word)} is unknown: `
    + (near.length ? `did you mean ${near.map(quoted).join(" or ")}?` : `choose from ${listed}${more}`);
}

/* The three likest words that are like enough. */
function nearWords(word, options) {
  const likeness = options.map((option) => [ratio([...option], [...word]), option]).filter(([value]) => value >= 0.5);
  const order = ([p, a], [q, b]) => q - p || (a < b ? 1 : -1);
  return likeness.sort(order).slice(0, 3).map(([, option]) => option);
}

/* How like two words are, from 0 to 1, as Python's difflib counts it: the share of letters in common pieces. */
function ratio(a, b) {
  function common(a, b) {  // the longest common piece, and what is common before and behind it
    let most = 0, [left, right] = [0, 0];
    for (let i = 0; i < a.length; i++) {
      for (let j = 0; j < b.length; j++) {
        let length = 0;
        while (i + length < a.length && a[i + length] === b[j + length]) length++;
        if (length > most) [most, left, right] = [length, i, j];
      }
    }
    return most && most + common(a.slice(0, left), b.slice(0, right))
      + common(a.slice(left + most), b.slice(right + most));
  }
  return 2 * common(a, b) / (a.length + b.length);
}

/* A text in quotation marks, as Python writes it. */
function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const short = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "'": "'", '"': '"', [mark]: `\\${mark}` };
  const long = (letter) => {
    const code = letter.codePointAt(0).toString(16);
    const [sign, digits] = code.length < 3 ? "x2" : code.length < 5 ? "u4" : "U8";
    return `\\${sign}${code.padStart(digits, "0")}`;
  };
  return mark + text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (letter) => short[letter] || long(letter)) + mark;
}

/* Say what a robot looks like. */
function caption(robot, { colours, phrases }) {
  const [colour, ...designs] = robot;
  const said = Object.values(phrases).map((all, k) => all[designs[k]]).filter(Boolean);
  const name = colour < 0 ? "a robot" : `${"aeiou".includes(colours[colour][0]) ? "an" : "a"} ${colours[colour]} robot`;
  if (!said.length) return name;
  return `${name} with ${[said.slice(0, -1).join(", "), said.at(-1)].filter(Boolean).join(" and ")}`;
}

/* The drawings: for each kind and design the pixels that it may cover, and for each colour what it pastes there, red,
   green and blue times alpha, and alpha. */
function drawings({ pixels, values }) {
  const numbers = Float32Array.from(bytesOf(values), (byte) => byte / 255);
  let from = 0;
  return Object.values(pixels).map((designs) => designs.map((places) => {
    const all = 4 * places.length;
    const byColour = Array.from({ length: 10 }, () => numbers.subarray(from, from += all));
    return { places, byColour };
  }));
}

const SPECK = 0.04;  // as in helpers/images/robots.py

/* The robot nearest to a picture x of 32 × 32 × 3 numbers, of all million, and its root mean square distance. Eyes
   and mouth never cover the same pixel: so the best eyes and the best mouth are found one after the other, for each colour,
   body, head and accessory; and unless it reaches below them, the accessory makes no difference to the choice.

   On speckled ground a pixel counts with the part of it that a robot covers. With the rest, its squared distance from
   white counts, but no more than that of a speckle; and the distance is told over the robot's own pixels. */
function nearestRobot(x, parts, speckled = false) {
  const [bodies, heads, accessories, eyes, mouths] = parts, all = x.length / 3;
  const face = new Set([...eyes, ...mouths].flatMap(({ places }) => places));
  const white = { y: new Float32Array(x.length).fill(1), bare: new Float32Array(all).fill(1) };
  const squares = ({ y }, place) => {
    let sum = 0;
    for (let i = 3 * place; i < 3 * place + 3; i++) sum += (y[i] - x[i]) ** 2;
    return sum;
  };
  const ground = Array.from({ length: all }, (_, place) => Math.min(squares(white, place), 3 * SPECK));
  const counted = (sum, bare, place) => (speckled ? (1 - bare) * sum + bare * ground[place] : sum);
  let best = { cost: Infinity };

  /* Drawings are held as their colours on white, and the part of each pixel that they leave bare. */
  const paste = (on, { places, byColour }, colour) => {
    const y = on.y.slice(), bare = on.bare.slice(), part = byColour[colour];
    places.forEach((place, i) => {
      const kept = 1 - part[4 * i + 3];
      for (let c = 0; c < 3; c++) y[3 * place + c] = part[4 * i + c] + kept * y[3 * place + c];
      bare[place] *= kept;
    });
    return { y, bare };
  };
  const change = ({ y, bare }, { places, byColour }, colour) => {  // of the squared distance, if the part is pasted
    const part = byColour[colour];
    let sum = 0;
    for (let i = 0; i < places.length; i++) {
      const place = places[i], kept = 1 - part[4 * i + 3];
      let before = 0, now = 0;
      for (let c = 0; c < 3; c++) {
        const at = 3 * place + c;
        before += (y[at] - x[at]) ** 2;
        now += (part[4 * i + c] + kept * y[at] - x[at]) ** 2;
      }
      sum += counted(now, kept * bare[place], place) - counted(before, bare[place], place);
    }
    return sum;
  };
  const least = (on, designs, colour) => {
    const changes = designs.map((design) => change(on, design, colour)), cost = Math.min(...changes);
    return { cost, design: changes.indexOf(cost) };
  };

  for (let colour = 0; colour < 10; colour++) {
    const reaches = accessories.map(({ places, byColour }) =>
      places.some((place, i) => byColour[colour][4 * i + 3] > 0 && face.has(place)));
    bodies.forEach((body, b) => {
      const dressed = paste(white, body, colour);
      heads.forEach((head, h) => {
        const base = paste(dressed, head, colour), bare = [least(base, eyes, colour), least(base, mouths, colour)];
        const cost = ground.reduce((sum, _, place) => sum + counted(squares(base, place), base.bare[place], place), 0);
        accessories.forEach((accessory, a) => {
          const worn = reaches[a] && paste(base, accessory, colour);
          const [e, m] = worn ? [least(worn, eyes, colour), least(worn, mouths, colour)] : bare;
          const sum = cost + change(base, accessory, colour) + e.cost + m.cost;
          if (sum < best.cost) best = { cost: sum, robot: [colour, b, h, a, e.design, m.design] };
        });
      });
    });
  }

  const { robot, robot: [colour, ...designs] } = best;
  const found = parts.reduce((on, kind, k) => paste(on, kind[designs[k]], colour), white);
  let [far, weight] = [0, 0];
  found.bare.forEach((bare, place) => {
    const cover = speckled ? 1 - bare : 1;
    far += cover * squares(found, place) / 3;
    weight += cover;
  });
  return { robot, distance: Math.sqrt(far / weight) };
}
