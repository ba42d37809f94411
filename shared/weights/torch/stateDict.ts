/** Which dictionary of a checkpoint is the weights. */

import type { Problem } from '../../domain/problem.ts';
import { refusedTorch } from '../refusal.ts';
import type { Pickle } from './pickle.ts';
import { PickleDict, PickleList, PickleObject, PickleTuple, type PickleValue } from './pickleValue.ts';
import { claimedFloats, pathOf, tensorCallOf } from './torchTensor.ts';

export interface StateDict {
  readonly entries: ReadonlyMap<PickleValue, PickleValue>;
  readonly notes: readonly string[];
}

interface Found {
  readonly entries: ReadonlyMap<PickleValue, PickleValue>;
  /** Keys on the way to it; empty for the outermost. */
  readonly path: readonly string[];
  readonly tensors: number;
  readonly floats: number;
}

/** Usual names of the weights in a checkpoint, the likelier first; weights averaged over the training last. */
const usualNames = [
  'model',
  'state_dict',
  'model_state_dict',
  'model_state',
  'net',
  'network',
  'weights',
  'params',
  'module',
];
/** Copies of the same network differ by a counter or two. */
const sameSize = 0.99;
/** No framework nests its weights deeper. */
const maxLevels = 8;
const dictionaries = new Set(['collections.OrderedDict', 'collections.defaultdict', 'builtins.dict']);
/** Not worth a note: what PyTorch's own training scripts put beside the weights. */
const usualGlobals = /^(torch|collections|numpy|builtins|_codecs|copyreg|argparse|pathlib)\./;

/**
 * The largest dictionary of float tensors that is not an optimizer's; of those as large as it (a copy averaged over the training),
 * the one with the most usual name, then the first. Throws a Problem where there is none.
 */
export function chooseStateDict(pickle: Pickle, file: string): StateDict {
  const { found, optimizers } = dictionariesOf(pickle.root);
  const largest = found.reduce((most, { floats }) => Math.max(most, floats), 0);
  if (largest === 0) throw noWeights(pickle.root, found, file);
  const [taken] = found
    .filter(({ floats }) => floats >= largest * sameSize)
    .sort((a, b) => unusualness(a) - unusualness(b)) as [Found];
  const passedOver = [...found.filter((other) => other !== taken), ...optimizers].map(shownPath);
  const code = [...pickle.globals].filter((path) => !usualGlobals.test(path));
  const notes: string[] = [];
  if (taken.path.length > 0) notes.push(`The weights are the dictionary ${shownPath(taken)} in the file.`);
  if (passedOver.length > 0) notes.push(`Passed over: ${someOf(passedOver)}.`);
  if (code.length > 0) notes.push(`The file names Python code, none of which was run: ${someOf(code)}.`);
  return { entries: taken.entries, notes };
}

/** The first few, and how many more. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(shortened).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** Dictionaries that hold tensors, outermost first, and those of optimizers, whatever they hold. */
function dictionariesOf(root: PickleValue): { found: Found[]; optimizers: Pick<Found, 'path'>[] } {
  const found: Found[] = [];
  const optimizers: Pick<Found, 'path'>[] = [];
  const queue: { value: PickleValue; path: readonly string[] }[] = [{ value: root, path: [] }];
  // A value that is in itself, or in many others, is looked at once.
  const seen = new Set<PickleValue>();
  for (const { value, path } of queue) {
    if (seen.has(value)) continue;
    seen.add(value);
    const entries = entriesOf(value);
    if (entries?.has('state') && entries.has('param_groups')) {
      optimizers.push({ path });
      continue;
    }
    let [tensors, floats] = [0, 0];
    for (const [key, child] of entries ?? itemsOf(value).entries()) {
      const call = tensorCallOf(child);
      if (call && typeof key === 'string') {
        tensors++;
        floats += claimedFloats(call);
      } else if (!call && isFilled(child) && path.length < maxLevels) {
        queue.push({ value: child, path: [...path, keyText(key)] });
      }
    }
    if (entries && tensors > 0) found.push({ entries, path, tensors, floats });
  }
  return { found, optimizers };
}

/** What a dictionary holds; null for anything else, whatever the record of a call may hold. */
function entriesOf(value: PickleValue): ReadonlyMap<PickleValue, PickleValue> | null {
  const isDictionary =
    value instanceof PickleDict || (value instanceof PickleObject && dictionaries.has(pathOf(value.callee)));
  return isDictionary ? value.entries : null;
}

function itemsOf(value: PickleValue): readonly PickleValue[] {
  return value instanceof PickleList || value instanceof PickleTuple ? value.items : [];
}

function isFilled(value: PickleValue): boolean {
  return entriesOf(value) !== null || itemsOf(value).length > 0;
}

function unusualness({ path }: Found): number {
  const place = usualNames.indexOf(path.at(-1) ?? 'model');
  return place < 0 ? usualNames.length : place;
}

function keyText(key: PickleValue): string {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' ? String(key) : '?';
}

function shownPath({ path }: Pick<Found, 'path'>): string {
  return path.length === 0 ? 'the outermost dictionary' : `"${path.map(shortened).join('.')}"`;
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Why there is nothing to take, by what is there instead. */
function noWeights(root: PickleValue, found: readonly Found[], file: string): Problem {
  const save = "save the model's state_dict() with torch.save";
  if (isModule(root) || [...(entriesOf(root)?.values() ?? itemsOf(root))].some(isModule)) {
    return refusedTorch(
      'bad-input',
      file,
      'it holds a whole Python model, and reading that means running its code',
      `In Python, where you trust the file, load it and ${save}: torch.save(model.state_dict(), "weights.pth").`,
    );
  }
  const remedy = `In Python, load it and ${save}, as 32-bit or 16-bit floats.`;
  if (found.length > 0) {
    const kinds = `${found[0]!.tensors} tensors are whole numbers, quantised, sparse or complex`;
    return refusedTorch('bad-input', file, `its ${kinds}, and none has plain floats`, remedy);
  }
  const what = tensorCallOf(root) ? 'a single tensor without a name' : 'no dictionary of named tensors';
  return refusedTorch('bad-input', file, `it holds ${what}`, remedy);
}

/** What torch.save(model) writes: an object whose state has the fields of torch.nn.Module. */
function isModule(value: PickleValue): boolean {
  if (!(value instanceof PickleObject)) return false;
  const fields = value.state instanceof PickleDict ? value.state.entries : null;
  return fields?.has('_modules') === true || fields?.has('_parameters') === true;
}
