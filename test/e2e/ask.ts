/** Asks the running web shell what is stored, past the screens. */
import type { Serving } from '../../electron/web/serve.ts';
import type { RequestName, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { packMessage, unpackMessage } from '../../shared/contract/wire.ts';

const coder = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

export async function ask<N extends RequestName>(
  serving: Serving,
  name: N,
  params: RequestParams<N>,
): Promise<RequestResult<N>> {
  const answer = await fetch(new URL(`api/${name}`, serving.url), {
    method: 'POST',
    headers: { Authorization: `Bearer ${serving.token}` },
    body: packMessage(coder, params) as Uint8Array<ArrayBuffer>,
  });
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
  return unpackMessage(coder, new Uint8Array(await answer.arrayBuffer())) as RequestResult<N>;
}
