/** What the tuner tries kernels on, without a device: everything is computed by the kernels' plain references. */
import { interpretOps } from '../../shared/engine/kernels/interpret.ts';
import { Memory } from '../../shared/engine/kernels/memory.ts';
import type { DeviceFacts } from '../../shared/engine/kernels/wgsl.ts';
import type { KernelCall } from '../../shared/engine/plan/call.ts';
import type { ConvShape } from '../../shared/engine/plan/ops.ts';
import { type TensorSpec, wholeView } from '../../shared/engine/plan/tensor.ts';
import { type Operand, unpacked } from '../../shared/engine/tuner/operands.ts';
import {
  checkOf,
  lowerVariant,
  type TunedOp,
  type Variant,
  variantsOf,
} from '../../shared/engine/tuner/trials.ts';
import type { Workbench } from '../../shared/engine/tuner/workbench.ts';

type Storages = readonly [x: TensorSpec['storage'], y: TensorSpec['storage']];

/** Two images of `side` x `side` pixels, or gradients of such. */
export function convolution(
  op: TunedOp['op'],
  conv: ConvShape,
  [xStorage, yStorage]: Storages = ['f32', 'f32'],
  side = 20,
): TunedOp {
  const view = (id: string, length: number, channels: number, storage: TensorSpec['storage']) =>
    wholeView({ id, batch: 2, levels: [{ height: length, width: length }], channels, storage });
  const x = view('x', side * conv.stride, conv.inChannels, xStorage);
  const y = view('y', side, conv.outChannels, yStorage);
  const words = { offsetWords: 0, words: conv.kernelSize ** 2 * conv.inChannels * conv.outChannels };
  const weight = { kind: 'weights', ...words } as const;
  if (op === 'conv') {
    return { op, conv, x, y, weight, bias: null, norm: null, residual: null, relu: false };
  }
  if (op === 'convInputGradient') {
    return { op, conv, dy: y, weight, norm: null, target: { dx: x, add: null, mask: null } };
  }
  const weightGradient = { kind: 'gradients', ...words } as const;
  return { op, conv, x, dy: y, weightGradient, biasGradient: null, norm: null, normGradient: null };
}

/** Computes what is right of `op`, and then what `spoil` makes of it in this way to compute it. */
export function plainBench(
  op: TunedOp,
  facts: DeviceFacts,
  spoil: (variant: Variant, result: Float32Array) => void = () => {},
): Pick<Workbench, 'compute'> {
  const trial = checkOf(op);
  const target = { conv: trial.y, convInputGradient: trial.x, convFilterGradient: null }[op.op];
  const storage = target?.tensor.storage ?? 'f32';
  const ways = variantsOf(op, facts).map(
    (variant) => [textOf(lowerVariant(trial.op, facts, variant)), variant] as const,
  );
  let right: Float32Array | undefined;
  return {
    compute: async (calls, operands) => {
      right ??= computed();
      const result = right.slice();
      spoil(new Map(ways).get(textOf(calls))!, result);
      return new Uint32Array(storage === 'f32' ? result.buffer : new Float16Array(result).buffer);

      function computed(): Float32Array {
        const memory = new Memory();
        for (const operand of operands)
          memory.words(floatsOf(operand)).set(unpacked(operand.words, storageOf(operand)));
        interpretOps([trial.op], memory);
        return target ? memory.tensor(target) : memory.words(trial.filter);
      }
    },
  };

  function storageOf({ ref }: Operand): TensorSpec['storage'] {
    const view = [trial.x, trial.y].find(({ tensor }) => ref.kind === 'arena' && tensor.id === ref.id);
    return view?.tensor.storage ?? 'f32';
  }

  /** Plain memory is in floats, whatever the storage. */
  function floatsOf(operand: Operand) {
    return { ...operand.ref, words: operand.words.length * (storageOf(operand) === 'f16' ? 2 : 1) };
  }
}

function textOf(calls: readonly KernelCall[]): string {
  return calls.map(({ code, workgroups }) => `${code}\n${workgroups}`).join('\n');
}
