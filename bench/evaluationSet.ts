/** A COCO set made from a seed: as many images, boxes and detections as COCO's validation set, and as hard to evaluate. */
import { RandomStream } from '../shared/domain/random.ts';
import type { CocoAnnotation, CocoDetection, CocoGroundTruth } from '../shared/evaluation/cocoInput.ts';

const categoryCount = 80;
const detectionsPerImage = 100;
const boxesPerImage = 7.2;
const side = { width: 640, height: 480 };

/** Boxes crowd into few categories of an image, as they do in photographs; detections find most of them, and much that is not there. */
export function largeCocoSet(imageCount: number): {
  groundTruth: CocoGroundTruth;
  detections: CocoDetection[];
} {
  const random = new RandomStream('bench/evaluation');
  const images = Array.from({ length: imageCount }, (_, index) => ({ id: index + 1, ...side }));
  const categories = Array.from({ length: categoryCount }, (_, index) => ({
    id: index + 1,
    name: `category ${index + 1}`,
  }));
  const annotations: CocoAnnotation[] = [];
  const detections: CocoDetection[] = [];
  for (const { id: image_id } of images) {
    const present = Array.from({ length: 3 }, () => 1 + random.integer(categoryCount));
    const boxes = Array.from({ length: Math.floor(2 * boxesPerImage * random.uniform() + 0.5) }, () => ({
      bbox: anyBox(random),
      category_id: present[random.integer(present.length)]!,
    }));
    for (const { bbox, category_id } of boxes) {
      const id = annotations.length + 1;
      const iscrowd = random.uniform() < 0.01 ? 1 : 0;
      annotations.push({ id, image_id, category_id, bbox, area: bbox[2]! * bbox[3]! * 0.7, iscrowd });
    }
    for (let index = 0; index < detectionsPerImage; index++) {
      const near = boxes[index] ?? (random.uniform() < 0.3 ? boxes[random.integer(boxes.length)] : undefined);
      const category_id =
        near?.category_id ??
        (random.uniform() < 0.5
          ? present[random.integer(present.length)]!
          : 1 + random.integer(categoryCount));
      const bbox = near ? shaken(near.bbox, random) : anyBox(random);
      const score = Math.round(1e5 * random.uniform() ** (near ? 1 : 4)) / 1e5;
      detections.push({ image_id, category_id, bbox, score });
    }
  }
  return { groundTruth: { images, annotations, categories }, detections };
}

function anyBox(random: RandomStream): number[] {
  const width = 8 * 60 ** random.uniform();
  const height = Math.min(400, width * 2 ** random.between(-1, 1));
  return [
    (side.width - width) * random.uniform(),
    (side.height - height) * random.uniform(),
    width,
    height,
  ].map(toHundredths);
}

function shaken([x, y, width, height]: readonly number[], random: RandomStream): number[] {
  const by = 0.25 * random.uniform();
  return [
    x! + by * width! * random.between(-1, 1),
    y! + by * height! * random.between(-1, 1),
    width! * (1 + by * random.between(-1, 1)),
    height! * (1 + by * random.between(-1, 1)),
  ].map(toHundredths);
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
