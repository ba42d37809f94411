/**
 * The HTTP status that goes with each kind of problem; the problem itself travels as JSON. 401 and 403 are kept for the gate: a
 * screen that gets one knows that its session is over.
 */
import type { ProblemKind } from '../../shared/domain/problem.ts';

export const statusByKind: Readonly<Record<ProblemKind, number>> = {
  'bad-input': 400,
  'not-found': 404,
  conflict: 409,
  'already-open': 409,
  cancelled: 409,
  'newer-version': 422,
  damaged: 422,
  forbidden: 422,
  'not-finite': 422,
  'read-only': 422,
  internal: 500,
  'no-gpu': 503,
  'device-lost': 503,
  offline: 503,
  'out-of-memory': 507,
  'disk-full': 507,
};
