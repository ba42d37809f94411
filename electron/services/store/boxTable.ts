/** The boxes of a project's images, in the order they were drawn. */
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { Db, Row } from './db.ts';
import { flag, number, numberOrNull, oneOf, text, textOrNull } from './rows.ts';

const select = 'SELECT boxes.*, images.id AS image_id FROM boxes JOIN images ON images.seq = boxes.image_seq';

export class BoxTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  of(imageSeq: number): BoxRecord[] {
    return this.#db.all(`${select} WHERE boxes.image_seq = ? ORDER BY boxes.seq`, imageSeq).map(toBox);
  }

  /** Every image's boxes in one reading, by image id. */
  byImage(): Map<string, BoxRecord[]> {
    const boxesById = new Map<string, BoxRecord[]>();
    for (const row of this.#db.all(`${select} ORDER BY boxes.seq`)) {
      const box = toBox(row);
      const boxes = boxesById.get(box.imageId);
      if (boxes) boxes.push(box);
      else boxesById.set(box.imageId, [box]);
    }
    return boxesById;
  }

  find(id: string): BoxRecord | null {
    const row = this.#db.get(`${select} WHERE boxes.id = ?`, id);
    return row ? toBox(row) : null;
  }

  /** Adds the box, or changes the one of that id in its place. */
  put(imageSeq: number, box: BoxRecord): void {
    this.#db.run(
      `INSERT INTO boxes (id, image_seq, class_id, x1, y1, x2, y2, status, origin, score, run_id,
         is_ignore, is_difficult, is_occluded, is_truncated)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET class_id = excluded.class_id, x1 = excluded.x1, y1 = excluded.y1,
         x2 = excluded.x2, y2 = excluded.y2, status = excluded.status, origin = excluded.origin,
         score = excluded.score, run_id = excluded.run_id, is_ignore = excluded.is_ignore,
         is_difficult = excluded.is_difficult, is_occluded = excluded.is_occluded,
         is_truncated = excluded.is_truncated`,
      box.id,
      imageSeq,
      box.classId,
      ...box.boxPx,
      box.status,
      box.origin,
      box.score,
      box.runId,
      Number(box.ignore),
      Number(box.difficult),
      Number(box.occluded),
      Number(box.truncated),
    );
  }

  remove(id: string): void {
    this.#db.run('DELETE FROM boxes WHERE id = ?', id);
  }

  removeProposals(imageSeq: number): void {
    this.#db.run("DELETE FROM boxes WHERE image_seq = ? AND status = 'proposal'", imageSeq);
  }

  labelCount(imageSeq: number): number {
    const row = this.#db.get(
      "SELECT count(*) AS labels FROM boxes WHERE image_seq = ? AND status = 'label'",
      imageSeq,
    )!;
    return number(row, 'labels');
  }
}

function toBox(row: Row): BoxRecord {
  return {
    id: text(row, 'id'),
    imageId: text(row, 'image_id'),
    classId: number(row, 'class_id'),
    boxPx: [number(row, 'x1'), number(row, 'y1'), number(row, 'x2'), number(row, 'y2')],
    status: oneOf(row, 'status', ['label', 'proposal']),
    origin: oneOf(row, 'origin', ['person', 'model']),
    score: numberOrNull(row, 'score'),
    runId: textOrNull(row, 'run_id'),
    ignore: flag(row, 'is_ignore'),
    difficult: flag(row, 'is_difficult'),
    occluded: flag(row, 'is_occluded'),
    truncated: flag(row, 'is_truncated'),
  };
}

/** Equal in everything a user can see or change. */
export function sameBox(a: BoxRecord, b: BoxRecord): boolean {
  return (
    a.id === b.id &&
    a.imageId === b.imageId &&
    a.classId === b.classId &&
    a.boxPx.every((value, index) => value === b.boxPx[index]) &&
    a.status === b.status &&
    a.origin === b.origin &&
    a.score === b.score &&
    a.runId === b.runId &&
    a.ignore === b.ignore &&
    a.difficult === b.difficult &&
    a.occluded === b.occluded &&
    a.truncated === b.truncated
  );
}
