/** What the threads of a device can do together, beyond WebGPU's older versions. */
import { matrixFeature } from '../../reference/adapter.ts';
import type { DeviceFacts, MatrixShape } from '../kernels/wgsl.ts';

/** Dawn's; in no published type yet. */
interface MatrixWords {
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/** Of a device that was given the features; others know nothing of subgroups. */
export function subgroupFacts({
  features,
  adapterInfo,
}: Pick<GPUDevice, 'features' | 'adapterInfo'>): Pick<DeviceFacts, 'subgroups' | 'matrices'> {
  const { subgroupMinSize: min = 0, subgroupMaxSize: max = 0 } = adapterInfo;
  const known = features.has('subgroups') && min > 0 && max >= min;
  return {
    subgroups: known ? { min, max } : null,
    matrices: known && features.has(matrixFeature) ? matrixShapes(adapterInfo as MatrixWords) : [],
  };
}

function matrixShapes(info: MatrixWords): MatrixShape[] {
  return [...(info.subgroupMatrixConfigs ?? [])].flatMap(
    ({ componentType: component, resultComponentType: result, M: m, N: n, K: k }) =>
      isFloat(component) && isFloat(result) ? [{ component, result, m, n, k }] : [],
  );
}

function isFloat(type: string): type is MatrixShape['component'] {
  return type === 'f16' || type === 'f32';
}
