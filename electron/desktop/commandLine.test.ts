import { resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { applyGpuSwitches, readArguments } from './commandLine.ts';

describe('the arguments', () => {
  it('begin after Boxwright’s folder in a checkout, after the program in a package', () => {
    const asked = { project: resolve('/here', 'blood'), vulkan: true, unsafeWebGpu: false };
    expect(readArguments(['electron', '/boxwright', '--vulkan', 'blood'], false, '/here')).toEqual(asked);
    expect(readArguments(['boxwright', '--vulkan', 'blood'], true, '/here')).toEqual(asked);
  });

  it('need not be any', () => {
    expect(readArguments(['electron', '/boxwright'], false, '/here')).toEqual({
      project: null,
      vulkan: false,
      unsafeWebGpu: false,
    });
  });
});

describe('the GPU switches', () => {
  function applied(argv: string[], platform: NodeJS.Platform) {
    const switches: string[][] = [];
    const commandLine = { appendSwitch: (...given: string[]) => switches.push(given) };
    applyGpuSwitches(commandLine as never, readArguments(['boxwright', ...argv], true, '/'), platform);
    return switches;
  }

  it('are none unless asked for, and none but on Linux', () => {
    expect(applied([], 'linux')).toEqual([]);
    expect(applied(['--vulkan', '--unsafe-webgpu'], 'win32')).toEqual([]);
    expect(applied(['--no-sandbox', '--disable-web-security'], 'linux')).toEqual([]);
  });

  it('are what was asked for, the unsafe one with a warning', () => {
    expect(applied(['--vulkan'], 'linux')).toEqual([['enable-features', 'Vulkan']]);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(applied(['--unsafe-webgpu'], 'linux')).toEqual([
      ['enable-features', 'Vulkan'],
      ['enable-unsafe-webgpu'],
    ]);
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
});
