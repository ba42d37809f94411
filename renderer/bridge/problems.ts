/** Problems that the bridge itself meets, and problems read back from a wire. */
import { problemSchema } from '../../shared/contract/schemas.ts';
import { Problem, type ProblemData } from '../../shared/domain/problem.ts';

export function problemFromWire(data: unknown, fallback: string): Problem {
  const parsed = problemSchema.safeParse(data);
  if (!parsed.success) {
    return new Problem(
      'internal',
      fallback,
      'Try again; if it happens again, restart Boxwright.',
      show(data),
    );
  }
  return toProblem(parsed.data);
}

export function toProblem(data: ProblemData): Problem {
  return new Problem(data.kind, data.message, data.remedy, data.detail);
}

export function offlineProblem(detail: string): Problem {
  return new Problem(
    'offline',
    'Boxwright does not answer: the program behind this page has stopped or is busy.',
    'Start it again with npm start. Edits that are not saved yet stay on this page until then.',
    detail,
  );
}

export function sessionEndedProblem(): Problem {
  return new Problem(
    'forbidden',
    'This page no longer belongs to a running Boxwright.',
    'Open the address that Boxwright printed when it was last started.',
  );
}

function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
