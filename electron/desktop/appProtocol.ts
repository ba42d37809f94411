/** `app://boxwright/`: the built screens by their list, and nothing else. */
import type { Protocol } from 'electron';
import type { RendererFiles } from '../host/rendererFiles.ts';
import { appScheme } from './channel.ts';
import { isOwnUrl } from './ownPage.ts';

/** Before the app is ready. `secure` is what gives the page WebGPU; `bypassCSP` stays off. */
export function registerAppScheme(protocol: Protocol): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: appScheme,
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ]);
}

/** Once the app is ready. */
export function handleAppScheme(protocol: Protocol, files: RendererFiles): void {
  protocol.handle(appScheme, (request) => answerAppRequest(files, request));
}

export function answerAppRequest(files: RendererFiles, request: { url: string; method: string }): Response {
  if (!isOwnUrl(request.url)) return new Response(null, { status: 403 });
  if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(null, { status: 405 });
  // The path as it stands, undecoded: it is only ever compared with the list.
  const file = files.get(new URL(request.url).pathname);
  if (!file) return new Response(null, { status: 404 });
  return new Response(request.method === 'HEAD' ? null : file.bytes, { status: 200, headers: file.headers });
}
