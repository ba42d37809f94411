/** A Python script that runs an exported ONNX file with ONNX Runtime: how images go in, and what comes out. */
import { defaultDecodeSettings } from '../../detector/decode.ts';
import { classesLine, quoted, type ScriptRequest } from './modelCardTorch.ts';

export function onnxScript(request: ScriptRequest & { readonly nms: boolean }): string {
  const { scoreThreshold, nmsIou, maxDetections } = defaultDecodeSettings;
  const minSizePx = request.minSizePx ?? 800;
  const maxSizePx = request.maxSizePx ?? 1333;
  return `# python3 detect.py IMAGE...   needs onnxruntime, numpy, Pillow
import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

${classesLine(request)}
session = onnxruntime.InferenceSession(${quoted(request.file)}, providers=["CPUExecutionProvider"])
height, width = session.get_inputs()[0].shape[2:]


def scale_of(size):  # the short side to ${minSizePx} px, unless the long one would pass ${maxSizePx}
    one, short, long = np.float32(1), np.float32(min(size)), np.float32(max(size))
    scale = float(min(one / short * np.float32(${minSizePx}), one / long * np.float32(${maxSizePx})))
    return min(scale, width / size[0], height / size[1])


def resize(pixels, axis, size):  # bilinear without antialiasing, as in training
    at = np.maximum((np.arange(size) + 0.5) * pixels.shape[axis] / size - 0.5, 0)
    low = np.minimum(at.astype(int), pixels.shape[axis] - 1)
    high = np.minimum(low + 1, pixels.shape[axis] - 1)
    weight = (at - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    return pixels.take(low, axis) * (1 - weight) + pixels.take(high, axis) * weight

${request.nms ? '' : suppression(nmsIou)}
results = []
for path in sys.argv[1:]:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    scale = scale_of(image.size)
    size = max(1, int(image.height * scale)), max(1, int(image.width * scale))
    pixels = resize(resize(np.asarray(image, np.float32) / 255, 0, size[0]), 1, size[1])
    frame = np.zeros((1, 3, height, width), np.float32)
    frame[0, :, : size[0], : size[1]] = pixels.transpose(2, 0, 1)
    inputs = {"images": frame, "image_size": np.array(size, np.int64)}
${request.nms ? '    boxes, scores, labels = session.run(["boxes", "scores", "labels"], inputs)' : ownDetections(scoreThreshold, maxDetections)}
    boxes = boxes * (np.array([image.width, image.height] * 2) / np.array([size[1], size[0]] * 2))
    detections = [
        {"box": box, "score": score, "class": classes[label]}
        for box, score, label in zip(boxes.tolist(), scores.tolist(), labels.tolist())
    ]
    results.append({"image": path, "width": image.width, "height": image.height, "detections": detections})
print(json.dumps(results, indent=1))
`;
}

function suppression(nmsIou: number): string {
  return `
def suppress(boxes, scores):  # indices to keep: a box goes where a better one overlaps it
    kept = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index in np.argsort(-scores, kind="stable"):
        sides = np.minimum(boxes[index, 2:], boxes[kept, 2:]) - np.maximum(boxes[index, :2], boxes[kept, :2])
        shared = np.maximum(sides, 0).prod(axis=1)
        if not (shared > ${nmsIou} * (areas[index] + areas[kept] - shared)).any():
            kept.append(index)
    return kept

`;
}

function ownDetections(scoreThreshold: number, maxDetections: number): string {
  return `    all_boxes, all_scores = session.run(["boxes", "scores"], inputs)
    found = []
    for label in range(len(classes)):
        rows = np.flatnonzero(all_scores[:, label] > ${scoreThreshold})
        kept = rows[suppress(all_boxes[rows], all_scores[rows, label])]
        found += [(all_scores[row, label], row, label) for row in kept]
    found = sorted(found, key=lambda each: -each[0])[:${maxDetections}]
    scores = np.array([score for score, _, _ in found])
    boxes = all_boxes[[row for _, row, _ in found]]
    labels = np.array([label for _, _, label in found], int)`;
}
