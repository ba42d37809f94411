/** The journal of edits, per image: what undo takes back and redo brings again, kept across restarts. */

import { editSchema } from '../../../shared/contract/schemas.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import type { Db, Row } from './db.ts';
import { json, number, text } from './rows.ts';

export interface JournalEntry {
  readonly id: number;
  readonly edit: Edit;
}

/** What undo and redo would do, by label; null where there is nothing. */
export interface History {
  readonly undo: string | null;
  readonly redo: string | null;
}

const newestDone = 'FROM edits WHERE image_seq = ? AND undone = 0 ORDER BY id DESC LIMIT 1';
const oldestUndone = 'FROM edits WHERE image_seq = ? AND undone = 1 ORDER BY id LIMIT 1';

export class Journal {
  readonly #db: Db;
  readonly #now: () => string;

  constructor(db: Db, now: () => string) {
    this.#db = db;
    this.#now = now;
  }

  /** Adds an edit that was just applied. What could have been redone is gone: the past has changed. */
  append(imageSeq: number, edit: Edit): void {
    this.#db.run('DELETE FROM edits WHERE image_seq = ? AND undone = 1', imageSeq);
    this.#db.run(
      'INSERT INTO edits (image_seq, label, diff, at) VALUES (?, ?, ?, ?)',
      imageSeq,
      edit.label,
      JSON.stringify(edit),
      this.#now(),
    );
  }

  history(imageSeq: number): History {
    const undo = this.#db.get(`SELECT label ${newestDone}`, imageSeq);
    const redo = this.#db.get(`SELECT label ${oldestUndone}`, imageSeq);
    return { undo: undo ? text(undo, 'label') : null, redo: redo ? text(redo, 'label') : null };
  }

  toUndo(imageSeq: number): JournalEntry | null {
    return entry(this.#db.get(`SELECT id, diff ${newestDone}`, imageSeq));
  }

  toRedo(imageSeq: number): JournalEntry | null {
    return entry(this.#db.get(`SELECT id, diff ${oldestUndone}`, imageSeq));
  }

  mark(id: number, undone: boolean): void {
    this.#db.run('UPDATE edits SET undone = ? WHERE id = ?', Number(undone), id);
  }
}

function entry(row: Row | undefined): JournalEntry | null {
  if (!row) return null;
  return { id: number(row, 'id'), edit: json(row, 'diff', (value) => editSchema.parse(value)) };
}
