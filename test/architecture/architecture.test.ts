/** The house's directions, held against the real files; and planted violations, each of which must be found and named. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Files, violations } from './check.ts';
import { rooms } from './rules.ts';
import { blankComments, scanImports } from './scan.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

function readSources(): Files {
  const files = new Map<string, string>();
  for (const top of ['shared', 'electron', 'renderer']) {
    for (const entry of readdirSync(join(repository, top), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(?:m?[jt]s|[jt]sx)$/.test(entry.name) || entry.name.endsWith('.d.ts'))
        continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(repository.length).replaceAll('\\', '/'), readFileSync(path, 'utf8'));
    }
  }
  return files;
}

describe('the house as it stands', () => {
  const files = readSources();

  it('has no import against its directions, no cycle, no barrel', () => {
    expect(violations(files)).toEqual([]);
  });

  it('was looked at: every room has files, and imports were found in them', () => {
    const scanned = [...files].filter(([path]) => !/\.test\./.test(path));
    expect(scanned.length).toBeGreaterThan(50);
    expect(scanned.flatMap(([, source]) => scanImports(source)).length).toBeGreaterThan(150);
    // shared/engine is built in a later issue.
    const empty = rooms.filter((room) => !scanned.some(([path]) => path.startsWith(room.path)));
    expect(empty.map((room) => room.path).filter((path) => path !== 'shared/engine')).toEqual([]);
  });
});

describe('a planted violation is found and named', () => {
  const planted: readonly [what: string, files: Record<string, string>, message: string | RegExp][] = [
    [
      'a lower folder of shared/ that imports a higher one',
      {
        'shared/domain/a.ts': "import { b } from '../training/b.ts';",
        'shared/training/b.ts': 'export const b = 1;',
      },
      'shared/domain/a.ts:1: shared/domain may not import shared/training (shared/training/b.ts); it may import none',
    ],
    [
      'a type that crosses against the direction',
      {
        'shared/loss/a.ts': "\nimport type { B } from '../contract/b.ts';",
        'shared/contract/b.ts': 'export type B = 1;',
      },
      /^shared\/loss\/a\.ts:2: shared\/loss may not import shared\/contract/,
    ],
    [
      'shared/ that imports electron/',
      {
        'shared/contract/a.ts': "export { b } from '../../electron/services/b.ts';\nexport const a = 1;",
        'electron/services/b.ts': 'export const b = 1;',
      },
      /^shared\/contract\/a\.ts:1: shared\/contract may not import electron\/services/,
    ],
    [
      'the renderer that imports electron/',
      {
        'renderer/app/a.tsx': "const b = await import('../../electron/services/b.ts');",
        'electron/services/b.ts': 'export const b = 1;',
      },
      /^renderer\/app\/a\.tsx:1: renderer\/app may not import electron\/services/,
    ],
    [
      'a service that knows a transport',
      {
        'electron/services/a.ts': "import { b } from '../web/b.ts';",
        'electron/web/b.ts': 'export const b = 1;',
      },
      /electron\/services may not import electron\/web/,
    ],
    [
      'one shell that imports another',
      {
        'electron/web/a.ts': "import { b } from '../desktop/b.ts';",
        'electron/desktop/b.ts': 'export const b = 1;',
      },
      /electron\/web may not import electron\/desktop/,
    ],
    [
      'a room of the renderer that imports the composition root',
      {
        'renderer/annotate/a.ts': "import '../app/b.ts';",
        'renderer/app/b.ts': 'export const b = 1;',
      },
      /renderer\/annotate may not import renderer\/app/,
    ],
    [
      'a worker started from the wrong room',
      {
        'renderer/annotate/a.ts':
          "new Worker(new URL('../worker/b.ts', import.meta.url), { type: 'module' });",
        'renderer/worker/b.ts': 'export const b = 1;',
      },
      /renderer\/annotate may not import renderer\/worker/,
    ],
    [
      'the electron module outside electron/desktop',
      { 'electron/services/a.ts': "import { app } from 'electron';" },
      'electron/services/a.ts:1: electron/services may not import the package electron; it may import sharp, stream-json, zod',
    ],
    [
      'a package no room may use',
      { 'shared/detector/a.ts': 'import { chunk } from "lodash/chunk";' },
      'shared/detector/a.ts:1: shared/detector may not import the package lodash; it may import none',
    ],
    [
      'a scoped package by a path inside it',
      { 'shared/loss/a.ts': "import * as tf from '@tensorflow/tfjs-core/dist/ops';" },
      /may not import the package @tensorflow\/tfjs-core/,
    ],
    [
      'Node in shared/',
      { 'shared/formats/a.ts': "import { readFileSync } from 'node:fs';" },
      "shared/formats/a.ts:1: shared/formats may not import Node's node:fs: it also runs without Node",
    ],
    [
      'Node in the renderer, by its old name',
      { 'renderer/store/a.ts': "const fs = require('fs');" },
      /renderer\/store may not import Node's fs/,
    ],
    [
      'a test file in production',
      {
        'shared/loss/a.ts': "import { b } from './b.test.ts';",
        'shared/loss/b.test.ts': 'export const b = 1;',
      },
      /shared\/loss\/a\.ts:1: imports the test file shared\/loss\/b\.test\.ts/,
    ],
    [
      'test support in production',
      { 'electron/web/a.ts': "import { b } from '../../test/support/b.ts';" },
      /imports the test file test\/support\/b\.ts/,
    ],
    [
      'a file that does not exist',
      { 'shared/loss/a.ts': "import { b } from './b.ts';" },
      /imports shared\/loss\/b\.ts, which does not exist/,
    ],
    [
      'a cycle of three files, through a type',
      {
        'shared/loss/a.ts': "import { b } from './b.ts';",
        'shared/loss/b.ts': "import { c } from './c.ts';",
        'shared/loss/c.ts': "import type { A } from './a.ts';",
      },
      'cycle: shared/loss/a.ts -> shared/loss/b.ts -> shared/loss/c.ts -> shared/loss/a.ts',
    ],
    [
      'a barrel',
      {
        'shared/loss/a.ts':
          "/** All of it. */\nexport { b } from './b.ts';\nexport type { C } from './b.ts';",
        'shared/loss/b.ts': 'export const b = 1; export type C = 1;',
      },
      'shared/loss/a.ts: only passes on what other files export: no barrels',
    ],
    [
      'an export of everything',
      {
        'shared/loss/a.ts': "export * from './b.ts';\nexport const a = 1;",
        'shared/loss/b.ts': 'export const b = 1;',
      },
      /shared\/loss\/a\.ts: only passes on/,
    ],
    [
      'a device obtained in the wrong room',
      { 'renderer/train/a.ts': '\n\nconst adapter = await navigator.gpu.requestAdapter();' },
      'renderer/train/a.ts:3: uses requestAdapter: only renderer/worker and electron/terminal obtain a device',
    ],
    [
      'chance in shared/',
      { 'shared/training/a.ts': 'export const a = Math.random();' },
      /no randomness of its own/,
    ],
    [
      'a clock in shared/',
      { 'shared/training/a.ts': 'export const a = () => Date.now();' },
      /no clock of its own/,
    ],
    [
      'a file in no room',
      { 'shared/utils/a.ts': 'export const a = 1;' },
      /shared\/utils\/a\.ts: stands in no room/,
    ],
  ];

  it.each(planted)('%s', (_what, files, message) => {
    const found = violations(new Map(Object.entries(files)));
    expect(found).toHaveLength(1);
    if (typeof message === 'string') expect(found[0]).toBe(message);
    else expect(found[0]).toMatch(message);
  });
});

describe('what is allowed stays silent', () => {
  it.each<[string, Record<string, string>]>([
    [
      'a higher folder of shared/ that imports a lower one',
      {
        'shared/training/a.ts': "import { b } from '../domain/b.ts';\nimport * as z from 'zod';",
        'shared/domain/b.ts': 'export const b = 1;',
      },
    ],
    [
      'a test that reaches across rooms',
      {
        'shared/domain/a.test.ts':
          "import { b } from '../contract/b.ts';\nimport { readFileSync } from 'node:fs';",
        'shared/contract/b.ts': 'export const b = Date;',
      },
    ],
    [
      'words in comments and strings',
      { 'shared/loss/a.ts': "// import 'lodash'; Math.random\nexport const a = 1;" },
    ],
    ['electron in electron/desktop', { 'electron/desktop/a.ts': "import { app } from 'electron';" }],
    [
      'one re-export beside work of its own',
      {
        'shared/loss/a.ts': "export { b } from './b.ts';\nexport const a = 1;",
        'shared/loss/b.ts': 'export const b = 1;',
      },
    ],
  ])('%s', (_what, files) => {
    expect(violations(new Map(Object.entries(files)))).toEqual([]);
  });
});

describe('the scanner', () => {
  it('finds every form of import, on its line', () => {
    const source = [
      "import './a.css';",
      "import b from 'b';",
      "import * as c from 'c';",
      'import type { D,',
      "  E } from './d.ts';",
      "import f, { type G } from '@f/g/h';",
      "export { i } from './i.ts';",
      "export type { J } from './j.ts';",
      "const k = await import('./k.ts');",
      "type L = import('l').L;",
      "new Worker(new URL('./m.ts', import.meta.url));",
    ].join('\n');
    expect(scanImports(source).map(({ specifier, line, form }) => [specifier, line, form])).toEqual([
      ['./a.css', 1, 'import'],
      ['b', 2, 'import'],
      ['c', 3, 'import'],
      ['./d.ts', 4, 'import'],
      ['@f/g/h', 6, 'import'],
      ['./i.ts', 7, 'reexport'],
      ['./j.ts', 8, 'reexport'],
      ['./k.ts', 9, 'import'],
      ['l', 10, 'import'],
      ['./m.ts', 11, 'file'],
    ]);
  });

  it('is not taken in by comments, strings, templates and regular expressions', () => {
    const source = [
      '/* import "a"; */ // import "b";',
      "const url = 'http://x'; const y = `// not a comment /*`;",
      "const r = /['\"]\\/\\*[/*]/; \nimport 'real';",
      'const half = ["import", "x"].length / 2; // import "c"',
    ].join('\n');
    expect(scanImports(source).map(({ specifier }) => specifier)).toEqual(['real']);
    expect(blankComments('a // b\nc')).toBe('a     \nc');
  });
});
