/**
 * The rooms of the house and who may know whom, as data. The plan is in docs/architecture.md; a change here is a change of the plan.
 * Imports count whether they bring values or types: a room that knows another one's types knows that room.
 */

export interface Room {
  /** Folder, or one file. The longest one that fits a file is its room. */
  readonly path: string;
  /** Rooms and folders of rooms it may import besides itself. */
  readonly imports: readonly string[];
  /** npm packages, by name. */
  readonly packages: readonly string[];
  /** Node's own modules. */
  readonly node: boolean;
}

const tfjs = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-webgl',
  '@tensorflow/tfjs-backend-webgpu',
];

/** Each imports only those before it. */
const sharedOrder: readonly (readonly [name: string, packages: readonly string[]])[] = [
  ['domain', []],
  ['detector', []],
  ['loss', []],
  ['charts', []],
  ['formats', ['fast-xml-parser', 'yaml']],
  ['weights', ['@bufbuild/protobuf']],
  ['reference', tfjs],
  ['engine', []],
  ['evaluation', []],
  ['training', ['zod']],
  ['race', ['zod']],
  ['contract', ['zod']],
];

const shared: readonly Room[] = sharedOrder.map(([name, packages], place) => ({
  path: `shared/${name}`,
  imports: sharedOrder.slice(0, place).map(([earlier]) => `shared/${earlier}`),
  packages,
  node: false,
}));

const electron: readonly Room[] = [
  {
    path: 'electron/services',
    imports: ['shared'],
    packages: ['sharp', 'stream-json', 'zod'],
    node: true,
  },
  // What every shell needs and none owns: where things lie, the built screens, their headers, limits.
  { path: 'electron/host', imports: ['shared'], packages: ['zod'], node: true },
  { path: 'electron/launch', imports: ['shared/domain', 'electron/host'], packages: [], node: true },
  {
    path: 'electron/web',
    imports: ['shared', 'electron/services', 'electron/host', 'electron/launch'],
    packages: ['open', 'ws'],
    node: true,
  },
  {
    path: 'electron/desktop',
    imports: ['shared', 'electron/services', 'electron/host'],
    packages: ['electron', 'zod'],
    node: true,
  },
  {
    path: 'electron/terminal',
    imports: ['shared', 'electron/services', 'electron/host', 'electron/web'],
    packages: ['commander', 'sharp', 'webgpu', 'zod', ...tfjs],
    node: true,
  },
];

/** What a screen is made of. A state that only one screen has may live beside it. */
const screen = ['react', 'react-dom', '@mantine/core', '@mantine/hooks', '@tabler/icons-react', 'zustand'];

function rendererRoom(name: string, imports: readonly string[], packages: readonly string[]): Room {
  return {
    path: `renderer/${name}`,
    imports: ['shared', ...imports.map((room) => `renderer/${room}`)],
    packages,
    node: false,
  };
}

const renderer: readonly Room[] = [
  rendererRoom('bridge', [], []),
  rendererRoom('worker', ['bridge'], tfjs),
  rendererRoom('store', ['bridge', 'worker'], ['zustand', 'flatbush']),
  rendererRoom('balance', [], [...screen, 'uplot']),
  rendererRoom('annotate', ['bridge', 'store'], [...screen, 'konva', 'flatbush', '@tanstack/react-virtual']),
  rendererRoom('train', ['bridge', 'store', 'worker', 'balance'], [...screen, 'uplot']),
  rendererRoom('review', ['bridge', 'store', 'worker', 'annotate'], [...screen, '@tanstack/react-virtual']),
  rendererRoom(
    'app',
    ['bridge', 'store', 'worker', 'balance', 'annotate', 'train', 'review'],
    [...screen, '@mantine/notifications'],
  ),
  {
    path: 'renderer/main.tsx',
    imports: ['renderer/app'],
    packages: [...screen, '@mantine/notifications'],
    node: false,
  },
];

export const rooms: readonly Room[] = [...shared, ...electron, ...renderer];

/** Words that only some rooms may use, told apart from comments. */
export interface WordRule {
  readonly word: RegExp;
  /** Where the rule holds. */
  readonly within: readonly string[];
  /** Where, within that, it does not. */
  readonly except: readonly string[];
  readonly because: string;
}

export const wordRules: readonly WordRule[] = [
  {
    word: /\brequest(?:Adapter|Device)\b/,
    within: ['shared', 'electron', 'renderer'],
    except: ['renderer/worker', 'electron/terminal'],
    because: 'only renderer/worker and electron/terminal obtain a device',
  },
  {
    word: /\bMath\.random\b|\bcrypto\b/,
    within: ['shared'],
    except: [],
    because: 'shared/ has no randomness of its own: it is told a seed',
  },
  {
    word: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(?:Timeout|Interval)\b/,
    within: ['shared'],
    except: [],
    because: 'shared/ has no clock of its own: it is told one',
  },
];

/** Tests may know everything; nothing may know a test. Build configurations run before the house stands. */
export const testFile = /\.test\.tsx?$|^test\//;
export const configFile = /(?:^|\/)vite(?:st)?(?:\.[\w-]+)?\.config\.ts$/;
