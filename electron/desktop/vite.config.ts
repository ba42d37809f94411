/** Builds the desktop shell's two Node programs, the main process and the services' process, as ES modules. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { desktopSourceHash } from '../launch/sourceHash.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** `source.json` says from which sources this build came. */
function sourceStamp(): Plugin {
  let source = '';
  return {
    name: 'boxwright-source-stamp',
    async buildStart() {
      source = await desktopSourceHash(repository);
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'source.json', source: `${JSON.stringify({ source })}\n` });
    },
  };
}

export default defineConfig({
  root: repository,
  plugins: [sourceStamp()],
  ssr: {
    target: 'node',
    // Everything is bundled but what comes with its own native code, and Electron itself.
    noExternal: true,
    external: ['electron', 'sharp', 'webgpu'],
  },
  build: {
    ssr: true,
    outDir: 'dist/desktop',
    emptyOutDir: false,
    target: 'node24',
    minify: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        main: 'electron/desktop/main.ts',
        services: 'electron/desktop/servicesMain.ts',
      },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});
