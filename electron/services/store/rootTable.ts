/**
 * The folders a project's images lie in. A root is kept as its path from the project folder, with forward slashes, so that
 * both can be moved together; one outside the project also as its last absolute path, so that the project alone can be moved.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Db } from './db.ts';
import { number, textOrNull } from './rows.ts';

export interface Root {
  readonly id: number;
  /** Absolute, as of now. */
  readonly path: string;
}

export interface Place {
  readonly root: Root;
  /** Below the root, forward slashes. */
  readonly relativePath: string;
}

export class RootTable {
  readonly #db: Db;
  readonly #projectPath: string;
  #roots: Root[];

  constructor(db: Db, projectPath: string) {
    this.#db = db;
    this.#projectPath = projectPath;
    this.#roots = this.#read();
  }

  list(): readonly Root[] {
    return this.#roots;
  }

  path(rootId: number): string {
    const root = this.#roots.find(({ id }) => id === rootId);
    if (root) return root.path;
    throw new Problem(
      'damaged',
      `The project names an image folder (${rootId}) that it does not list.`,
      'Restore the project folder from a backup.',
    );
  }

  /** The nearest root above `absolutePath`, and the path below it; null where no root holds it. */
  holder(absolutePath: string): Place | null {
    let nearest: Place | null = null;
    for (const root of this.#roots) {
      const relativePath = below(root.path, absolutePath);
      if (!relativePath) continue;
      if (!nearest || root.path.length > nearest.root.path.length) nearest = { root, relativePath };
    }
    return nearest;
  }

  /**
   * Where an image lies: below an existing root, the nearest one, or else below `rootPath`, added. So a folder inside one that was
   * added before brings no image twice.
   */
  locate(rootPath: string, absolutePath: string): Place {
    const held = this.holder(absolutePath);
    if (held) return held;
    const relativePath = below(rootPath, absolutePath);
    if (relativePath) return { root: this.#add(rootPath), relativePath };
    throw new Problem(
      'bad-input',
      `${absolutePath} does not lie in the folder ${rootPath}.`,
      'Add the folder the image really lies in.',
    );
  }

  /** Reads the roots again, as after a transaction that was rolled back. */
  reload(): void {
    this.#roots = this.#read();
  }

  #add(path: string): Root {
    const inside = path === this.#projectPath || below(this.#projectPath, path) !== null;
    const fromProject = relative(this.#projectPath, path);
    // Another Windows drive has no relative path.
    const relativePath = isAbsolute(fromProject) ? null : slashes(fromProject) || '.';
    const { rowId } = this.#db.run(
      'INSERT INTO roots (relative_path, absolute_path) VALUES (?, ?)',
      relativePath,
      inside ? null : path,
    );
    const root = { id: rowId, path };
    this.#roots = [...this.#roots, root];
    return root;
  }

  #read(): Root[] {
    return this.#db.all('SELECT id, relative_path, absolute_path FROM roots ORDER BY id').map((row) => {
      const relativePath = textOrNull(row, 'relative_path');
      const absolutePath = textOrNull(row, 'absolute_path');
      const candidates = [
        ...(relativePath === null ? [] : [resolve(this.#projectPath, relativePath)]),
        ...(absolutePath === null ? [] : [absolutePath]),
      ];
      return { id: number(row, 'id'), path: candidates.find((path) => existsSync(path)) ?? candidates[0]! };
    });
  }
}

/** The path of `inner` below `outer` with forward slashes, or null where it does not lie below. */
export function below(outer: string, inner: string): string | null {
  const path = relative(outer, inner);
  if (path === '' || isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`)) return null;
  return slashes(path);
}

function slashes(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}
