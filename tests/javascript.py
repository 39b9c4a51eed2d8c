"""Run the book's scripts outside the book: in a JavaScript runtime, which Playwright brings along, or in a browser."""

import json
import subprocess
from pathlib import Path

import numpy as np
from playwright._impl._driver import compute_driver_executable

STATIC = Path(__file__).parents[1] / "book/_static/live"

# Arrays travel as {"shape", "data"}; what the code returns comes back as JSON.
PROGRAM = """(text) => {
  const input = JSON.parse(text, (key, value) =>
    value && value.float32 ? { shape: value.shape, data: Float32Array.from(value.float32) } : value);
  const main = (() => { SCRIPTS
return CODE; })();
  const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  return Promise.resolve(main(input)).then((answer) => JSON.stringify(answer, plain));
}"""
NODE = """
const { program, text } = JSON.parse(require("fs").readFileSync(0, "utf8"));
require("vm").runInThisContext(program)(text).then((answer) => process.stdout.write(answer));
"""


def program(scripts, code):
    """Return the text of a function from JSON to a promise of JSON: ``code``, with the book's scripts loaded."""
    loaded = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in scripts)
    return PROGRAM.replace("CODE", code).replace("SCRIPTS", loaded)


def written(data):
    """Return data as the program reads them."""
    return json.dumps(data, default=_plain)


def run(scripts, code, data, timeout=120):
    """Return what the function ``code`` returns for ``data``, with the book's scripts loaded; raise what it throws."""
    node, _ = compute_driver_executable()
    payload = json.dumps({"program": program(scripts, code), "text": written(data)})
    done = subprocess.run([node, "-e", NODE], input=payload, capture_output=True,
                          text=True, encoding="utf-8", timeout=timeout)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return json.loads(done.stdout)


def _plain(value):
    value = np.asarray(value, np.float32)
    return {"shape": list(value.shape), "float32": value.ravel().tolist()}


def array(answer):
    """Return a tensor of the engine as an array."""
    return np.array(answer["data"], np.float32).reshape(answer["shape"])
