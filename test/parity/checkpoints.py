"""Checkpoints, images, and what torchvision finds with the one on the other.

Usage: checkpoints.py OUTDIR, with Debian's python3-torch and python3-torchvision (0.14). Writes NAME.pth of every network, IMAGE.png, and
expected.json: {"images": [...], "detections": {NAME: {IMAGE: [{"box", "score", "label"}]}}}.
"""
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.models import resnet
from torchvision.models.detection import RetinaNet, retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.ops.misc import FrozenBatchNorm2d
from torchvision.transforms.functional import to_tensor

import hashed

CLASSES = 5
SCALING = {"min_size": 128, "max_size": 224}
SIZES = [(90, 120), (96, 80), (200, 133), (64, 301), (1, 1)]
# float32 tells two scores apart, and a score from the threshold, where they differ by more than this.
CLEAR = 4e-6


def resnet18_fpn64():
    body = resnet.resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
    levels = {"layer2": "0", "layer3": "1", "layer4": "2"}
    backbone = BackboneWithFPN(body, levels, [128, 256, 512], 64, extra_blocks=LastLevelP6P7(64, 64))
    return RetinaNet(backbone, CLASSES, **SCALING)


def resnet50(build):
    return lambda: build(weights=None, weights_backbone=None, num_classes=CLASSES, **SCALING)


NETWORKS = {
    "resnet18": resnet18_fpn64,
    "v1": resnet50(retinanet_resnet50_fpn),
    "v2": resnet50(retinanet_resnet50_fpn_v2),
}


def make(name, images):
    model = hashed.fill_model(NETWORKS[name]()).eval()
    spread_scores(model, images)
    return model


def spread_scores(model, images):
    """Sets spread and offset of the logits so that one in four hundred passes the threshold: some dozen objects an image."""
    last = model.head.classification_head.cls_logits
    with torch.no_grad():
        last.weight.mul_(2.0 / logits_of(model, images).std())
        last.bias.add_(math.log(0.05 / 0.95) - np.quantile(logits_of(model, images).numpy(), 0.9975))


def logits_of(model, images):
    with torch.no_grad():
        batches = [model.transform([image])[0].tensors for image in images]
        return torch.cat([model.head(list(model.backbone(each).values()))["cls_logits"].flatten() for each in batches])


def picture(height, width, attempt):
    pixels = (hashed.image(f"parity.{height}x{width}.{attempt}", height, width) * 255).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def detect(model, image):
    with torch.no_grad():
        found = model([image])[0]
    return [
        {"box": box, "score": score, "label": label}
        for box, score, label in zip(*(found[key].tolist() for key in ("boxes", "scores", "labels")))
    ]


def answer_clearly(name, model, image, answers):
    """False where there is none, or it is one of rounding: torch finds other things in float64, or two scores are as good as equal."""
    answers[name] = detect(model, image)
    exact = detect(model.double(), image.double())
    model.float()
    scores = [each["score"] for each in exact] + [model.score_thresh]
    gaps = [above - below for above, below in zip(scores, scores[1:])]
    labels = [[each["label"] for each in answer] for answer in (answers[name], exact)]
    return bool(exact) and labels[0] == labels[1] and min(gaps) > CLEAR


def clear_picture(models, height, width):
    """An image on which no model's answer is one of rounding, and the answers."""
    for attempt in range(20):
        image = picture(height, width, attempt)
        answers = {}
        if all(answer_clearly(name, model, to_tensor(image), answers) for name, model in models.items()):
            return image, answers
    raise SystemExit(f"No image of {height}x{width} px on which torch agrees with itself.")


def write_safetensors(tensors, path):
    """The format in ten lines, for Debian has no package of it."""
    header, chunks, at = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        chunks.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def write_variants(model, out):
    """The same weights as other people save them."""
    state = model.state_dict()
    torch.save({"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "epoch": 3}, out / "resnet18_wrapped.pth")
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, out / "resnet18_module.pth")
    torch.save({name: value.half() for name, value in state.items()}, out / "resnet18_half.pth")
    write_safetensors(state, out / "resnet18.safetensors")


def main():
    torch.set_num_threads(2)
    out = Path(sys.argv[1])
    first = [to_tensor(picture(height, width, 0)) for height, width in SIZES]
    names = sys.argv[2:] or list(NETWORKS)
    models = {name: make(name, first) for name in names}
    models["resnet18_half"] = resnet18_fpn64().eval()
    models["resnet18_half"].load_state_dict({name: value.half() for name, value in models["resnet18"].state_dict().items()})
    expected = {"images": [], "detections": {name: {} for name in models}}
    for height, width in SIZES:
        image, answers = clear_picture(models, height, width)
        name = f"{height}x{width}.png"
        image.save(out / name)
        expected["images"].append(name)
        for model, answer in answers.items():
            expected["detections"][model][name] = answer
    for name in names:
        torch.save(models[name].state_dict(), out / f"{name}.pth")
    write_variants(models["resnet18"], out)
    (out / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
