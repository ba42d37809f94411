/** The beams as files: the drawings on one sheet, or their numbers as a table. */
import type { Cell } from '../../../shared/charts/csv.ts';
import { type ExportFormat, saveSheet, saveTable } from '../charts/save.ts';
import type { Ghost } from './ghost.ts';
import { type BeamNumbers, lossOf, lossText, percentPair } from './share.ts';

interface Shown {
  readonly beams: readonly BeamNumbers[];
  readonly ghost?: Ghost | null;
  readonly caption: string;
}

export async function saveBeams(
  format: ExportFormat,
  fileName: string,
  board: HTMLElement | null,
  shown: Shown,
): Promise<void> {
  if (format === 'csv') {
    saveTable(beamTable(shown), fileName);
    return;
  }
  const drawings = shown.beams.flatMap((beam) => {
    const element = board?.querySelector<SVGSVGElement>(`[data-beam="${CSS.escape(beam.name)}"]`);
    return element ? [{ element, title: beam.name, notes: notesOf(beam, shown.ghost) }] : [];
  });
  const title = 'Who is teaching each class: its objects, or everything else?';
  await saveSheet({ title, drawings, caption: `Shown: ${shown.caption}.` }, fileName, format);
}

function notesOf(beam: BeamNumbers, ghost: Ghost | null | undefined): string[] {
  const { foreground, background } = percentPair(beam);
  const notes = [
    `${foreground}% its objects, ${background}% everything else; loss ${lossText(lossOf(beam))}`,
  ];
  const other = ghost?.beams.get(beam.name);
  if (ghost && other) {
    const percents = percentPair(other);
    notes.push(`${ghost.words}: ${percents.foreground}%, ${percents.background}%`);
  }
  return notes;
}

/** A row for each class; with a ghost also what would be. Unrounded. */
export function beamTable({ beams, ghost }: Pick<Shown, 'beams' | 'ghost'>): Cell[][] {
  const heads = [
    'class',
    'own objects',
    'empty background',
    'objects of other classes',
    'own anchors',
    'anchors',
  ];
  const ghostHeads = ['own objects', 'empty background', 'objects of other classes'];
  return [
    [...heads, ...(ghost ? ghostHeads.map((head) => `${head}, ${ghost.words}`) : [])],
    ...beams.map((beam) => {
      const other = ghost?.beams.get(beam.name);
      return [beam.name, ...pans(beam), beam.positives, beam.anchors, ...(other ? pans(other) : [])];
    }),
  ];
}

function pans(beam: BeamNumbers): number[] {
  return [beam.foreground, beam.backgroundTrue, beam.backgroundOther];
}
