/**
 * The formats Boxwright speaks. Another one is: its name in `formatNames` (shared/contract/schemas.ts), its text in
 * shared/formats/, its files in a module beside this one, and a line here.
 */
import { type FormatName, formatNames } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { cocoFormat } from './cocoFormat.ts';
import type { InterchangeFormat } from './format.ts';
import { vocFormat } from './vocFormat.ts';
import { yoloFormat } from './yoloFormat.ts';

export const interchangeFormats: Readonly<Record<FormatName, InterchangeFormat>> = {
  voc: vocFormat,
  coco: cocoFormat,
  yolo: yoloFormat,
};

/** The one format the source looks like. Throws a Problem where it is none, or more than one. */
export async function detectFormat(source: string): Promise<FormatName> {
  const found: FormatName[] = [];
  for (const name of formatNames) if (await interchangeFormats[name].detect(source)) found.push(name);
  if (found.length === 1) return found[0]!;
  const titles = (names: readonly FormatName[]) =>
    names.map((name) => interchangeFormats[name].title).join(', ');
  throw found.length === 0
    ? new Problem(
        'bad-input',
        `${source} holds no labels in a format Boxwright knows (${titles(formatNames)}).`,
        'Choose the folder or file with the labels; a folder of images without labels is added as images.',
      )
    : new Problem(
        'bad-input',
        `${source} holds labels in more than one format: ${titles(found)}.`,
        'Say which to import.',
      );
}
