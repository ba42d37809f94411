"""Makes a barely trained export one that finds things, and images on which torch is sure of them.

Usage: sharpen.py FOLDER, with the model card's script as detect.py and the weights as export.safetensors. Runs the script, which loads the
weights with strict=True, sets spread and offset of its logits as for hashed weights, and writes the file anew under the same names. Prints
the images' names as JSON.
"""
import contextlib
import json
import os
import sys
from pathlib import Path

from torchvision.transforms.functional import to_tensor

import checkpoints


def model_of_card():
    card = {}
    sys.argv = ["detect.py"]
    with contextlib.redirect_stdout(sys.stderr):
        exec(Path("detect.py").read_text(), card)
    return card["model"]


def main():
    os.chdir(sys.argv[1])
    model = model_of_card()
    sizes = [(90, 120), (96, 80)]
    checkpoints.spread_scores(model, [to_tensor(checkpoints.picture(*size, 0)) for size in sizes])
    state = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    checkpoints.write_safetensors(state, "export.safetensors")
    images = []
    for size in sizes:
        image, _ = checkpoints.clear_picture({"export": model}, *size)
        images.append(f"{size[0]}x{size[1]}.png")
        image.save(images[-1])
    print(json.dumps(images))


main()
