"""Run the book's scripts outside a browser: Playwright brings a JavaScript runtime along."""

import json
import subprocess
from pathlib import Path

import numpy as np
from playwright._impl._driver import compute_driver_executable

STATIC = Path(__file__).parents[1] / "book/_static/live"

# Arrays travel as {"shape", "data"}; what the code returns comes back as JSON.
FRAME = """
const fs = require("fs"), vm = require("vm");
const input = JSON.parse(fs.readFileSync(0, "utf8"), (key, value) =>
  value && value.float32 ? { shape: value.shape, data: Float32Array.from(value.float32) } : value);
const scripts = input.scripts.map((path) => fs.readFileSync(path, "utf8")).join("\\n");
const main = vm.runInThisContext(`(() => { ${scripts}\\nreturn ${input.code}; })()`);
const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
Promise.resolve(main(input.data)).then((answer) => process.stdout.write(JSON.stringify(answer, plain)));
"""


def run(scripts, code, data, timeout=120):
    """Return what the function ``code`` returns for ``data``, with the book's scripts loaded; raise what it throws."""
    payload = {"scripts": [str(STATIC / name) for name in scripts], "code": code, "data": data}
    node, _ = compute_driver_executable()
    done = subprocess.run([node, "-e", FRAME], input=json.dumps(payload, default=_plain), capture_output=True,
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
