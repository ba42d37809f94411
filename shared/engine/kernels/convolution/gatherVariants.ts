/** The ways to compute a convolution or its input gradient, and which of them to take. */
import type { KernelCall } from '../../plan/call.ts';
import type { DeviceFacts } from '../wgsl.ts';
import type { Gather } from './gather.ts';
import { lowerRegisters, type RegistersVariant } from './gatherRegisters.ts';

export type ConvVariant = RegistersVariant;

export function variantsOf(_gather: Gather, _facts: DeviceFacts): ConvVariant[] {
  return [{ kind: 'registers', rows: 2, pixels: 4, channels: 4, depth: 1 }];
}

export function lowerGather(gather: Gather, facts: DeviceFacts, variant?: ConvVariant): KernelCall {
  return lowerRegisters(gather, facts, variant ?? variantsOf(gather, facts)[0]!);
}
