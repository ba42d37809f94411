/** Mutations that know where an operation of a pickle begins and ends, so that what they make still runs, wrongly. */
import type { RandomStream } from '../../shared/domain/random.ts';
import { chance, interestingNumbers, pick } from './draw.ts';
import { type Code, global, int, text } from './torchWriter.ts';

const fixedLengths: Readonly<Record<string, number>> = {
  J: 4,
  K: 1,
  M: 2,
  G: 8,
  h: 1,
  j: 4,
  q: 1,
  r: 4,
  '\x80': 1,
  '\x82': 1,
  '\x83': 2,
  '\x84': 4,
  '\x95': 8,
};
/** Bytes of the length that precedes the argument. */
const countedLengths: Readonly<Record<string, number>> = {
  U: 1,
  C: 1,
  '\x8a': 1,
  '\x8c': 1,
  T: 4,
  X: 4,
  B: 4,
  '\x8b': 4,
  '\x8d': 8,
  '\x8e': 8,
  '\x96': 8,
};
const lines: Readonly<Record<string, number>> = {
  I: 1,
  L: 1,
  F: 1,
  S: 1,
  V: 1,
  P: 1,
  p: 1,
  g: 1,
  c: 2,
  i: 2,
};

/** A sound pickle as its operations, arguments included. */
export function splitOperations(pickle: Uint8Array): Uint8Array[] {
  const operations: Uint8Array[] = [];
  for (let at = 0; at < pickle.length; ) {
    const start = at;
    const code = String.fromCharCode(pickle[at++]!);
    at += fixedLengths[code] ?? 0;
    const width = countedLengths[code] ?? 0;
    let length = 0;
    for (let index = width - 1; index >= 0; index--) length = length * 256 + pickle[at + index]!;
    at += width + length;
    for (let count = lines[code] ?? 0; count > 0; count--) at = pickle.indexOf(0x0a, at) + 1;
    operations.push(pickle.subarray(start, at));
  }
  return operations;
}

const names: readonly Code[] = (
  [
    ['os', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['globalThis', 'boxwrightCanary'],
    ['globalThis', 'eval'],
    ['Object', 'constructor'],
    ['__main__', '__proto__'],
    ['torch', 'FloatStorage'],
    ['torch', 'DoubleStorage'],
    ['torch', 'HalfStorage'],
    ['torch', 'LongStorage'],
    ['torch', 'Size'],
    ['torch.storage', 'UntypedStorage'],
    ['torch._utils', '_rebuild_tensor'],
    ['torch._utils', '_rebuild_tensor_v2'],
    ['torch._utils', '_rebuild_tensor_v3'],
    ['torch._utils', '_rebuild_parameter'],
    ['torch._utils', '_rebuild_qtensor'],
    ['torch._tensor', '_rebuild_from_type_v2'],
    ['collections', 'OrderedDict'],
    ['argparse', 'Namespace'],
  ] as const
).map(([module, name]) => global(module, name));

const texts: readonly Code[] = [
  '',
  '0',
  '1',
  '-1',
  '../0',
  'model',
  'state_dict',
  'state',
  'param_groups',
  'storage',
  'cuda:0',
  '__proto__',
  'a'.repeat(5000),
].map(text);

/** One-byte operations of every kind. */
const plain: readonly Code[] = [
  ...'(.012NRbt)l]d}asuoeQ',
  '\x81',
  '\x85',
  '\x86',
  '\x87',
  '\x88',
  '\x89',
  '\x8f',
  '\x90',
  '\x91',
  '\x92',
  '\x93',
  '\x94',
].map((char) => [char.charCodeAt(0)]);

/** The operations with one to four changes. */
export function mutateOperations(
  original: readonly Uint8Array[],
  donor: readonly Uint8Array[],
  random: RandomStream,
): Uint8Array[] {
  const operations = [...original];
  for (let rounds = 1 + random.integer(4); rounds > 0 && operations.length > 0; rounds--) {
    const at = random.integer(operations.length);
    const some = random.integer(12);
    switch (random.integer(9)) {
      case 0:
        operations.splice(at, 1 + random.integer(3));
        break;
      case 1:
        operations.splice(at, 0, ...operations.slice(at, at + some));
        break;
      case 2:
        operations.splice(at, some, ...operations.slice(some, 2 * some));
        break;
      case 3:
        operations.splice(at, 0, newOperation(random));
        break;
      case 4: {
        const from = random.integer(donor.length);
        operations.splice(at, some, ...donor.slice(from, from + some));
        break;
      }
      case 5: {
        const bomb = chance(random, 0.5) ? newOperation(random) : operations[at]!;
        operations.splice(at, 0, ...new Array<Uint8Array>(1 << random.integer(12)).fill(bomb));
        break;
      }
      default:
        replaceAlike(operations, random);
    }
  }
  return operations;
}

/** A number for a number, a text for a text, a name for a name: what is likeliest to go on running. */
function replaceAlike(operations: Uint8Array[], random: RandomStream): void {
  const kinds = ['KMJ\x8a', 'X\x8c', 'c\x93', 'hqj'];
  const kind = pick(random, kinds);
  const places = operations.flatMap((operation, place) =>
    kind.includes(String.fromCharCode(operation[0]!)) ? [place] : [],
  );
  if (places.length === 0) return;
  const place = pick(random, places);
  const old = operations[place]!;
  operations[place] = Uint8Array.from(
    {
      'KMJ\x8a': newNumber(random),
      'X\x8c': pick(random, texts),
      'c\x93': pick(random, names),
      hqj: [old[0]!, random.integer(256), 0, 0, 0].slice(0, old.length),
    }[kind]!,
  );
}

function newNumber(random: RandomStream): Code {
  const value = pick(random, interestingNumbers);
  return int(chance(random, 0.3) ? -value : value);
}

function newOperation(random: RandomStream): Uint8Array {
  const kinds = [
    pick(random, plain),
    pick(random, plain),
    newNumber(random),
    pick(random, names),
    pick(random, texts),
    [0x68, random.integer(200)],
    [0x71, random.integer(200)],
  ];
  return Uint8Array.from(pick(random, kinds));
}
