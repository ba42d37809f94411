/** What a person may ask of the desktop shell when starting it: `npm start -- [--vulkan] [--unsafe-webgpu] [PROJECT]`. */
import { resolve } from 'node:path';
import type { CommandLine } from 'electron';

export interface DesktopArguments {
  /** A project's folder to open instead of the last one, absolute. */
  readonly project: string | null;
  readonly vulkan: boolean;
  readonly unsafeWebGpu: boolean;
}

/** `argv` as Electron has it: its program, in a checkout Boxwright's folder, then the rest. Foreign switches are none of ours. */
export function readArguments(argv: readonly string[], packaged: boolean, cwd: string): DesktopArguments {
  const own = argv.slice(packaged ? 1 : 2);
  const project = own.find((argument) => !argument.startsWith('-'));
  return {
    project: project === undefined ? null : resolve(cwd, project),
    vulkan: own.includes('--vulkan'),
    unsafeWebGpu: own.includes('--unsafe-webgpu'),
  };
}

/**
 * Chromium hides WebGPU on some Linux drivers. Each switch is for one start only, so that one after which nothing shows is gone at the
 * next. No switch weakens the sandbox; there is no way to ask for one that does.
 */
export function applyGpuSwitches(
  commandLine: CommandLine,
  asked: DesktopArguments,
  platform: NodeJS.Platform,
): void {
  if (platform !== 'linux') return;
  if (asked.vulkan || asked.unsafeWebGpu) commandLine.appendSwitch('enable-features', 'Vulkan');
  if (asked.unsafeWebGpu) {
    console.warn(
      'WebGPU is on for a driver that Chromium has not approved: a page could crash or misuse it.',
    );
    commandLine.appendSwitch('enable-unsafe-webgpu');
  }
}
