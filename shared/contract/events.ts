/** Every event a host streams to its screens. */
import * as z from 'zod';
import { classSchema, imageSchema, jobSchema, projectSchema, runSchema } from './schemas.ts';

export const hostEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('project'), project: projectSchema.nullable() }),
  /** Images added or changed. */
  z.object({ type: z.literal('images'), images: z.array(imageSchema) }),
  z.object({ type: z.literal('classes'), classes: z.array(classSchema) }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('run'), run: runSchema }),
]);
export type HostEvent = z.infer<typeof hostEventSchema>;
