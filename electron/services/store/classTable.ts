/** The classes of a project. Ids never change and never come back; a removed class stays as a row, for undo's sake. */
import { type ClassRecord, paletteColor } from '../../../shared/domain/classes.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Db, Row } from './db.ts';
import { number, text } from './rows.ts';

const columns = 'id, name, color, position';

export class ClassTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  list(): ClassRecord[] {
    return this.#db
      .all(`SELECT ${columns} FROM classes WHERE removed = 0 ORDER BY position, id`)
      .map(toClass);
  }

  has(id: number): boolean {
    return this.#db.get('SELECT 1 FROM classes WHERE id = ? AND removed = 0', id) !== undefined;
  }

  get(id: number): ClassRecord {
    const row = this.#db.get(`SELECT ${columns} FROM classes WHERE id = ? AND removed = 0`, id);
    if (!row) throw new Problem('not-found', `There is no class ${id}.`, 'Reload the project.');
    return toClass(row);
  }

  /**
   * The class of that name, made where there is none; with `preferredId` where that id (of at least 1) was never given,
   * so that ids of imported data sets survive the round trip.
   */
  add(typed: string, preferredId?: number): ClassRecord {
    const name = cleanName(typed);
    return this.#db.transaction(() => {
      const existing = this.#named(name);
      if (existing) return existing;
      const row = this.#db.get(
        `SELECT (SELECT count(*) FROM classes) AS ever,
                (SELECT coalesce(max(position) + 1, 0) FROM classes WHERE removed = 0) AS next`,
      )!;
      const { rowId } = this.#db.run(
        'INSERT INTO classes (id, name, color, position) VALUES (?, ?, ?, ?)',
        this.#freeId(preferredId),
        name,
        paletteColor(number(row, 'ever')),
        number(row, 'next'),
      );
      return this.get(rowId);
    });
  }

  update(id: number, change: { name?: string | undefined; color?: string | undefined }): ClassRecord {
    return this.#db.transaction(() => {
      const current = this.get(id);
      const { color = current.color } = change;
      const name = change.name === undefined ? current.name : cleanName(change.name);
      const other = this.#named(name);
      if (other && other.id !== id) throw nameTaken(name);
      this.#db.run('UPDATE classes SET name = ?, color = ? WHERE id = ?', name, color, id);
      return this.get(id);
    });
  }

  /** The named classes first, in that order; the others after them, in theirs. */
  reorder(ids: readonly number[]): ClassRecord[] {
    this.#db.transaction(() => {
      const rest = this.list().map((record) => record.id);
      const first = ids.map((id) => this.get(id).id);
      [...new Set([...first, ...rest])].forEach((id, position) => {
        this.#db.run('UPDATE classes SET position = ? WHERE id = ?', position, id);
      });
    });
    return this.list();
  }

  /** Throws `conflict` where a box still has the class. */
  remove(id: number): void {
    this.#db.transaction(() => {
      const { name } = this.get(id);
      const row = this.#db.get('SELECT count(*) AS boxes FROM boxes WHERE class_id = ?', id)!;
      const boxes = number(row, 'boxes');
      if (boxes > 0) {
        throw new Problem(
          'conflict',
          `The class "${name}" still has ${boxes} ${boxes === 1 ? 'box' : 'boxes'}.`,
          'Delete these boxes or give them another class first.',
        );
      }
      this.#db.run('UPDATE classes SET removed = 1 WHERE id = ?', id);
    });
  }

  /** Brings a removed class back, as undo needs it when it brings back one of its boxes. */
  restore(id: number): void {
    const row = this.#db.get('SELECT name FROM classes WHERE id = ? AND removed = 1', id);
    if (!row) return;
    const wanted = text(row, 'name');
    let name = wanted;
    for (let count = 2; this.#named(name); count++) name = `${wanted} (${count})`;
    this.#db.run('UPDATE classes SET removed = 0, name = ? WHERE id = ?', name, id);
  }

  #freeId(preferred: number | undefined): number | null {
    if (preferred === undefined || !Number.isInteger(preferred)) return null;
    if (preferred < 1 || preferred > 0x7fffffff) return null;
    return this.#db.get('SELECT 1 FROM classes WHERE id = ?', preferred) ? null : preferred;
  }

  #named(name: string): ClassRecord | null {
    const row = this.#db.get(`SELECT ${columns} FROM classes WHERE name = ? AND removed = 0`, name);
    return row ? toClass(row) : null;
  }
}

function toClass(row: Row): ClassRecord {
  return {
    id: number(row, 'id'),
    name: text(row, 'name'),
    color: text(row, 'color'),
    order: number(row, 'position'),
  };
}

/** Without what nobody can see, so that no two classes look the same: spaces around it, line breaks, composed letters. */
function cleanName(typed: string): string {
  const name = typed
    .normalize('NFC')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  if (name !== '' && name.length <= 200) return name;
  throw new Problem(
    'bad-input',
    name === '' ? 'A class needs a name.' : 'A class name may have at most 200 characters.',
    'Type another name.',
  );
}

function nameTaken(name: string): Problem {
  return new Problem('conflict', `There is already a class named "${name}".`, 'Choose another name.');
}
