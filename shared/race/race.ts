/** A race: the same data, seed, order, schedule and start under several strategies. */
import * as z from 'zod';

/** `turns`: one after the other. `interleaved`: step by step, all on the GPU at once, so that they can be watched side by side. */
export const raceOrders = ['turns', 'interleaved'] as const;
export type RaceOrder = (typeof raceOrders)[number];

export const minCompetitors = 2;
export const maxCompetitors = 6;

/** A short run by which a learning rate is chosen. */
export const raceTrialSchema = z.object({
  learningRate: z.number(),
  steps: z.number(),
  /** On the validation images after those steps; null where there are none. */
  AP50: z.number().nullable(),
  /** Mean classification and box loss of its last steps; null where it was not finite. */
  loss: z.number().nullable(),
});
export type RaceTrial = z.infer<typeof raceTrialSchema>;
