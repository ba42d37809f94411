/** Builds the screens into `dist/renderer`, with `files.json`: the only files a shell will ever serve. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { rendererSourceHash } from '../electron/launch/sourceHash.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const repository = fileURLToPath(new URL('..', import.meta.url));

/** Lists what was built, with sizes and hashes, and the sources it was built from. */
function filesManifest(): Plugin {
  let source = '';
  return {
    name: 'boxwright-files',
    apply: 'build',
    enforce: 'post',
    // At the start: what is edited while the build runs makes the build stale.
    async buildStart() {
      source = await rendererSourceHash(repository);
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = Object.values(bundle).map((output) => {
          const bytes = output.type === 'chunk' ? output.code : output.source;
          return { path: output.fileName, sha256: createHash('sha256').update(bytes).digest('hex') };
        });
        files.sort((a, b) => (a.path < b.path ? -1 : 1));
        this.emitFile({
          type: 'asset',
          fileName: 'files.json',
          source: `${JSON.stringify({ source, files }, null, 1)}\n`,
        });
      },
    },
  };
}

/**
 * Imports icons from their own files: the package's index names 6,000 of them, and reading those takes a third of a build.
 * Types stay with the index; they are gone by then.
 */
function directIcons(): Plugin {
  const importOfIcons = /import \{([^}]*)\} from '@tabler\/icons-react';/g;
  return {
    name: 'boxwright-direct-icons',
    enforce: 'pre',
    transform: {
      filter: { id: /\.tsx?$/, code: '@tabler/icons-react' },
      handler(code) {
        return code.replace(importOfIcons, (_statement, names: string) =>
          names
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name !== '' && !name.startsWith('type '))
            .map((name) => name.split(' as '))
            .map(
              ([icon, local = icon]) =>
                `import ${local} from '@tabler/icons-react/dist/esm/icons/${icon}.mjs';`,
            )
            .join(' '),
        );
      },
    },
  };
}

export default defineConfig({
  root,
  // Relative, so that the same files work below http://127.0.0.1:PORT/ and app://boxwright/.
  base: './',
  plugins: [directIcons(), react(), filesManifest()],
  // tfjs's backends and the screens must share one copy of its engine registry.
  resolve: { dedupe: ['@tensorflow/tfjs-core', 'react', 'react-dom'] },
  worker: { format: 'es' },
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'es2023',
    // The content security policy knows no `data:` URLs and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
  },
});
