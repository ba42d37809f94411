/** Builds the screens once for tests that only need some real files to be served, in a folder of their own. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const contents: Readonly<Record<string, string>> = {
  'index.html':
    '<!doctype html><meta name="csp-nonce" content="__NONCE__"><title>Screens</title><script type="module" src="./assets/main-1a2b.js"></script>',
  'assets/main-1a2b.js':
    "new Worker(new URL('./worker-3c4d.js', import.meta.url), { type: 'module' }).onmessage = (m) => (document.title = JSON.stringify(m.data));",
  'assets/worker-3c4d.js': `
    const adapter = await navigator.gpu?.requestAdapter();
    const device = await adapter?.requestDevice();
    postMessage({ device: Boolean(device), software: adapter?.info.isFallbackAdapter ?? null, isolated: crossOriginIsolated });`,
  'assets/style-5e6f.css': 'body { color: red }',
};

/** A folder as `renderer/vite.config.ts` leaves it, beside a file that no list names. `screens`: text by path. */
export async function writeScreens(screens = contents): Promise<string> {
  const outer = await mkdtemp(join(tmpdir(), 'boxwright-screens-'));
  const folder = join(outer, 'renderer');
  const files = Object.entries(screens).map(([path, text]) => ({
    path,
    sha256: createHash('sha256').update(text).digest('hex'),
  }));
  const written = {
    ...screens,
    'files.json': JSON.stringify({ source: 'test', files }),
    '../secret.txt': 'secret',
  };
  for (const [path, text] of Object.entries(written)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}
