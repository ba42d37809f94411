/** What the threads of a device can do together, beyond WebGPU's older versions. */
import type { DeviceFacts, MatrixShape } from '../kernels/wgsl.ts';

/** Of a device that was given the feature; others know nothing of subgroups. */
export function subgroupFacts({
  features,
  adapterInfo,
}: Pick<GPUDevice, 'features' | 'adapterInfo'>): Pick<DeviceFacts, 'subgroups'> {
  const { subgroupMinSize: min = 0, subgroupMaxSize: max = 0 } = adapterInfo;
  return { subgroups: features.has('subgroups') && min > 0 && max >= min ? { min, max } : null };
}

/** Dawn's; in no published type yet. An adapter tells of them, its devices do not. */
interface MatrixWords {
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/** Products of small matrices, of floats, that an adapter computes: what its devices have where they were asked to (`deviceDescriptor`). */
export function matrixShapes(info: GPUAdapterInfo): MatrixShape[] {
  return [...((info as MatrixWords).subgroupMatrixConfigs ?? [])].flatMap(
    ({ componentType: component, resultComponentType: result, M: m, N: n, K: k }) =>
      isFloat(component) && isFloat(result) ? [{ component, result, m, n, k }] : [],
  );
}

function isFloat(type: string): type is MatrixShape['component'] {
  return type === 'f16' || type === 'f32';
}
