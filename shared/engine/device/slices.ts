/** A dispatch that takes too long for one submit, as several: each computes some of its workgroups, and all of them the same as before. */
import type { KernelCall } from '../plan/call.ts';

/** At most `count` calls in the place of one, which may be a slice itself; the call itself where it cannot be divided. */
export function sliceCall(call: KernelCall, count: number): KernelCall[] {
  const { sliceWord, uniforms, flops } = call;
  const [x, y, z] = call.workgroups;
  if (sliceWord === undefined || !uniforms || count < 2) return [call];
  const length = Math.ceil(x / count);
  return Array.from({ length: Math.ceil(x / length) }, (_, slice) => {
    const own = uniforms.slice();
    own[sliceWord]! += slice * length;
    const groups = Math.min(length, x - slice * length);
    return { ...call, uniforms: own, workgroups: [groups, y, z], flops: (flops * groups) / x };
  });
}
