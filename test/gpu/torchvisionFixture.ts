/** The models of test/fixtures, made again from hashes: weights by parameter name, images and boxes by tag. */
import { paddedSize, preprocessInto, resizedSize, scaleBoxes } from '../../shared/detector/preprocess.ts';
import { fnv1a32, uniformAt } from '../../shared/domain/random.ts';
import type { Batch, BatchTarget, NamedTensor } from '../../shared/loss/executor.ts';

export interface TensorStats {
  readonly shape: number[];
  readonly mean: number;
  readonly std: number;
  readonly abs_sum: number;
  readonly first: number[];
}

interface FixtureInputs {
  /** Before every hashed name. */
  readonly hash_prefix: string;
  readonly tag: string;
  readonly image_sizes_hw: [number, number][];
  readonly targets: { boxes: number[]; labels: number[] }[];
  readonly min_size: number[];
  readonly max_size: number;
}

export interface ModelFixture extends FixtureInputs {
  readonly num_classes: number;
  readonly resized_hw: [number, number][];
  readonly batch: TensorStats;
  readonly features: TensorStats[];
  readonly cls_logits: TensorStats;
  readonly bbox_regression: TensorStats;
  readonly cls_logits_probe: number[];
  readonly bbox_regression_probe: number[];
  readonly anchors: TensorStats;
  readonly detections: { boxes: number[]; scores: number[]; labels: number[]; count: number }[];
  readonly losses: { classification: number; bbox_regression: number };
  readonly grad_norms: Record<string, number>;
  readonly grad_probe?: Record<string, number[]>;
  /** Absent where `ruleOf` says how each is filled. */
  readonly params?: RuledParameter[];
}

interface RuledParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Centre and spread of the uniform it is filled with. */
  readonly rule: readonly [number, number];
}

export interface TrainFixture extends FixtureInputs {
  readonly lr: number;
  readonly momentum: number;
  readonly weight_decay: number;
  readonly losses_per_step: { classification: number; bbox_regression: number }[];
}

/** The rule of make_extra.py; `lastNorm` is that of a residual branch: bn3 in bottlenecks, else bn2. */
export function ruleOf(name: string, shape: readonly number[], lastNorm: 'bn2' | 'bn3'): [number, number] {
  if (name.endsWith('.running_var')) return [1, 0.3];
  if (name.endsWith('.running_mean')) return [0, 0.1];
  if (shape.length === 4) {
    const layer = name.split('.').at(-2)!;
    const gain = { cls_logits: 0.06, bbox_reg: 0.05 }[layer] ?? (name.includes('fpn') ? 1 : 2);
    return [0, Math.sqrt((3 * gain) / (shape[1]! * shape[2]! * shape[3]!))];
  }
  if (name.endsWith('cls_logits.bias')) return [-3, 0.5];
  if (name.endsWith('.bias')) return [0, 0.1];
  return name.endsWith(`${lastNorm}.weight`) ? [0.15, 0.05] : [1, 0.2];
}

/** The hash-made weights of a model. */
export function hashedWeights(params: readonly RuledParameter[], prefix = ''): NamedTensor[] {
  return params.map(({ name, shape, rule: [centre, spread] }) => {
    const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
    const stream = fnv1a32(prefix + name);
    return { name, shape, data: data.map((_, i) => centre + (uniformAt(stream, i) * 2 - 1) * spread) };
  });
}

/** Smooth colour fields plus hash noise, interleaved RGB in 0..1: rounded to float32 after every operation, as torch computes it. */
function hashedImage(name: string, height: number, width: number): Float32Array {
  const { fround } = Math;
  const data = new Float32Array(height * width * 3);
  const stream = fnv1a32(name);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [down, across] = [fround(y / height), fround(x / width)];
        const ramp = [down, across, fround(down + across) / 2][channel]!;
        const noise = fround(uniformAt(stream, (channel * height + y) * width + x));
        data[(y * width + x) * 3 + channel] = fround(fround(0.7) * ramp) + fround(fround(0.3) * noise);
      }
    }
  }
  return data;
}

/** The fixture's batch as torchvision's transform makes it. */
export function fixtureBatch(fixture: FixtureInputs): Batch {
  const minSize = fixture.min_size.at(-1)!;
  const sizes = fixture.image_sizes_hw.map(([h, w]) => resizedSize(h, w, minSize, fixture.max_size));
  const frame = paddedSize(sizes);
  const images = new Float32Array(sizes.length * frame.heightPx * frame.widthPx * 3);
  const targets = sizes.map((resized, index): BatchTarget => {
    const [heightPx, widthPx] = fixture.image_sizes_hw[index]!;
    const data = hashedImage(`${fixture.hash_prefix}${fixture.tag}.image${index}`, heightPx, widthPx);
    const slot = { images, batchIndex: index, paddedHeight: frame.heightPx, paddedWidth: frame.widthPx };
    preprocessInto(slot, { data, heightPx, widthPx }, resized);
    const { boxes, labels } = fixture.targets[index]!;
    return {
      imageId: `${index}`,
      heightPx: resized.heightPx,
      widthPx: resized.widthPx,
      originalHeightPx: heightPx,
      originalWidthPx: widthPx,
      boxes: scaleBoxes(Float32Array.from(boxes), { heightPx, widthPx }, resized),
      classIndices: Int32Array.from(labels),
      ignoreBoxes: new Float32Array(0),
    };
  });
  return {
    images,
    batch: sizes.length,
    paddedHeight: frame.heightPx,
    paddedWidth: frame.widthPx,
    targets,
  };
}
