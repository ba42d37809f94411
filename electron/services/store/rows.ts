/** Typed reading of SQLite's rows: a value of the wrong kind is a damaged file, said so, and never a wrong box. */
import { Problem } from '../../../shared/domain/problem.ts';
import type { Row } from './db.ts';

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw wrongValue(column, value);
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongValue(column, value);
  return value;
}

export function numberOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : number(row, column);
}

export function flag(row: Row, column: string): boolean {
  return number(row, column) !== 0;
}

export function oneOf<T extends string>(row: Row, column: string, values: readonly T[]): T {
  const value = text(row, column);
  if (!(values as readonly string[]).includes(value)) throw wrongValue(column, value);
  return value as T;
}

/** A column of JSON, validated by `parse`, which throws where it does not fit. */
export function json<T>(row: Row, column: string, parse: (value: unknown) => T): T {
  const value = text(row, column);
  try {
    return parse(JSON.parse(value));
  } catch {
    throw wrongValue(column, value.slice(0, 80));
  }
}

function wrongValue(column: string, value: unknown): Problem {
  return new Problem(
    'damaged',
    `The project holds a value that Boxwright never writes: ${column} is ${JSON.stringify(String(value))}.`,
    'Restore the project folder from a backup, or report it with the file.',
  );
}
