"""Weights, images and boxes out of a counter-based hash, the same float32 values in any language (shared/domain/random.ts).

x = fnv1a32(name) + i * 0x9E3779B9 (mod 2^32), then murmur3's 32-bit finaliser, divided by 2^32.
"""
import math

import numpy as np
import torch


def fnv1a32(text):
    value = 0x811C9DC5
    for byte in text.encode("utf8"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def uniforms(name, count):
    """`count` numbers in [0, 1), float64."""
    mask = np.uint64(0xFFFFFFFF)
    x = (np.uint64(fnv1a32(name)) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B9)) & mask
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & mask
    return (x ^ (x >> np.uint64(16))).astype(np.float64) / 2.0**32


def filled(name, shape, centre, spread):
    values = centre + (uniforms(name, math.prod(shape)) * 2 - 1) * spread
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def rule(name, shape, is_basic):
    """Centre and spread of what fills a parameter, chosen so that a deep network neither dies nor explodes."""
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return 1.0, 0.3
    if leaf == "running_mean":
        return 0.0, 0.1
    if len(shape) == 4:
        gain = 1.0 if "fpn" in name else 2.0
        if name.endswith("cls_logits.weight"):
            gain = 0.06
        if name.endswith("bbox_reg.weight"):
            gain = 0.05
        return 0.0, math.sqrt(3.0 * gain / math.prod(shape[1:]))
    if name.endswith("cls_logits.bias"):
        return -3.0, 0.5
    if leaf == "bias":
        return 0.0, 0.1
    ends_a_block = name.endswith("bn3.weight") or (name.endswith("bn2.weight") and is_basic)
    return (0.35, 0.1) if ends_a_block else (1.0, 0.2)


def fill_model(model, prefix=""):
    """Hashed weights in place of the model's own; `is_basic`: blocks of two convolutions, as in ResNet-18 and 34."""
    state = model.state_dict()
    is_basic = not any(".conv3." in name for name in state if name.startswith("backbone.body."))
    for name, value in state.items():
        if not name.endswith("num_batches_tracked"):
            shape = tuple(value.shape)
            value.copy_(filled(prefix + name, shape, *rule(name, shape, is_basic)))
    return model


def image(name, height, width):
    """A smooth colour field with noise on it, [3, height, width] in [0, 1]."""
    y = torch.arange(height, dtype=torch.float32).view(1, height, 1) / height
    x = torch.arange(width, dtype=torch.float32).view(1, 1, width) / width
    ramps = [y.expand(1, height, width), x.expand(1, height, width), ((y + x) / 2).expand(1, height, width)]
    return 0.7 * torch.cat(ramps) + 0.3 * filled(name, (3, height, width), 0.5, 0.5)


def boxes(name, count, height, width, class_count):
    """Corners in pixels, [count, 4], and labels from 0."""
    u = torch.from_numpy(uniforms(name, count * 4).reshape(count, 4))
    w = 0.08 + 0.5 * u[:, 2] ** 2
    h = 0.08 + 0.5 * u[:, 3] ** 2
    x = u[:, 0] * (1 - w) * width
    y = u[:, 1] * (1 - h) * height
    corners = torch.stack([x, y, x + w * width, y + h * height], 1).float()
    return corners, torch.from_numpy((uniforms(name + ".label", count) * class_count).astype(np.int64))
