/** The images of a project: where they lie, what they hold, what is known about their labels. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import {
  type ImageRecord,
  type ImageState,
  imageStates,
  type Split,
  splits,
} from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { ProjectSummary } from '../../../shared/domain/project.ts';
import type { Db, Row } from './db.ts';
import type { RootTable } from './rootTable.ts';
import { flag, number, oneOf, text } from './rows.ts';

export interface NewImage {
  /** Absolute folder. */
  readonly rootPath: string;
  /** Below it, forward slashes. */
  readonly relativePath: string;
  /** SHA-256 of the file's bytes, hex. */
  readonly contentHash: string;
  /** Upright size. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly split: Split | null;
}

/** An image and its place in the tables. */
export interface StoredImage extends ImageRecord {
  readonly seq: number;
  readonly rootId: number;
}

export class ImageTable {
  readonly #db: Db;
  readonly #roots: RootTable;

  constructor(db: Db, roots: RootTable) {
    this.#db = db;
    this.#roots = roots;
  }

  /** In the order they were added. */
  list(): ImageRecord[] {
    return this.#db.all('SELECT * FROM images ORDER BY seq').map(toImage);
  }

  find(id: string): StoredImage | null {
    const row = this.#db.get('SELECT * FROM images WHERE id = ?', id);
    return row ? { ...toImage(row), seq: number(row, 'seq'), rootId: number(row, 'root_id') } : null;
  }

  get(id: string): StoredImage {
    const image = this.find(id);
    if (image) return image;
    throw new Problem(
      'not-found',
      `There is no image ${JSON.stringify(id)} in this project.`,
      'Reload the project.',
    );
  }

  rootPath(id: string): string {
    return this.#roots.path(this.get(id).rootId);
  }

  /** `null`: no image of the project lies there. */
  atPath(absolutePath: string): ImageRecord | null {
    const place = this.#roots.holder(absolutePath);
    return place && this.#at(place.root.id, place.relativePath);
  }

  add(image: NewImage): ImageRecord {
    const { root, relativePath } = this.#roots.locate(image.rootPath, pathOf(image));
    const existing = this.#at(root.id, relativePath);
    if (existing) return existing;
    assertSize(image);
    const id = this.#newId(relativePath, image.contentHash);
    this.#db.run(
      `INSERT INTO images (id, root_id, relative_path, content_hash, width_px, height_px, split)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      id,
      root.id,
      relativePath,
      image.contentHash,
      image.widthPx,
      image.heightPx,
      image.split,
    );
    return record(this.get(id));
  }

  /** The same image at another place: its id, its boxes and its history stay. */
  relink(id: string, rootPath: string, relativePath: string): ImageRecord {
    const image = this.get(id);
    const place = this.#roots.locate(rootPath, pathOf({ rootPath, relativePath }));
    const other = this.#at(place.root.id, place.relativePath);
    if (other && other.id !== id) {
      throw new Problem(
        'conflict',
        `${place.relativePath} is already another image of this project.`,
        'Keep the image that has the labels you want.',
      );
    }
    this.#db.run(
      'UPDATE images SET root_id = ?, relative_path = ?, missing = 0 WHERE seq = ?',
      place.root.id,
      place.relativePath,
      image.seq,
    );
    return record(this.get(id));
  }

  missing(): ImageRecord[] {
    return this.#db.all('SELECT * FROM images WHERE missing = 1 ORDER BY seq').map(toImage);
  }

  setMissing(id: string, missing: boolean): ImageRecord {
    this.#db.run('UPDATE images SET missing = ? WHERE id = ?', Number(missing), id);
    return record(this.get(id));
  }

  setSplit(id: string, split: Split | null): ImageRecord {
    this.get(id);
    this.#db.run('UPDATE images SET split = ? WHERE id = ?', split, id);
    return record(this.get(id));
  }

  /** Counts the image's boxes again and notes its state. */
  setState(image: StoredImage, state: ImageState): ImageRecord {
    this.#db.run(
      `UPDATE images SET state = ?,
        label_count = (SELECT count(*) FROM boxes WHERE image_seq = images.seq AND status = 'label'),
        proposal_count = (SELECT count(*) FROM boxes WHERE image_seq = images.seq AND status = 'proposal')
       WHERE seq = ?`,
      state,
      image.seq,
    );
    return record(this.get(image.id));
  }

  counts(): Omit<ProjectSummary, 'name' | 'path' | 'isSample'> {
    const countByState = { unlabelled: 0, 'in-progress': 0, reviewed: 0, 'reviewed-empty': 0 };
    let [imageCount, labelCount, proposalCount, missingCount] = [0, 0, 0, 0];
    const rows = this.#db.all(
      `SELECT state, count(*) AS images, sum(label_count) AS labels, sum(proposal_count) AS proposals,
              sum(missing) AS missing FROM images GROUP BY state`,
    );
    for (const row of rows) {
      countByState[oneOf(row, 'state', imageStates)] = number(row, 'images');
      imageCount += number(row, 'images');
      labelCount += number(row, 'labels');
      proposalCount += number(row, 'proposals');
      missingCount += number(row, 'missing');
    }
    return { imageCount, labelCount, proposalCount, missingCount, countByState };
  }

  #at(rootId: number, relativePath: string): ImageRecord | null {
    const row = this.#db.get(
      'SELECT * FROM images WHERE root_id = ? AND relative_path = ?',
      rootId,
      relativePath,
    );
    return row ? toImage(row) : null;
  }

  /** From what the image is, so that the same files make the same project, and another project's ids mean nothing here. */
  #newId(relativePath: string, contentHash: string): string {
    for (let copy = 0; ; copy++) {
      const hash = createHash('sha256').update(`${relativePath}\0${contentHash}\0${copy}`).digest('hex');
      const id = hash.slice(0, 24);
      if (!this.find(id)) return id;
    }
  }
}

/** What crosses the contract: without the table's own keys. */
export function record({ seq: _seq, rootId: _rootId, ...image }: StoredImage): ImageRecord {
  return image;
}

/** Refuses what would lead out of the root before the file system is asked. */
export function pathOf(image: Pick<NewImage, 'rootPath' | 'relativePath'>): string {
  const parts = image.relativePath.split('/');
  const suspect = parts.some((part) => part === '..' || part === '' || part.includes('\0'));
  if (suspect || /^[A-Za-z]:/.test(image.relativePath)) {
    throw new Problem(
      'bad-input',
      `${JSON.stringify(image.relativePath)} is not a path below ${image.rootPath}.`,
      'Name the image by its path inside the folder.',
    );
  }
  return resolve(image.rootPath, image.relativePath);
}

function assertSize(image: NewImage): void {
  const whole = Number.isInteger(image.widthPx) && Number.isInteger(image.heightPx);
  if (whole && image.widthPx > 0 && image.heightPx > 0) return;
  throw new Problem(
    'bad-input',
    `${image.relativePath}: ${image.widthPx} x ${image.heightPx} is not the size of an image.`,
    'Check the file.',
  );
}

function toImage(row: Row): ImageRecord {
  return {
    id: text(row, 'id'),
    relativePath: text(row, 'relative_path'),
    contentHash: text(row, 'content_hash'),
    widthPx: number(row, 'width_px'),
    heightPx: number(row, 'height_px'),
    state: oneOf(row, 'state', imageStates),
    split: row.split === null ? null : oneOf(row, 'split', splits),
    missing: flag(row, 'missing'),
    labelCount: number(row, 'label_count'),
    proposalCount: number(row, 'proposal_count'),
  };
}
