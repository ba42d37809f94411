/** The one door into the services: checks a request's name and parameters, runs its handler, checks the answer. */
import type * as z from 'zod';
import { Problem } from '../domain/problem.ts';
import { type Handlers, type RequestName, type RequestResult, requests } from './requests.ts';

/** Throws a `Problem` of kind `bad-input` for an unknown name or parameters that do not fit; else whatever the handler throws. */
export async function dispatch(
  handlers: Handlers,
  name: string,
  params: unknown,
): Promise<RequestResult<RequestName>> {
  if (!Object.hasOwn(requests, name)) {
    throw new Problem(
      'bad-input',
      `There is no request named ${JSON.stringify(name)}.`,
      'Reload the window.',
    );
  }
  const requestName = name as RequestName;
  const parsed = requests[requestName].params.safeParse(params ?? {});
  if (!parsed.success) {
    throw refusal(name, parsed.error.issues[0]);
  }
  const handler = handlers[requestName] as (params: unknown) => Promise<RequestResult<RequestName>>;
  return handler(parsed.data);
}

/** What a person can mistype in a sentence; what only a program can get wrong with the validator's words as detail. */
function refusal(name: string, issue: z.core.$ZodIssue | undefined): Problem {
  const place = issue?.path.join('.') || 'parameters';
  const field = String(issue?.path.at(-1) ?? 'value');
  const detail = `${name}: ${place}: ${issue?.message ?? 'invalid'}`;
  if (issue?.code === 'too_small' && issue.origin === 'string') {
    return new Problem('bad-input', `The ${field} is empty.`, `Type a ${field}.`, detail);
  }
  if (issue?.code === 'too_big' && issue.origin === 'string') {
    const message = `The ${field} is longer than ${issue.maximum} characters.`;
    return new Problem('bad-input', message, 'Shorten it and try again.', detail);
  }
  return new Problem(
    'bad-input',
    `${name} cannot take this ${field} (${place}).`,
    'Reload the window and try again; if it happens again, report it with the detail below.',
    detail,
  );
}
