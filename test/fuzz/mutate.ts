/** One spoilt file of weights per number: the same seed and number give the same file. */
import { RandomStream } from '../../shared/domain/random.ts';
import { chance, interestingNumbers, pick } from './draw.ts';
import { mutateOperations, splitOperations } from './mutatePickle.ts';
import { safetensorsFiles, torchArchives, torchFiles } from './seeds.ts';
import { concatenated, type ZipPart, zip } from './torchWriter.ts';

export const fuzzFormats = ['torch', 'safetensors'] as const;
export type FuzzFormat = (typeof fuzzFormats)[number];

export function mutatedFile(format: FuzzFormat, seed: number, index: number): Uint8Array {
  const random = new RandomStream(`fuzz:${format}:${seed}:${index}`);
  if (format === 'safetensors') {
    const bytes = pick(random, safetensorsFiles);
    return chance(random, 0.6) ? mutateHeader(bytes, random) : mutateBytes(bytes, safetensorsFiles, random);
  }
  const kind = random.integer(10);
  if (kind < 2) return mutateBytes(pick(random, torchFiles), torchFiles, random);
  if (kind < 4) return mutateZipFields(pick(random, torchFiles), random);
  return mutateArchive(pick(random, torchArchives), random);
}

/** Bytes flipped, overwritten, cut, doubled, or taken from another file. */
function mutateBytes(bytes: Uint8Array, others: readonly Uint8Array[], random: RandomStream): Uint8Array {
  let changed: Uint8Array = bytes.slice();
  for (let rounds = 1 + random.integer(4); rounds > 0 && changed.length > 0; rounds--) {
    const at = random.integer(changed.length);
    const length = random.integer(Math.min(64, changed.length - at) + 1);
    const [before, middle, after] = [
      changed.subarray(0, at),
      changed.subarray(at, at + length),
      changed.subarray(at + length),
    ];
    const other = pick(random, others);
    const from = random.integer(other.length);
    switch (random.integer(7)) {
      case 0:
        changed[at]! ^= 1 << random.integer(8);
        break;
      case 1:
        changed[at] = random.integer(256);
        break;
      case 2:
        writeNumber(changed, at, random);
        break;
      case 3:
        changed = concatenated([before, after]);
        break;
      case 4:
        changed = concatenated([before, middle, middle, after]);
        break;
      case 5:
        changed = concatenated([before, other.subarray(from, from + length), after]);
        break;
      default:
        changed = changed.slice(0, at);
    }
  }
  return changed;
}

/** Puts an interesting number of 1 to 8 bytes where some number may stand. */
function writeNumber(bytes: Uint8Array, at: number, random: RandomStream): void {
  let value = pick(random, interestingNumbers);
  for (let width = 1 << random.integer(4), index = at; width > 0 && index < bytes.length; width--, index++) {
    bytes[index] = Number(value & 255n);
    value >>= 8n;
  }
}

/** Lies in the headers of the container. */
function mutateZipFields(bytes: Uint8Array, random: RandomStream): Uint8Array {
  const changed = bytes.slice();
  const headers: number[] = [];
  for (let at = 0; at + 4 < bytes.length; at++)
    if (bytes[at] === 0x50 && bytes[at + 1] === 0x4b) headers.push(at);
  if (headers.length === 0) return mutateBytes(bytes, [bytes], random);
  for (let rounds = 1 + random.integer(3); rounds > 0; rounds--) {
    writeNumber(changed, Math.min(changed.length - 1, pick(random, headers) + random.integer(56)), random);
  }
  return changed;
}

/** A pickle or its storages spoilt, in an archive without fault. */
function mutateArchive(parts: readonly ZipPart[], random: RandomStream): Uint8Array {
  const changed = parts.map((part) => ({ ...part }));
  const main = changed.find(({ name }) => name.endsWith('/data.pkl'))!;
  if (chance(random, 0.9)) {
    const donors = torchArchives.map((other) => other.find(({ name }) => name.endsWith('/data.pkl'))!.data);
    main.data = chance(random, 0.8)
      ? concatenated(
          mutateOperations(splitOperations(main.data), splitOperations(pick(random, donors)), random),
        )
      : mutateBytes(main.data, donors, random);
  }
  if (chance(random, 0.2)) {
    const part = pick(random, changed);
    part.data = mutateBytes(part.data, [part.data, main.data], random);
  }
  if (chance(random, 0.05)) changed.splice(random.integer(changed.length), 1);
  return zip(changed);
}

const snippets: readonly string[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    'null',
    'true',
    '-1',
    '1e308',
    '0.5',
    '1e400',
  ],
  ...[
    '"__proto__":{},',
    '"constructor":',
    '"dtype":"F64",',
    '"shape":[0],',
    '"shape":[-1],',
    '"data_offsets":[0,0],',
  ],
  ...['"F8_E4M3"', '"Q4"', '[[[[[[[[[[[[[[[[[[[[', '\u{1f9eb}', ' ', '{"a":', '"__metadata__":{"x":"y"},'],
];

/** The JSON of a header spoilt as text, its length mostly put right again. */
function mutateHeader(bytes: Uint8Array, random: RandomStream): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  let header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  for (let rounds = 1 + random.integer(3); rounds > 0; rounds--) header = mutateText(header, random);
  const encoded = new TextEncoder().encode(header);
  const changed = concatenated([new Uint8Array(8), encoded, bytes.subarray(8 + length)]);
  const claimed = chance(random, 0.9) ? BigInt(encoded.length) : pick(random, interestingNumbers);
  new DataView(changed.buffer).setBigUint64(0, claimed, true);
  return chance(random, 0.1) ? mutateBytes(changed, [bytes], random) : changed;
}

function mutateText(text: string, random: RandomStream): string {
  const numbers = [...text.matchAll(/-?\d+/g)];
  if (numbers.length > 0 && chance(random, 0.5)) {
    const found = pick(random, numbers);
    const near = BigInt(found[0]) + BigInt(random.integer(9) - 4);
    const value = chance(random, 0.5) ? near : pick(random, interestingNumbers);
    return text.slice(0, found.index) + value + text.slice(found.index + found[0].length);
  }
  const at = random.integer(text.length + 1);
  const to = Math.min(text.length, at + random.integer(24));
  switch (random.integer(4)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, to) + text.slice(at);
    case 2:
      return (
        text.slice(0, at) + pick(random, snippets).repeat(chance(random, 0.05) ? 5000 : 1) + text.slice(at)
      );
    default:
      return text.slice(0, at) + pick(random, snippets) + text.slice(to);
  }
}
