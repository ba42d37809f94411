/**
 * What is known about an image's labels. Unlabelled is not negative: only `reviewed` and `reviewed-empty` images are
 * trained on unless the user says otherwise, and `reviewed-empty` is the one way to say "there is nothing here".
 */
export const imageStates = ['unlabelled', 'in-progress', 'reviewed', 'reviewed-empty'] as const;
export type ImageState = (typeof imageStates)[number];

export const splits = ['train', 'val', 'test'] as const;
export type Split = (typeof splits)[number];

export interface ImageRecord {
  /** Opaque; stable for the life of the project. */
  readonly id: string;
  /** Path below its root folder, forward slashes. */
  readonly relativePath: string;
  /** SHA-256 of the file's bytes, hex. */
  readonly contentHash: string;
  /** Size of the upright image in pixels. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly state: ImageState;
  /** Null: not assigned; trained on when reviewed, never validated on. */
  readonly split: Split | null;
  /** The file was not where it should be when last looked for. */
  readonly missing: boolean;
  readonly labelCount: number;
  readonly proposalCount: number;
}

export function isReviewed(state: ImageState): boolean {
  return state === 'reviewed' || state === 'reviewed-empty';
}

/** The state that says the truth after a person has confirmed the image. */
export function reviewedStateFor(labelCount: number): ImageState {
  return labelCount > 0 ? 'reviewed' : 'reviewed-empty';
}
