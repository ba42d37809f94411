import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Handlers } from '../../shared/contract/requests.ts';
import { dataPath } from './dataPath.ts';
import { openFirstProject } from './firstProject.ts';
import { findInstallation } from './installation.ts';
import { requestLimitBytes } from './requestLimits.ts';

describe('the data path', () => {
  it('is each system’s own place', () => {
    expect(dataPath({}, 'linux', '/home/ada')).toBe('/home/ada/.local/share/boxwright');
    expect(dataPath({ XDG_DATA_HOME: '/xdg' }, 'linux', '/home/ada')).toBe('/xdg/boxwright');
    expect(dataPath({}, 'darwin', '/Users/ada')).toBe('/Users/ada/Library/Application Support/Boxwright');
    expect(dataPath({ APPDATA: '/Roaming' }, 'win32', '/ada')).toBe('/Roaming/Boxwright');
    expect(dataPath({}, 'win32', '/ada')).toBe('/ada/AppData/Roaming/Boxwright');
  });

  it('is what BOXWRIGHT_DATA says, made absolute', () => {
    expect(dataPath({ BOXWRIGHT_DATA: '/elsewhere', XDG_DATA_HOME: '/xdg' }, 'linux', '/home/ada')).toBe(
      '/elsewhere',
    );
    expect(dataPath({ BOXWRIGHT_DATA: 'here' }, 'linux', '/home/ada')).toBe(join(process.cwd(), 'here'));
  });
});

describe('the installation', () => {
  it('is this checkout', () => {
    expect(findInstallation()).toMatchObject({
      hasSources: true,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
  });

  it('is found from a bundle, past other packages, with or without sources', async () => {
    const root = await mkdtemp(join(tmpdir(), 'boxwright-installed-'));
    await mkdir(join(root, 'dist', 'terminal'), { recursive: true });
    await writeFile(join(root, 'package.json'), '{"name":"boxwright","version":"3.2.1"}');
    await writeFile(join(root, 'dist', 'package.json'), '{"name":"other"}');
    const bundle = pathToFileURL(join(root, 'dist', 'terminal', 'boxwright.js')).href;
    expect(findInstallation(bundle)).toEqual({ root, version: '3.2.1', hasSources: false });
    await writeFile(join(root, 'package.json'), '{"name":"someone-else"}');
    expect(() => findInstallation(bundle)).toThrow(/No package\.json of Boxwright above/);
    await rm(root, { recursive: true, force: true });
  });
});

describe('the first project', () => {
  function opened(recent: { path: string; exists: boolean }[], asked: string | null = null) {
    const calls: string[] = [];
    const handlers = {
      'projects.recent': async () => recent,
      'projects.open': async ({ path }: { path: string }) => calls.push(path),
      'projects.openSample': async () => calls.push('sample'),
    } as unknown as Handlers;
    return openFirstProject(handlers, asked).then(() => calls);
  }

  it('is the sample on the first run, then the last one that still exists', async () => {
    expect(await opened([])).toEqual(['sample']);
    const recent = [
      { path: '/gone', exists: false },
      { path: '/here', exists: true },
      { path: '/older', exists: true },
    ];
    expect(await opened(recent)).toEqual(['/here']);
    expect(await opened(recent.slice(0, 1))).toEqual(['sample']);
  });

  it('is the one asked for', async () => {
    expect(await opened([{ path: '/here', exists: true }], '/asked')).toEqual(['/asked']);
  });
});

it('lets a checkpoint of ResNet-50 with its momentum through, and nothing else as large', () => {
  expect(requestLimitBytes('runs.saveCheckpoint')).toBeGreaterThan(2 * 37_000_000 * 4);
  expect(requestLimitBytes('images.open')).toBeLessThan(100 * 1024 * 1024);
});
