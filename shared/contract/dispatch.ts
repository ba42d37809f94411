/** The one door into the services: checks a request's name and parameters, runs its handler, checks the answer. */
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
    const issue = parsed.error.issues[0];
    const place = issue?.path.join('.') || 'parameters';
    throw new Problem(
      'bad-input',
      `${name}: ${place}: ${issue?.message ?? 'invalid'}.`,
      'Correct the value and try again.',
    );
  }
  const handler = handlers[requestName] as (params: unknown) => Promise<RequestResult<RequestName>>;
  return handler(parsed.data);
}
