/** Before the first step: where the logits of the untrained network lie on the user's own images, and what that costs. */
import * as z from 'zod';

/** Measured once by a forward pass; the loss under any prior, alpha and gamma follows from it. */
export const firstStepSchema = z.object({
  /** Images that were looked at, and their frame in the network. */
  images: z.number(),
  widthPx: z.number(),
  heightPx: z.number(),
  /** pi of the last bias that the logits were computed with; null: it came with weights and is not ours to set. */
  prior: z.number().nullable(),
  classes: z.array(z.string()),
  /** Anchors of one image that are not ignored, and those matched to an object: means over the images. */
  anchors: z.number(),
  positives: z.number(),
  /** Of all these images, in `shared/loss/histogramText.ts`'s form. */
  histogram: z.string(),
});
export type FirstStep = z.infer<typeof firstStepSchema>;
