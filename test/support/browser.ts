/**
 * A headless Chromium that comes out of npm, with WebGPU on SwiftShader (its software Vulkan): what end-to-end tests and
 * screenshots run in. Linux x64; elsewhere `browserPath` says what is missing and tests skip, saying so.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Chromium's own switches. None of them weakens what a page may do; `--no-sandbox` lets it run as root in a container. */
const chromiumArguments = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--font-render-hinting=none',
  '--disable-domain-reliability',
  '--no-pings',
];

/** The packed Chromium is for Linux on x64. */
export const browserSupported = process.platform === 'linux' && process.arch === 'x64';

export interface OpenBrowserOptions {
  readonly widthPx?: number;
  readonly heightPx?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly deviceScaleFactor?: number;
  /** More switches, for a test about them. */
  readonly args?: readonly string[];
}

export interface OpenedBrowser {
  readonly browser: Browser;
  /** A first page in a fresh profile. */
  readonly page: Page;
  /** What pages said through the console and uncaught errors, oldest first: for a failing test's message. */
  readonly log: readonly string[];
  newPage(options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
}

export async function openBrowser(options: OpenBrowserOptions = {}): Promise<OpenedBrowser> {
  const folder = await unpackedChromium();
  const browser = await chromium.launch({
    executablePath: join(folder, 'chromium'),
    headless: true,
    args: [...chromiumArguments, ...(options.args ?? [])],
    env: await chromiumEnvironment(folder),
  });
  const log: string[] = [];
  const newPage = async (contextOptions: BrowserContextOptions = {}) => {
    const context = await browser.newContext({
      viewport: { width: options.widthPx ?? 1440, height: options.heightPx ?? 900 },
      colorScheme: options.colorScheme ?? 'light',
      deviceScaleFactor: options.deviceScaleFactor ?? 1,
      ...contextOptions,
    });
    const page = await context.newPage();
    page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => log.push(`uncaught: ${error.stack ?? error.message}`));
    return page;
  };
  try {
    return { browser, page: await newPage(), log, newPage, close: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** The folder with the executable and its libraries, unpacked once per version below `node_modules/.cache`. */
async function unpackedChromium(): Promise<string> {
  if (!browserSupported) {
    throw new Error(`The tests' Chromium runs on Linux x64, not on ${process.platform} ${process.arch}.`);
  }
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@sparticuz/chromium');
  const packageFolder = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const cache = join(repository, 'node_modules', '.cache', 'boxwright-chromium');
  const folder = join(cache, version);
  if (existsSync(join(folder, 'chromium'))) return folder;

  // Unpacked beside its place and renamed, so that a test run killed half-way leaves nothing that looks whole.
  const partial = join(cache, `${version}.${randomUUID()}`);
  await mkdir(partial, { recursive: true });
  await inflateAll(entry, join(packageFolder, 'bin'), partial);
  try {
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another run was quicker.
    if (!existsSync(join(folder, 'chromium'))) throw error;
  }
  return folder;
}

/** The package unpacks to the system's temporary folder, wherever that is: a child process is told it is `target`. */
async function inflateAll(entry: string, bin: string, target: string): Promise<void> {
  const archives = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'];
  const script = `
    import { inflate } from ${JSON.stringify(pathToFileURL(entry).href)};
    for (const archive of ${JSON.stringify(archives.map((name) => join(bin, name)))}) await inflate(archive);`;
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, TMPDIR: target },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`Chromium could not be unpacked: ${complaint}`)),
    );
  });
}

/** The package brings NSS and fonts, which a bare server lacks. */
async function chromiumEnvironment(folder: string): Promise<Record<string, string>> {
  const runtime = join(folder, 'run');
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    ...inherited,
    LD_LIBRARY_PATH: [join(folder, 'al2023', 'lib'), inherited.LD_LIBRARY_PATH].filter(Boolean).join(':'),
    FONTCONFIG_FILE: await fontConfiguration(folder, runtime),
    XDG_RUNTIME_DIR: runtime,
  };
}

/**
 * The package's own configuration looks for its fonts in folders of a cloud function. Without any font Chromium draws no
 * letters, and ends itself at the first input field.
 */
async function fontConfiguration(folder: string, runtime: string): Promise<string> {
  const file = join(folder, 'fonts.conf');
  const text = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts', 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(runtime, 'fonts')}</cachedir>
</fontconfig>
`;
  const current = await readFile(file, 'utf8').catch(() => '');
  if (current !== text) await writeFile(file, text);
  return file;
}
