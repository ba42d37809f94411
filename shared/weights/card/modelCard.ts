/** What is known of exported weights: the facts a model card is written from, and the card as JSON. What is not known is null, never guessed. */
import { defaultDecodeSettings } from '../../detector/decode.ts';
import type { RetinaNetOptions } from '../../detector/network.ts';
import { imageNetMean, imageNetStd, type SizePx, sizeDivisor } from '../../detector/preprocess.ts';
import { opsetVersion } from '../onnx/model.ts';

/** Images and labels of one side of the data. */
export interface DataCounts {
  readonly images: number;
  readonly boxes: number;
  /** Images without a box: somebody has looked, and nothing is there. */
  readonly negatives: number;
  /** In the order of the classes. */
  readonly boxesPerClass: readonly number[];
}

export interface DataFacts {
  /** `run`: exactly what the run learnt from; `export`: counted when the weights were exported, the labels have changed since. */
  readonly countedAt: 'run' | 'export';
  readonly train: DataCounts;
  readonly validation: DataCounts;
}

export interface MetricFacts {
  readonly step: number;
  /** On images set aside for validation, or on all reviewed ones: the weights may have learnt from these. */
  readonly split: 'validation' | 'reviewed';
  readonly images: number;
  readonly AP: number | null;
  readonly AP50: number | null;
  /** AP by class name. */
  readonly perClass: Readonly<Record<string, number | null>>;
}

export interface ModelCardFacts {
  /** What people call it: the run's name, or the file the weights came from. */
  readonly name: string;
  /** A name for every column of the logits. */
  readonly classes: readonly string[] | null;
  readonly data: DataFacts | null;
  /** The run's config, as its checkpoint has it: `minSizePx` and `maxSizePx` decide how images are scaled. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Training steps behind the weights. */
  readonly step: number | null;
  /** Seconds of training behind them. */
  readonly seconds: number | null;
  /** What trained them. */
  readonly adapter: string | null;
  readonly metrics: MetricFacts | null;
  /** Of Boxwright. */
  readonly version: string;
  /** ISO 8601, of the export. */
  readonly date: string;
}

/** The weights a card lies beside. */
export interface ExportedWeights {
  /** File name. */
  readonly file: string;
  readonly format: 'safetensors' | 'onnx';
  readonly nms: boolean;
  readonly network: RetinaNetOptions;
  readonly frame: SizePx;
  /** As torch counts `model.parameters()`. */
  readonly parameterCount: number;
  readonly facts: ModelCardFacts;
}

/** How images are scaled for these weights; null where the config does not say. */
export function scalingOf({ config }: ModelCardFacts): {
  minSizePx: number | null;
  maxSizePx: number | null;
} {
  const side = (name: string) => (typeof config?.[name] === 'number' ? (config[name] as number) : null);
  return { minSizePx: side('minSizePx'), maxSizePx: side('maxSizePx') };
}

/** The card as JSON: all that a checkpoint's own JSON says, so that Boxwright knows classes and network when it reads the weights back. */
export function modelCardJson(weights: ExportedWeights): Record<string, unknown> {
  const { facts, network, format } = weights;
  return {
    name: facts.name,
    ...{ file: weights.file, format, producer: `Boxwright ${facts.version}`, date: facts.date },
    ...{ step: facts.step, classes: facts.classes, backbone: network.backbone, network },
    ...{ parameterCount: weights.parameterCount, config: withoutFolders(facts.config) },
    ...{ adapter: facts.adapter, seconds: facts.seconds },
    AP50: facts.metrics?.AP50 ?? null,
    ...{ metrics: facts.metrics, data: facts.data },
    preprocessing: {
      ...{ channels: 'RGB', range: [0, 1], mean: imageNetMean, std: imageNetStd, ...scalingOf(facts) },
      ...{ resize: 'bilinear, no antialias, half-pixel centres', pad: 'right and bottom, with zeros' },
      sizeDivisor,
    },
    decoding: defaultDecodeSettings,
    ...(format === 'onnx' && { onnx: { opset: opsetVersion, frame: weights.frame, nms: weights.nms } }),
  };
}

/** A card is given away, and where somebody keeps files is nobody's business. */
function withoutFolders(config: ModelCardFacts['config']): ModelCardFacts['config'] {
  if (typeof config?.init !== 'string' || !config.init.startsWith('file:')) return config;
  return { ...config, init: `file:${fileName(config.init.slice('file:'.length))}` };
}

export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
