import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeFolders } from './folders.ts';

const scratch = mkdtempSync(join(tmpdir(), 'boxwright-folders-'));
afterAll(() => rmSync(scratch, { recursive: true }));

it('makes what is missing and leaves what is there', () => {
  makeFolders(join(scratch, 'a', 'b', 'c'));
  makeFolders(join(scratch, 'a', 'b', 'c'));
  expect(statSync(join(scratch, 'a', 'b', 'c')).isDirectory()).toBe(true);
});

it('ends with an error at a file, and below one, and at a link to nothing', () => {
  writeFileSync(join(scratch, 'file'), '');
  symlinkSync(join(scratch, 'gone'), join(scratch, 'link'));
  expect(() => makeFolders(join(scratch, 'file'))).toThrow('EEXIST');
  expect(() => makeFolders(join(scratch, 'file', 'below'))).toThrow('ENOTDIR');
  expect(() => makeFolders(join(scratch, 'link', 'below'))).toThrow(/EEXIST|ENOENT/);
});

it.runIf(process.platform === 'linux')('ends where the system has no place for folders', () => {
  expect(() => makeFolders('/proc/boxwright/project')).toThrow('ENOENT');
});
