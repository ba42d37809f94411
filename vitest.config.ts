import { defineConfig } from 'vitest/config';

/** One file at a time where tests share a software GPU or a browser: two of them on two cores only slow each other down. */
const serial = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'shared/**/*.test.ts',
            'electron/**/*.test.ts',
            'renderer/**/*.test.{ts,tsx}',
            'test/architecture/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/onnx/**/*.test.ts',
          ],
          exclude: ['**/*.gpu.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'gpu', include: ['shared/**/*.gpu.test.ts', 'test/gpu/**/*.test.ts'], ...serial } },
      { test: { name: 'parity', include: ['test/parity/**/*.test.ts'], ...serial, testTimeout: 600_000 } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...serial } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...serial, testTimeout: 300_000 } },
      {
        test: { name: 'learning', include: ['test/learning/**/*.test.ts'], ...serial, testTimeout: 600_000 },
      },
    ],
  },
});
