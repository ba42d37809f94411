/** What a file of weights is, inferred from its tensors' names and shapes: what `weights inspect` prints and the screens show. */
import type { RetinaNetOptions } from '../detector/network.ts';

export const weightsFormats = ['safetensors', 'torch'] as const;
/** Whose names the file uses. `torchvision-old`: before 0.12, without the `.0` of a convolution in a sequence. `resnet`: a bare classifier. */
export const weightsLayouts = ['torchvision', 'torchvision-old', 'detectron2', 'resnet'] as const;

export interface WeightsDescription {
  /** The file as the user knows it. */
  readonly name: string;
  readonly format: (typeof weightsFormats)[number];
  readonly layout: (typeof weightsLayouts)[number];
  /** A whole detector, or a backbone for one. */
  readonly content: 'retinanet' | 'backbone';
  /** The network they fit, `foregroundClassCount` being all class columns; of a backbone, the usual detector around it. */
  readonly network: RetinaNetOptions;
  /** Logits of an anchor, a background slot included; null for a backbone. */
  readonly classColumns: number | null;
  /** A name for every column, where the file or its .json tells them or they are COCO's; null: unknown. */
  readonly classNames: readonly string[] | null;
  readonly tensorCount: number;
  /** As torch counts `model.parameters()`. */
  readonly parameterCount: number;
  readonly fileBytes: number;
  /** Of `network`, under torchvision's names, what the file does not have; empty for a whole detector. */
  readonly missing: readonly string[];
  /** Tensors of the file that no network here has a place for, under the file's own names. */
  readonly extra: readonly string[];
  /** Sentences for people: what was renamed, converted or dropped. */
  readonly notes: readonly string[];
}
