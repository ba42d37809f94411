import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  kindOf,
  newImage,
  problemIn,
  scratchFolder,
  testProject,
} from '../../../test/durability/testProject.ts';
import { ProjectStore } from './projectStore.ts';

it('keeps a copy a day, the newest three, each a whole project', async () => {
  const path = join(scratchFolder(), 'project');
  let today = '2026-03-01T10:00:00.000Z';
  const store = ProjectStore.create(path, 'Test', { now: () => today });
  onTestFinished(() => store.close());
  for (const day of ['01', '01', '02', '03', '04']) {
    today = `2026-03-${day}T10:00:00.000Z`;
    store.addImages([newImage(join(path, 'images'), `${store.images().length}.png`)]);
    await store.backUpDaily();
  }
  const names = readdirSync(join(path, 'backups'));
  expect(names).toEqual(['project-2026-03-02.db', 'project-2026-03-03.db', 'project-2026-03-04.db']);
  store.close();

  // What the sentence about a damaged project says: put the copy in its place.
  writeFileSync(join(path, 'project.db'), 'damaged');
  expect(problemIn(() => ProjectStore.open(path)).remedy).toContain(join(path, 'backups'));
  copyFileSync(join(path, 'backups', 'project-2026-03-03.db'), join(path, 'project.db'));
  const restored = ProjectStore.open(path);
  expect(restored.images()).toHaveLength(4);
  restored.close();
});

it('speaks of backups only where there are some', () => {
  const { store, path } = testProject();
  store.close();
  writeFileSync(join(path, 'project.db'), 'damaged');
  const problem = problemIn(() => ProjectStore.open(path));
  expect(problem.kind).toBe('damaged');
  expect(problem.remedy).toContain('your own backup');
});

it('finds no project where a folder bears its name', () => {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'project.db'));
  expect(kindOf(() => ProjectStore.open(folder))).toBe('not-found');
});

it('says what stands in the way of a new project', () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'file'), '');
  expect(kindOf(() => ProjectStore.create(join(folder, 'file'), 'Test'))).toBe('bad-input');
  expect(kindOf(() => ProjectStore.create(join(folder, 'file', 'below'), 'Test'))).toBe('not-found');
});
