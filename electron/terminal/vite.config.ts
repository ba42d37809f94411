/** Bundles the `boxwright` command into one file; its packages stay packages. */
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const isPackage = (id: string) => !id.startsWith('.') && !id.startsWith('/') && !/^[a-z]:[\\/]/i.test(id);

export default defineConfig({
  root: here,
  build: {
    target: 'node24',
    outDir: fileURLToPath(new URL('../../dist/terminal', import.meta.url)),
    emptyOutDir: true,
    minify: false,
    ssr: 'boxwright.ts',
    rolldownOptions: {
      external: (id) => id.startsWith('node:') || builtinModules.includes(id) || isPackage(id),
      output: { entryFileNames: 'boxwright.js', chunkFileNames: '[name].js' },
    },
  },
});
