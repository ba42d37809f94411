/** What a program asks of WebGPU, counted at WebGPU itself, so that all are counted alike: wraps its prototypes for as long as the process lives. */
import { globals } from 'webgpu';

export interface Counted {
  dispatches: number;
  submits: number;
  /** Buffers, bind groups and pipelines made. */
  buffers: number;
  bindGroups: number;
  pipelines: number;
  /** Bytes of buffers that were made and not destroyed, and the most of them at any time. */
  bytes: number;
  peakBytes: number;
}

/** By who is counted at the moment: `meter.counts.get('engine')`. */
export interface Meter {
  /** Everything from now on is on this account, but for what becomes of a buffer: that stays on its maker's. */
  readonly account: (name: string) => Counted;
}

export function meterWebGPU(): Meter {
  Object.assign(globalThis, globals); // as in a browser
  const accounts = new Map<string, Counted>();
  let current = zero();
  const account = (name: string): Counted => {
    current = accounts.get(name) ?? zero();
    accounts.set(name, current);
    return current;
  };
  const makers = new WeakMap<GPUBuffer, Counted>();

  after(GPUDevice.prototype, 'createBuffer', (buffer) => {
    current.buffers++;
    current.bytes += buffer.size;
    current.peakBytes = Math.max(current.peakBytes, current.bytes);
    makers.set(buffer, current);
  });
  const destroy = GPUBuffer.prototype.destroy;
  GPUBuffer.prototype.destroy = function (this: GPUBuffer) {
    const maker = makers.get(this);
    if (maker) maker.bytes -= this.size;
    makers.delete(this);
    return destroy.call(this);
  };
  after(GPUDevice.prototype, 'createBindGroup', () => current.bindGroups++);
  after(GPUDevice.prototype, 'createComputePipeline', () => current.pipelines++);
  after(GPUDevice.prototype, 'createComputePipelineAsync', () => current.pipelines++);
  after(GPUQueue.prototype, 'submit', () => current.submits++);
  after(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => current.dispatches++);
  after(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', () => current.dispatches++);
  return { account };
}

function zero(): Counted {
  return { dispatches: 0, submits: 0, buffers: 0, bindGroups: 0, pipelines: 0, bytes: 0, peakBytes: 0 };
}

type Method = (...given: never[]) => unknown;

/** Calls `then` with what the method returns, whenever it is called. */
function after<Of extends object, Name extends keyof Of>(
  prototype: Of,
  name: Name,
  then: (made: Of[Name] extends (...given: never[]) => infer Made ? Made : never) => void,
): void {
  const original = prototype[name] as Method;
  const wrapped = function (this: Of, ...given: never[]) {
    const made = original.apply(this, given);
    then(made as Parameters<typeof then>[0]);
    return made;
  };
  Object.defineProperty(prototype, name, { value: wrapped, writable: true, configurable: true });
}
