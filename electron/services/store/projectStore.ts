/**
 * An open project: `project.db` in its folder, held by this process alone. Every method is synchronous, and what returns
 * is on the disk. Throws Problems; a method that throws has changed nothing.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunRecord } from '../../../shared/contract/schemas.ts';
import { type BoxPx, type BoxRecord, clipToImage } from '../../../shared/domain/box.ts';
import type { ClassRecord } from '../../../shared/domain/classes.ts';
import { type Edit, reverseEdit } from '../../../shared/domain/edit.ts';
import type { ImageRecord, Split } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { ProjectSummary } from '../../../shared/domain/project.ts';
import { backUpBeforeMigration, backUpDaily } from './backups.ts';
import { BoxTable } from './boxTable.ts';
import { ClassTable } from './classTable.ts';
import { Db } from './db.ts';
import { applyNewEdit, type EditTables, replayEdit } from './editing.ts';
import { asProblem } from './failures.ts';
import { ImageTable, type NewImage, pathOf, record } from './imageTable.ts';
import { inspectDatabase } from './inspect.ts';
import { type History, Journal, type JournalEntry } from './journal.ts';
import { ProjectLock } from './lock.ts';
import { databaseName, findProjectFolder, makeFolder, writeNewDatabase } from './projectFolder.ts';
import { RootTable } from './rootTable.ts';
import { text } from './rows.ts';
import { type NewRun, type RunChange, RunTable } from './runTable.ts';
import { migrate, migrations } from './schema.ts';

export type { NewImage } from './imageTable.ts';
export type { History } from './journal.ts';

export interface StoreOptions {
  /** Who opens it, for the second one to read: "desktop", "web", "terminal". */
  readonly shell?: string;
  /** The program drew this project itself. */
  readonly isSample?: boolean;
  /** ISO 8601, UTC. A fixed clock makes a project's bytes depend on nothing but what is put in. */
  readonly now?: () => string;
  /** The database may not grow beyond so many pages of 4 KiB: SQLite answers then as on a full disk. */
  readonly maxPages?: number;
}

export interface NewProposal {
  readonly classId: number;
  readonly boxPx: BoxPx;
  readonly score: number;
}

/** Whether a project lies in the folder. */
export function isProjectFolder(folder: string): boolean {
  return existsSync(join(folder, databaseName));
}

export class ProjectStore {
  /** Absolute path of the project folder. */
  readonly path: string;
  readonly #db: Db;
  readonly #lock: ProjectLock;
  readonly #now: () => string;
  readonly #classes: ClassTable;
  readonly #roots: RootTable;
  readonly #images: ImageTable;
  readonly #boxes: BoxTable;
  readonly #journal: Journal;
  readonly #runs: RunTable;

  private constructor(path: string, db: Db, lock: ProjectLock, now: () => string) {
    this.path = path;
    this.#db = db;
    this.#lock = lock;
    this.#now = now;
    this.#classes = new ClassTable(db);
    this.#roots = new RootTable(db, path);
    this.#images = new ImageTable(db, this.#roots);
    this.#boxes = new BoxTable(db);
    this.#journal = new Journal(db, now);
    this.#runs = new RunTable(db, now);
    this.#runs.interruptAll();
  }

  /** A new project in `path`, a new or existing folder that holds none yet. Left open. */
  static create(path: string, name: string, options: StoreOptions = {}): ProjectStore {
    const folder = makeFolder(path);
    const now = options.now ?? isoNow;
    const lock = ProjectLock.acquire(folder, options.shell ?? 'terminal', now());
    try {
      writeNewDatabase(folder, { name, createdAt: now(), isSample: options.isSample ? '1' : '0' });
      return ProjectStore.#openLocked(folder, lock, now, options.maxPages);
    } catch (error) {
      lock.release();
      throw asProblem(error, folder);
    }
  }

  /** Throws `not-found`, `already-open`, `newer-version`, `damaged`, `read-only`, `disk-full`. */
  static open(path: string, options: StoreOptions = {}): ProjectStore {
    const folder = findProjectFolder(path);
    const now = options.now ?? isoNow;
    const lock = ProjectLock.acquire(folder, options.shell ?? 'terminal', now());
    try {
      return ProjectStore.#openLocked(folder, lock, now, options.maxPages);
    } catch (error) {
      lock.release();
      throw asProblem(error, folder);
    }
  }

  static #openLocked(folder: string, lock: ProjectLock, now: () => string, maxPages?: number): ProjectStore {
    const file = join(folder, databaseName);
    const version = inspectDatabase(file);
    const db = Db.openDurable(file);
    try {
      if (version < migrations.length) {
        backUpBeforeMigration(db, folder, version);
        migrate(db);
      }
      if (maxPages !== undefined) db.exec(`PRAGMA max_page_count=${maxPages}`);
      return new ProjectStore(folder, db, lock, now);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  close(): void {
    this.#db.close();
    this.#lock.release();
  }

  summary(): ProjectSummary {
    return {
      name: this.#meta('name'),
      path: this.path,
      ...this.#images.counts(),
      isSample: this.#meta('isSample') === '1',
    };
  }

  /** Several calls as one: all of them or none, and one sync of the disk. */
  together<T>(work: () => T): T {
    try {
      return this.#db.transaction(work);
    } catch (error) {
      // The roots are kept in memory too.
      this.#roots.reload();
      throw error;
    }
  }

  // Images

  /** In the order they were added. */
  images(): ImageRecord[] {
    return this.#images.list();
  }

  image(id: string): ImageRecord {
    return record(this.#images.get(id));
  }

  /** Where the image's file should be; it may be missing. Reading goes through `openableImagePath`, which follows links. */
  absolutePath(imageId: string): string {
    return pathOf({ rootPath: this.rootPath(imageId), relativePath: this.image(imageId).relativePath });
  }

  /** The folder the image's file must not leave. */
  rootPath(imageId: string): string {
    return this.#images.rootPath(imageId);
  }

  /** The image whose file lies there, if any. */
  imageAt(absolutePath: string): ImageRecord | null {
    return this.#images.atPath(absolutePath);
  }

  /** One already there is returned as it is. */
  addImages(images: readonly NewImage[]): ImageRecord[] {
    const realRoots = new Map<string, string>();
    const real = (path: string) => {
      if (!realRoots.has(path)) realRoots.set(path, existsSync(path) ? realpathSync(path) : resolve(path));
      return realRoots.get(path)!;
    };
    return this.together(() =>
      images.map((image) => this.#images.add({ ...image, rootPath: real(image.rootPath) })),
    );
  }

  setSplit(imageIds: readonly string[], split: Split | null): ImageRecord[] {
    return this.#db.transaction(() => imageIds.map((id) => this.#images.setSplit(id, split)));
  }

  missingImages(): ImageRecord[] {
    return this.#images.missing();
  }

  setMissing(imageIds: readonly string[], missing: boolean): ImageRecord[] {
    return this.#db.transaction(() => imageIds.map((id) => this.#images.setMissing(id, missing)));
  }

  /** Follows an image that was moved: its id, boxes and history stay. */
  relinkImage(imageId: string, rootPath: string, relativePath: string): ImageRecord {
    return this.together(() => this.#images.relink(imageId, realpathSync(rootPath), relativePath));
  }

  // Boxes

  boxesOf(imageId: string): BoxRecord[] {
    return this.#boxes.of(this.#images.get(imageId).seq);
  }

  /** All boxes by image id; images without boxes are not in it. */
  boxesByImage(): Map<string, BoxRecord[]> {
    return this.#boxes.byImage();
  }

  /** All of them or none, each one journalled. Throws `conflict` where a `before` is not what is stored. */
  applyEdits(edits: readonly Edit[]): void {
    this.#db.transaction(() => {
      for (const edit of edits) applyNewEdit(this.#tables(), edit);
    });
  }

  /** What undo and redo would do to this image. */
  history(imageId: string): History {
    return this.#journal.history(this.#images.get(imageId).seq);
  }

  undo(imageId: string): void {
    const { seq } = this.#images.get(imageId);
    this.#travel(this.#journal.toUndo(seq), true);
  }

  redo(imageId: string): void {
    const { seq } = this.#images.get(imageId);
    this.#travel(this.#journal.toRedo(seq), false);
  }

  /** Puts a model's detections in the place of the image's proposals. Not an edit: nobody decided anything yet. */
  replaceProposals(imageId: string, runId: string | null, proposals: readonly NewProposal[]): void {
    const image = this.#images.get(imageId);
    this.#db.transaction(() => {
      this.#boxes.removeProposals(image.seq);
      for (const { classId, boxPx, score } of proposals) {
        this.#classes.get(classId);
        const inside = clipToImage(boxPx, image.widthPx, image.heightPx);
        // A detection without area inside the image shows nothing.
        if (!(inside[2] > inside[0] && inside[3] > inside[1])) continue;
        this.#boxes.put(image.seq, {
          ...{ id: randomUUID(), imageId, classId, boxPx: inside, status: 'proposal', origin: 'model' },
          score: Math.min(Math.max(score, 0), 1),
          ...{ runId, ignore: false, difficult: false, occluded: false, truncated: false },
        });
      }
      this.#images.setState(image, image.state);
    });
  }

  // Classes

  classes(): ClassRecord[] {
    return this.#classes.list();
  }

  /** The class of exactly that name, made where there is none; with `preferredId` where that id is free. */
  addClass(name: string, preferredId?: number): ClassRecord {
    return this.#classes.add(name, preferredId);
  }

  updateClass(id: number, change: { name?: string | undefined; color?: string | undefined }): ClassRecord {
    return this.#classes.update(id, change);
  }

  reorderClasses(ids: readonly number[]): ClassRecord[] {
    return this.#classes.reorder(ids);
  }

  removeClass(id: number): void {
    this.#classes.remove(id);
  }

  // Runs

  /** Newest first. */
  runs(): RunRecord[] {
    return this.#runs.list();
  }

  run(id: string): RunRecord {
    return this.#runs.get(id);
  }

  addRun(run: NewRun): RunRecord {
    return this.#db.transaction(() => this.#runs.add(run));
  }

  updateRun(id: string, change: RunChange): RunRecord {
    return this.#db.transaction(() => this.#runs.update(id, change));
  }

  removeRun(id: string): void {
    this.#runs.remove(id);
  }

  /** Keeps a copy of today in `backups`, unless there is one. Resolves before the store is closed, if the caller waits for it. */
  backUpDaily(): Promise<void> {
    return backUpDaily(this.#db, this.path, this.#now());
  }

  /** SQLite's own full check; `ok` where nothing is wrong. */
  integrityCheck(): string {
    return String(this.#db.pragma('integrity_check'));
  }

  #travel(entry: JournalEntry | null, back: boolean): void {
    if (!entry) {
      throw new Problem(
        'bad-input',
        back ? 'There is nothing to undo on this image.' : 'There is nothing to redo on this image.',
        'Go on working.',
      );
    }
    this.#db.transaction(() => {
      replayEdit(this.#tables(), back ? reverseEdit(entry.edit) : entry.edit);
      this.#journal.mark(entry.id, back);
    });
  }

  #tables(): EditTables {
    return {
      images: this.#images,
      boxes: this.#boxes,
      classes: this.#classes,
      journal: this.#journal,
    };
  }

  #meta(key: string): string {
    const row = this.#db.get('SELECT value FROM meta WHERE key = ?', key);
    return row ? text(row, 'value') : '';
  }
}

function isoNow(): string {
  return new Date().toISOString();
}
