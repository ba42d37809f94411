/** What the class search offers for a text. Pure. */
import type { ClassRecord } from '../../../shared/domain/classes.ts';

export interface Choice {
  /** Null: a class to be added. */
  readonly record: ClassRecord | null;
  readonly label: string;
}

/** Names that begin with the text first, then those that contain it; a new class last. */
export function choicesFor(records: readonly ClassRecord[], text: string): Choice[] {
  const wanted = text.trim().toLowerCase();
  const rank = ({ name }: ClassRecord) => {
    const at = name.toLowerCase().indexOf(wanted);
    return at === -1 ? null : at === 0 ? 0 : 1;
  };
  const found = [0, 1].flatMap((wantedRank) => records.filter((record) => rank(record) === wantedRank));
  const choices: Choice[] = found.map((record) => ({ record, label: record.name }));
  const isKnown = records.some(({ name }) => name === text.trim());
  if (wanted !== '' && !isKnown) choices.push({ record: null, label: `Add “${text.trim()}”` });
  return choices;
}
