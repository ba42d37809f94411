/** In a file of its own: Node's fetch goes through a proxy for the whole process. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { problemOfAsync, scratchFolder } from '../../../test/durability/testProject.ts';
import { PublishedLibrary } from './publishedLibrary.ts';

it('goes through the proxy of the environment, and only then', async () => {
  const asked: (string | undefined)[] = [];
  const proxy = createServer();
  proxy.on('connect', ({ url }, socket) => {
    asked.push(url);
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  vi.stubEnv('https_proxy', undefined);
  vi.stubEnv('no_proxy', undefined);
  vi.stubEnv('NO_PROXY', undefined);
  vi.stubEnv('HTTPS_PROXY', `http://user:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`);

  const patience = { stallMs: 5000, retryDelaysMs: [] };
  const library = new PublishedLibrary({ dataPath: scratchFolder(), patience });
  const job = { signal: new AbortController().signal, progress: () => {} };
  const problem = await problemOfAsync(library.download('resnet18', job));
  expect(asked).toEqual(['download.pytorch.org:443']);
  expect(problem).toMatchObject({
    kind: 'offline',
    message: expect.stringContaining('download.pytorch.org'),
  });
  expect(JSON.stringify(problem)).not.toContain('secret');
});
