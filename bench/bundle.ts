/**
 * The benchmarks as files that run on a machine which has neither this repository nor a network: each is one ES module with everything in
 * it but `webgpu`. `node bench/bundle.ts [FOLDER]` writes step.mjs and kernels.mjs into bench-dist (or FOLDER). Beside a
 * node_modules/webgpu: `node step.mjs --json`.
 */
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const outDir = process.argv[2] ?? fileURLToPath(new URL('../bench-dist', import.meta.url));
const stays = new Set(['webgpu', ...builtinModules]);

for (const name of ['step', 'kernels']) {
  await build({
    root: here,
    configFile: false,
    logLevel: 'warn',
    // Packages are bundled too, as Node would take them.
    ssr: { noExternal: true },
    build: {
      target: 'node24',
      outDir,
      emptyOutDir: false,
      minify: false,
      ssr: `${name}.ts`,
      rolldownOptions: {
        external: (id) => stays.has(id) || id.startsWith('node:'),
        output: { entryFileNames: `${name}.mjs`, codeSplitting: false },
      },
    },
  });
}
