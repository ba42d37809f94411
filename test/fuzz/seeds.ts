/** Whole, honest files of weights for the mutator to spoil: PyTorch's own, and small ones that use every way there is. */
import { readFileSync } from 'node:fs';
import { writeSafetensors } from '../../shared/weights/safetensors/safetensors.ts';
import {
  build,
  call,
  dict,
  emptyDict,
  floats,
  global,
  int,
  none,
  orderedDict,
  pickle,
  tensor,
  text,
  torchArchive,
  type ZipPart,
} from './torchWriter.ts';

const fixtures = [
  'plain',
  'training',
  'protocol4',
  'half',
  'bfloat16',
  'double',
  'strided',
  'parameters',
  'others',
];

/** PyTorch's archives as bytes, for mutations of the container. */
export const torchFiles: readonly Uint8Array[] = [
  ...fixtures.map((name) => readFixture(`${name}.pth`)),
  readFixture('legacy.pth'),
  readFixture('module.pth'),
  readFixture('script.pt'),
];

/** The same taken apart, for mutations of what lies inside: written again with right checksums. */
export const torchArchives: readonly (readonly ZipPart[])[] = [
  ...fixtures.map((name) => partsOf(readFixture(`${name}.pth`))),
  smallArchive(),
];

export const safetensorsFiles: readonly Uint8Array[] = [
  writeSafetensors(
    [
      { name: 'head.weight', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      { name: 'head.bias', shape: [2], data: Float32Array.of(5, 6) },
      { name: 'scale', shape: [], data: Float32Array.of(7) },
    ],
    { step: '12', classes: '["cell"]' },
  ),
  writeSafetensors([
    { name: 'backbone.body.conv1.weight', shape: [4, 3, 7, 7], data: new Float32Array(588).fill(0.5) },
  ]),
  mixedSafetensors(),
];

function readFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/torch/${name}`, import.meta.url)));
}

/** A state dict with metadata, tied weights, an optimizer and something unknown. */
function smallArchive(): ZipPart[] {
  const weight = tensor({ key: '0', elements: 6, shape: [2, 3] });
  const state = dict(
    [text('weight'), weight],
    [text('tied'), tensor({ key: '0', elements: 6, shape: [3, 2], strides: [1, 3] })],
  );
  const model = [
    ...orderedDict,
    ...state.slice(emptyDict.length),
    ...dict([text('_metadata'), orderedDict]),
    ...build,
  ];
  const optimizer = dict([text('state'), emptyDict], [text('param_groups'), none]);
  const args = [...call(global('argparse', 'Namespace')), ...dict([text('lr'), int(1)]), ...build];
  const root = dict([text('model'), model], [text('optimizer'), optimizer], [text('args'), args]);
  return torchArchive(pickle(root), { 0: floats(1, 2, 3, 4, 5, 6) });
}

/** Every float type and some others, the data unaligned. */
function mixedSafetensors(): Uint8Array {
  const types = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1, BOOL: 1 } as const;
  let end = 0;
  const entries = Object.entries(types).map(([dtype, size]) => {
    const begin = end;
    end += 3 * size;
    return `"${dtype.toLowerCase()}":{"dtype":"${dtype}","shape":[3],"data_offsets":[${begin},${end}]}`;
  });
  const header = new TextEncoder().encode(`{"__metadata__":{"format":"pt"},${entries.join(',')}}`);
  const bytes = new Uint8Array(8 + header.length + end).fill(0x3a);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

/** The parts of an archive of torch.save, found by its table of contents, which PyTorch is trusted to have written well. */
function partsOf(archive: Uint8Array): ZipPart[] {
  const view = new DataView(archive.buffer);
  const parts: ZipPart[] = [];
  let at = view.getUint32(archive.length - 6, true);
  while (view.getUint32(at, true) === 0x02014b50) {
    const [length, nameLength, header] = [
      view.getUint32(at + 24, true),
      view.getUint16(at + 28, true),
      view.getUint32(at + 42, true),
    ];
    const begin = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameLength));
    parts.push({ name, data: archive.subarray(begin, begin + length) });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return parts;
}
