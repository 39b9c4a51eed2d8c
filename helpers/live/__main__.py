"""Write the lists of layers of all served models: ``python -m helpers.live``, after a network has changed."""

import json

from helpers import pretrained
from helpers.files import write_whole
from helpers.live import graph, pack
from helpers.models import denoiser, diffusion


def text(name):
    """Return the file of a model's lists: one layer a line, and the numbers that the model keeps beside its weights."""
    ready = pretrained.shared(name)
    parts = []
    for network in pack.SERVED[name]:
        written = graph.write(ready.networks[network], network)
        layers = ",\n  ".join(json.dumps(layer) for layer in written["layers"])
        parts.append(f'"{network}": {{"outputs": {json.dumps(written["outputs"])}, "layers": [\n  {layers}]}}')
    between = ",\n"
    return f'{{"settings": {json.dumps(settings(ready))}, "networks": {{\n{between.join(parts)}}}}}\n'


def settings(ready):
    """Return what the engine has to know of a model beside its networks."""
    if isinstance(ready, denoiser.Denoiser):
        return {"stride": denoiser.STRIDE, "reach": denoiser.REACH, "tile": denoiser.TILE}
    if not hasattr(ready, "schedule"):
        return {}
    return {"centre": ready.centre, "spread": ready.spread, "highest": diffusion.HIGHEST}


if __name__ == "__main__":
    for name in pack.SERVED:
        path = pack.LISTS / f"{name}.json"
        write_whole(path, lambda aside, name=name: aside.write_text(text(name), encoding="utf-8"))
        print(path)
