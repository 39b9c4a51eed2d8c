"""Write the lists of layers of all served models: ``python -m helpers.live``, after a network has changed."""

import json

from helpers import pretrained
from helpers.files import write_whole
from helpers.live import graph, pack


def text(name):
    """Return the file of a model's lists: one layer a line."""
    networks = pretrained.load(name).networks
    parts = []
    for network in pack.SERVED[name]:
        written = graph.write(networks[network], network)
        layers = ",\n  ".join(json.dumps(layer) for layer in written["layers"])
        parts.append(f'"{network}": {{"outputs": {json.dumps(written["outputs"])}, "layers": [\n  {layers}]}}')
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    for name in pack.SERVED:
        path = pack.LISTS / f"{name}.json"
        write_whole(path, lambda aside, name=name: aside.write_text(text(name), encoding="utf-8"))
        print(path)
