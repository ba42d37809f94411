import { describe, expect, it } from 'vitest';
import { adapterName, isSoftwareAdapter } from './adapter.ts';

const info = (changes: Partial<Record<'vendor' | 'architecture' | 'device' | 'description', string>>) => ({
  vendor: '',
  architecture: '',
  device: '',
  description: '',
  isFallbackAdapter: false,
  ...changes,
});

describe('adapterName', () => {
  it('prefers the driver’s words and makes the best of vendor and family', () => {
    expect(adapterName(info({ device: 'NVIDIA H200', vendor: 'nvidia' }))).toBe('NVIDIA H200');
    expect(adapterName(info({ device: '0x2204', vendor: 'nvidia', architecture: 'ampere' }))).toBe(
      'NVIDIA Ampere',
    );
    expect(adapterName(info({ vendor: 'google', architecture: 'swiftshader' }))).toBe('SwiftShader');
    expect(adapterName(info({ device: 'llvmpipe-llvm-22-1-8-256-bits-' }))).toBe('llvmpipe');
    expect(adapterName(info({}))).toBe('GPU');
  });
});

describe('isSoftwareAdapter', () => {
  it('sees through processors that play a GPU', () => {
    expect(isSoftwareAdapter(info({ vendor: 'google', architecture: 'swiftshader' }))).toBe(true);
    expect(isSoftwareAdapter(info({ description: 'llvmpipe (LLVM 19.1.0, 256 bits)' }))).toBe(true);
    expect(isSoftwareAdapter(info({ vendor: 'mesa', architecture: 'software' }))).toBe(true);
    expect(isSoftwareAdapter({ ...info({ vendor: 'intel' }), isFallbackAdapter: true })).toBe(true);
    expect(isSoftwareAdapter(info({ vendor: 'apple', architecture: 'metal-3' }))).toBe(false);
  });
});
