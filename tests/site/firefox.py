"""Drive the system's own Firefox, by the protocol that browsers share for it (w3c.github.io/webdriver-bidi).

Playwright drives a Firefox of its own alone, which has to be downloaded. What is asked here of the system's is little:
open a page, press what a reader presses, run a script, and note what the page complains of.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

import websocket

BROWSERS = ("firefox-esr", "firefox")
WAIT = 60  # seconds: the machine may be busy
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "ArrowRight": "\ue014"}  # as the protocol writes them


def executable():
    """Return the path of a Firefox, or None."""
    return os.environ.get("FIREFOX") or next(filter(None, map(shutil.which, BROWSERS)), None)


class Firefox:
    """One window. ``complaints`` holds the errors of its pages, and ``foreign`` what they asked of other hosts."""

    def __init__(self, path):
        self.complaints, self.foreign, self._number = [], [], 0
        self._profile = tempfile.mkdtemp(prefix="firefox-")
        self._process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", self._profile, "--remote-debugging-port", "0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=os.environ | {"MOZ_HEADLESS": "1"})
        address = next(line.split()[-1] for line in self._process.stderr if "BiDi listening" in line)
        self._socket = websocket.create_connection(f"{address}/session", timeout=WAIT, suppress_origin=True)
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._tab = self._ask("browsingContext.create", type="tab")["context"]

    def _ask(self, method, **parameters):
        """Send one command and return its result; note what happens meanwhile."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event, what):
        if event == "log.entryAdded" and what["level"] == "error":
            self.complaints.append(what["text"])
        if event == "network.beforeRequestSent" and what.get("context") == self._tab:
            url = what["request"]["url"]
            if not url.startswith(("http://127.0.0.1", "file:", "data:", "blob:", "about:")):
                self.foreign.append(url)

    def open(self, url, width=1280, height=900):
        """Open a page in a window of so many pixels, and wait until all of it is there."""
        self._ask("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def call(self, function, *arguments):
        """Return what a JavaScript function returns for some arguments: plain numbers, words, and lists of them."""
        answer = self._ask(
            "script.callFunction", target={"context": self._tab}, awaitPromise=True,
            functionDeclaration=f"async (text) => JSON.stringify(await ({function})(...JSON.parse(text)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arguments)}])
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait_for(self, function, *arguments):
        """Call a function until it returns something true, and return that."""
        until = time.monotonic() + WAIT
        while not (answer := self.call(function, *arguments)):
            if time.monotonic() > until:
                raise TimeoutError(f"after {WAIT} s not yet: {function}")
            time.sleep(0.1)
        return answer

    def press(self, selector, words="", kind="mouse"):
        """Press the first element that a selector finds, among those with these words: by mouse or by touch."""
        x, y = self.call("""(selector, words) => {
            const one = [...document.querySelectorAll(selector)].find(({ textContent }) => textContent.includes(words));
            one.scrollIntoView({ block: "center", behavior: "instant" });
            const box = one.getBoundingClientRect();
            return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
        }""", selector, words)
        self._ask("input.performActions", context=self._tab, actions=[{
            "type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": [
                {"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0}]}])

    def type(self, *keys):
        """Press keys of the keyboard, one after the other: names of ``KEYS``, or letters."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask("input.performActions", context=self._tab,
                  actions=[{"type": "key", "id": "keys", "actions": actions}])

    def choose(self, selector, *paths):
        """Hand files to an input for files."""
        node = self._ask("browsingContext.locateNodes", context=self._tab,
                         locator={"type": "css", "value": selector})["nodes"][0]
        self._ask("input.setFiles", context=self._tab, element={"sharedId": node["sharedId"]},
                  files=[str(path) for path in paths])

    def photograph(self, path):
        """Write what the window shows as a PNG file."""
        shot = self._ask("browsingContext.captureScreenshot", context=self._tab)["data"]
        path.write_bytes(base64.b64decode(shot))

    def close(self):
        """End the browser, and throw away what it stored."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)
