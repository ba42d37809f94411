import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Problem } from '../../../shared/domain/problem.ts';
import { uniformAt } from '../../../shared/domain/random.ts';
import {
  added,
  edit,
  kindOf,
  labelBox,
  newImage,
  problemIn,
  scratchFolder,
  testProject,
} from '../../../test/durability/testProject.ts';
import { Db, isSafeSqliteVersion } from './db.ts';
import { ProjectStore } from './projectStore.ts';
import { applicationId, migrate, migrations } from './schema.ts';

/** A closed project with a few boxes. */
function closedProject(): { path: string; file: string; imageId: string } {
  const { store, path, image, classId } = testProject();
  const boxes = Array.from({ length: 60 }, (_, index) =>
    added(labelBox(image.id, classId, `box ${index}`, [index, 0, index + 10, 20])),
  );
  store.applyEdits([edit(image.id, 'Draw', boxes)]);
  store.close();
  return { path, file: join(path, 'project.db'), imageId: image.id };
}

const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('the database', () => {
  it('keeps its durable settings after the first transaction', () => {
    const db = Db.openDurable(join(scratchFolder(), 'a.db'));
    onTestFinished(() => db.close());
    db.exec('CREATE TABLE t (a)');
    db.run('INSERT INTO t VALUES (1)');
    expect([db.pragma('journal_mode'), db.pragma('synchronous'), db.pragma('trusted_schema')]).toEqual([
      ...['wal', 2, 0],
    ]);
  });

  it('rolls a failed transaction back and joins an inner one to the outer', () => {
    const db = Db.openDurable(join(scratchFolder(), 'a.db'));
    onTestFinished(() => db.close());
    db.exec('CREATE TABLE t (a)');
    const fail = () =>
      db.transaction(() => {
        db.run('INSERT INTO t VALUES (1)');
        db.transaction(() => db.run('INSERT INTO t VALUES (2)'));
        throw new Error('no');
      });
    expect(fail).toThrow('no');
    expect(db.all('SELECT * FROM t')).toEqual([]);
  });

  it('knows the versions that may damage a log', () => {
    const safe = ['3.51.3', '3.53.4', '3.50.7', '3.44.6', '4.0.0'];
    const unsafe = ['3.51.2', '3.50.6', '3.49.9', '3.44.5', '3.7.0'];
    expect(safe.filter(isSafeSqliteVersion)).toEqual(safe);
    expect(unsafe.filter(isSafeSqliteVersion)).toEqual([]);
  });

  it('migrates step by step, all or nothing', () => {
    const db = Db.openPlain(join(scratchFolder(), 'a.db'));
    onTestFinished(() => db.close());
    const one = 'CREATE TABLE first (a)';
    migrate(db, [one]);
    db.run('INSERT INTO first VALUES (7)');
    expect(() => migrate(db, [one, 'ALTER TABLE first ADD b', 'CREATE nonsense'])).toThrow();
    expect(db.pragma('user_version')).toBe(1);
    migrate(db, [one, 'ALTER TABLE first ADD b DEFAULT 8']);
    expect(db.all('SELECT * FROM first')).toEqual([{ a: 7, b: 8 }]);
    expect([db.pragma('user_version'), db.pragma('application_id')]).toEqual([2, applicationId]);
  });
});

describe('opening', () => {
  it('finds no project where there is none, and makes none in its place', () => {
    const folder = scratchFolder();
    expect(kindOf(() => ProjectStore.open(folder))).toBe('not-found');
    expect(kindOf(() => ProjectStore.open(join(folder, 'nothing')))).toBe('not-found');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('makes no project over another one', () => {
    const { path } = closedProject();
    expect(kindOf(() => ProjectStore.create(path, 'Again'))).toBe('conflict');
    const store = ProjectStore.open(path);
    expect(store.summary().labelCount).toBe(60);
    store.close();
  });

  it('leaves a newer file as it is', () => {
    const { path, file } = closedProject();
    const db = Db.openPlain(file);
    db.exec(`PRAGMA user_version=${migrations.length + 1}`);
    db.close();
    const [hash, names] = [hashOf(file), readdirSync(path)];
    const problem = problemIn(() => ProjectStore.open(path));
    expect(problem.kind).toBe('newer-version');
    expect(problem.remedy).toContain('Update Boxwright');
    expect([hashOf(file), readdirSync(path)]).toEqual([hash, names]);
  });

  it.each([
    ['empty', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 5000)],
    ['text', () => Buffer.from('my labels\n'.repeat(50))],
    ['zeroed in the middle', (bytes: Buffer) => Buffer.from(bytes).fill(0, 4096, 16_384)],
  ])('leaves a damaged file (%s) as it is', (_, harm) => {
    const { path, file } = closedProject();
    writeFileSync(file, harm(readFileSync(file)));
    const [hash, names] = [hashOf(file), readdirSync(path)];
    const problem = problemIn(() => ProjectStore.open(path));
    expect(problem.kind).toBe('damaged');
    expect(problem.message).toContain(file);
    expect([hashOf(file), readdirSync(path)]).toEqual([hash, names]);
  });

  it('tells another database from a project', () => {
    const folder = scratchFolder();
    const db = Db.openPlain(join(folder, 'project.db'));
    db.exec('CREATE TABLE cookies (a)');
    db.close();
    expect(kindOf(() => ProjectStore.open(folder))).toBe('damaged');
  });

  it('meets 300 flipped bytes with labels or a Problem, never with an empty project', () => {
    const { path, file, imageId } = closedProject();
    const whole = readFileSync(file);
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(whole);
      const at = Math.floor(uniformAt(11, round) * bytes.length);
      bytes[at]! ^= 1 << (round % 8);
      writeFileSync(file, bytes);
      const hash = hashOf(file);
      try {
        const store = ProjectStore.open(path);
        try {
          expect(store.boxesOf(imageId)).toHaveLength(60);
          expect(store.summary().imageCount).toBe(1);
        } finally {
          store.close();
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
        expect(['damaged', 'newer-version', 'not-found']).toContain((error as Problem).kind);
        if ((error as Problem).kind !== 'not-found') expect(hashOf(file)).toBe(hash);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  it('reads what a crash left in the log, and checks it without writing', () => {
    const { store, path, image, classId } = testProject();
    store.applyEdits([edit(image.id, 'Draw', [added(labelBox(image.id, classId, 'a', [0, 0, 9, 9]))])]);
    const copy = join(scratchFolder(), 'copy');
    cpSync(path, copy, { recursive: true });
    expect(existsSync(join(copy, 'project.db-wal'))).toBe(true);
    const again = ProjectStore.open(copy);
    expect(again.boxesOf(image.id)).toHaveLength(1);
    again.close();
  });
});

describe('one writer', () => {
  it('tells the second opener who holds the project', () => {
    const { store, path } = testProject();
    const problem = problemIn(() => ProjectStore.open(path, { shell: 'web' }));
    expect(problem.kind).toBe('already-open');
    expect(problem.message).toMatch(/terminal shell \(process \d+ on .+, since \d{4}-/);
    expect(problem.message).toContain(String(process.pid));
    store.close();
    ProjectStore.open(path).close();
    expect(readdirSync(path)).toEqual(['project.db', 'project.lock']);
  });

  it('holds against another process, and lets go when that process is killed', async () => {
    const { path } = closedProject();
    const module = join(import.meta.dirname, 'projectStore.ts');
    const script = `
      const { ProjectStore } = await import(process.argv[1]);
      ProjectStore.open(process.argv[2], { shell: 'desktop' });
      console.log('open');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, path]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const problem = problemIn(() => ProjectStore.open(path));
    expect(problem.kind).toBe('already-open');
    expect(problem.message).toContain(`desktop shell (process ${child.pid} `);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(join(path, 'project.holder.json'))).toBe(true);
    ProjectStore.open(path).close();
  });
});

describe('moving', () => {
  it('finds images that moved with the project folder', () => {
    const { store, path, image } = testProject();
    mkdirSync(join(path, 'images'));
    writeFileSync(join(path, 'images', 'one.png'), 'x');
    store.close();
    const elsewhere = join(scratchFolder(), 'elsewhere');
    renameSync(path, elsewhere);
    const again = ProjectStore.open(elsewhere);
    expect(again.absolutePath(image.id)).toBe(join(again.path, 'images', 'one.png'));
    again.close();
  });

  it('finds images beside the project, moved together with it or left where they were', () => {
    const base = scratchFolder();
    mkdirSync(join(base, 'here', 'photos'), { recursive: true });
    const store = ProjectStore.create(join(base, 'here', 'project'), 'Test');
    const [image] = store.addImages([newImage(join(base, 'here', 'photos'), 'one.png')]);
    const firstPlace = store.absolutePath(image!.id);
    store.close();

    renameSync(join(base, 'here', 'project'), join(base, 'alone'));
    const alone = ProjectStore.open(join(base, 'alone'));
    expect(alone.absolutePath(image!.id)).toBe(firstPlace);
    alone.close();

    mkdirSync(join(base, 'there'));
    renameSync(join(base, 'alone'), join(base, 'there', 'project'));
    renameSync(join(base, 'here', 'photos'), join(base, 'there', 'photos'));
    const together = ProjectStore.open(join(base, 'there', 'project'));
    expect(together.absolutePath(image!.id)).toBe(firstPlace.replace('here', 'there'));
    together.close();
  });
});

describe('a disk that does not take it', () => {
  it('says so when the disk is full, and keeps what was saved', () => {
    const { path, file, imageId } = closedProject();
    const many = (classId: number) =>
      Array.from({ length: 5000 }, (_, index) =>
        added(labelBox(imageId, classId, `more ${index}`, [0, 0, 9, 9])),
      );
    // SQLite's own limit on the file: the same error as a full disk, from the same place.
    const full = ProjectStore.open(path, { maxPages: 30 });
    const classId = full.classes()[0]!.id;
    const problem = problemIn(() => full.applyEdits([edit(imageId, 'Draw', many(classId))]));
    expect(problem.kind).toBe('disk-full');
    expect(problem.message).toContain(file);
    expect(full.boxesOf(imageId)).toHaveLength(60);
    expect(full.history(imageId).redo).toBeNull();
    full.close();

    const roomy = ProjectStore.open(path);
    roomy.applyEdits([edit(imageId, 'Draw', many(classId))]);
    expect(roomy.boxesOf(imageId)).toHaveLength(5060);
    roomy.close();
  });

  it.skipIf(process.platform === 'win32')('says so on a read-only folder, for opening and creating', () => {
    const { path } = closedProject();
    const parent = join(scratchFolder(), 'parent');
    mkdirSync(parent);
    // Temporary folders are closed to others; the one who tries below is another user.
    for (const folder of [dirname(path), dirname(parent)]) chmodSync(folder, 0o755);
    for (const folder of [path, parent]) chmodSync(folder, 0o555);
    onTestFinished(() => [path, parent].forEach((folder) => void chmodSync(folder, 0o755)));
    const script = `
      const { ProjectStore } = await import(process.argv[1]);
      // The superuser may write anywhere: be somebody else.
      if (process.getuid?.() === 0) process.seteuid(65534);
      for (const open of [() => ProjectStore.open(process.argv[2]), () => ProjectStore.create(process.argv[3], 'New')]) {
        try { open(); console.log('opened'); } catch (error) { console.log(error.kind); }
      }`;
    const module = join(import.meta.dirname, 'projectStore.ts');
    const args = ['--input-type=module', '-e', script, module, path, join(parent, 'new')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout.trim().split('\n'), stderr).toEqual(['read-only', 'read-only']);
  });
});
