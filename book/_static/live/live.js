/* What every panel shares: things that come as scripts, and a worker that computes.

   A page that was opened as a file may not fetch anything, and a worker may not come from a file of its own. Scripts
   may be loaded, and a worker may be made of text. So weights and the worker's source are scripts that call
   live.deliver, made when the book is built (book/_ext/live.py). Nothing is loaded before a reader acts. */

window.live = (() => {
  "use strict";

  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const arrivals = new Map();
  let again = 0;  // what failed is asked for under another address, lest a cache gives it once more

  /* Return a promise of what the script of this name delivers. */
  function load(name) {
    if (!arrivals.has(name)) {
      const arrival = {};
      arrival.promise = new Promise((resolve, reject) => { Object.assign(arrival, { resolve, reject }); });
      arrivals.set(name, arrival);
      const script = document.createElement("script");
      script.src = `${folder}${name}.js${again ? `?${again}` : ""}`;
      const fail = (why) => {
        forget(name);  // a second try may succeed
        arrival.reject(new Error(`the file ${name}.js ${why}`));
      };
      script.onerror = () => fail("could not be loaded");
      script.onload = () => {  // by now it has delivered, unless part of it is missing
        script.remove();
        if (!arrival.come) fail("is damaged");
      };
      document.head.append(script);
    }
    return arrivals.get(name).promise;
  }

  function deliver(name, content) {
    const arrival = arrivals.get(name);
    if (!arrival) return;
    arrival.come = true;
    arrival.resolve(content);
  }

  /* What came was no good: the next load asks again. */
  function forget(name) {
    arrivals.delete(name);
    again++;
  }

  /* The worker of this page with some models: tell(message) hears all that it says. */
  async function computer(models, tell) {
    const { source, kernel } = await load("engine-and-methods");
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    const hear = (message) => {  // a failure that answers no question is one of what came
      if (message.do === "failed" && message.number === undefined) forget(message.name ?? "engine-and-methods");
      tell(message);
    };
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = (event) => hear({ do: "failed", why: event.message || "the worker did not start" });
    worker.postMessage({ do: "start", kernel });
    send(models, worker, tell);
    return worker;
  }

  /* One after the other, so that the first ones answer while the others come. */
  async function send(models, worker, tell) {
    for (const name of models) {
      try {
        worker.postMessage({ do: "model", name, content: await load(name) });
      } catch (error) {
        tell({ do: "failed", name, why: error.message });
      }
    }
  }

  /* The worker of one panel: hired when something is first needed, dismissed when it fails, hired anew when a reader
     tries again. ready() hears that a model has come, failed(why) that the worker is gone, hear(message) all else. */
  function hand({ ready, failed, hear }) {
    const sent = new Set(), come = new Set();
    let attempt = 0, hired = null, worker = null, slow = false;

    const listener = (mine) => (message) => {
      if (mine !== attempt) return;
      if (message.do === "ready") {
        come.add(message.name);
        ready();
      } else if (message.do === "started") {
        slow = !message.fast;
      } else if (message.do === "failed" && message.number === undefined) {
        fail(message.why);
      } else {
        hear(message);
      }
    };

    function fail(why) {
      worker?.terminate();
      worker = hired = null;
      attempt++;
      sent.clear();
      come.clear();
      failed(why);
    }

    /* Send for what has not been sent for; say whether the worker is there. */
    async function need(models) {
      const mine = attempt;
      try {
        const one = await (hired ??= computer([], listener(mine)));
        if (mine !== attempt) return false;
        worker = one;
      } catch (error) {
        if (mine === attempt) fail(error.message);
        return false;
      }
      const fresh = models.filter((name) => !sent.has(name));
      fresh.forEach((name) => sent.add(name));
      send(fresh, worker, listener(mine));
      return true;
    }

    return { need, fail, has: (models) => worker !== null && models.every((name) => come.has(name)),
             isSlow: () => slow, post: (message) => worker?.postMessage(message) };
  }

  /* An element with attributes, listeners (onclick: …) and children. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  return { load, deliver, computer, send, hand, element };
})();
