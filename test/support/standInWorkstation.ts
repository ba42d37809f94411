/**
 * A workstation without a disk: every request answers a valid value and is written down. What a transport is tested with,
 * so that a failure is the transport's.
 */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Handlers, RequestName, RequestResult } from '../../shared/contract/requests.ts';
import type { Job, RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import type { ClassRecord } from '../../shared/domain/classes.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import type { ProjectSummary } from '../../shared/domain/project.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { publishedWeights } from '../../shared/weights/published.ts';

export interface StandInWorkstation {
  readonly handlers: Handlers;
  readonly calls: { name: RequestName; params: unknown }[];
  subscribe(listener: (event: HostEvent) => void): () => void;
  emit(event: HostEvent): void;
  readonly listenerCount: number;
  /** The next request of this name rejects with `error`. */
  failNext(name: RequestName, error: unknown): void;
  /** The next request of this name answers `result`. */
  answerNext<N extends RequestName>(name: N, result: RequestResult<N>): void;
  readonly closed: boolean;
  close(): Promise<void>;
}

const project: ProjectSummary = {
  name: 'Blood',
  path: '/projects/blood',
  imageCount: 1,
  labelCount: 1,
  proposalCount: 0,
  countByState: { unlabelled: 0, 'in-progress': 1, reviewed: 0, 'reviewed-empty': 0 },
  missingCount: 0,
  isSample: false,
};
const image: ImageRecord = {
  id: 'image-1',
  relativePath: 'images/größe <b>.png',
  contentHash: 'ab'.repeat(32),
  widthPx: 640,
  heightPx: 480,
  state: 'in-progress',
  split: 'train',
  missing: false,
  labelCount: 1,
  proposalCount: 0,
};
const box: RequestResult<'images.open'>['boxes'][number] = {
  id: 'box-1',
  imageId: image.id,
  classId: 1,
  boxPx: [10, 20, 110.5, 220.25],
  status: 'label',
  origin: 'person',
  score: null,
  runId: null,
  ignore: false,
  difficult: false,
  occluded: false,
  truncated: false,
};
const redCell: ClassRecord = { id: 1, name: '<img onerror=alert(1)>', color: '#d55e00', order: 0 };
const job: Job = {
  id: 'job-1',
  kind: 'import',
  state: 'running',
  done: 1,
  total: null,
  message: 'a.jpg',
  problems: [],
  error: null,
  report: null,
};
const run: RunRecord = {
  id: 'run-1',
  name: 'Run 1',
  createdAt: '2026-01-02T03:04:05.000Z',
  status: 'running',
  config: defaultTrainConfig,
  classIds: [1],
  classNames: [redCell.name],
  step: 0,
  checkpointStep: null,
  AP50: null,
  problem: null,
};
const race: RaceRecord = {
  id: 'race-1',
  name: 'Race 1',
  createdAt: run.createdAt,
  order: 'interleaved',
  entries: [
    { label: 'Focal loss, γ 2', runId: run.id, trials: [] },
    {
      label: '<b>Cross-entropy</b>',
      runId: 'run-2',
      trials: [{ learningRate: 0.03, steps: 5, AP50: null, loss: null }],
    },
  ],
  firstStep: null,
};
const opened = { image, boxes: [box], history: { undo: 'Draw box', redo: null } };
/** Every byte value, so that no transport can pass by treating bytes as text. */
const everyByte = Uint8Array.from({ length: 768 }, (_, i) => i % 256);

/** One valid answer to each request. */
export const standInAnswers: { readonly [N in RequestName]: RequestResult<N> } = {
  'app.info': { version: '0.0.0', shell: 'web', platform: 'linux', homePath: '/home/user' },
  'tunings.read': { text: '{"conv 3x3":"8×8"}' },
  'tunings.write': {},
  'projects.recent': [{ name: project.name, path: project.path, exists: true }],
  'projects.current': project,
  'projects.create': project,
  'projects.open': project,
  'projects.openSample': project,
  'projects.close': {},
  'folders.list': {
    path: '/home/user',
    parent: '/home',
    imageCount: 0,
    isProject: false,
    folders: [{ name: 'blood', path: '/home/user/blood', isProject: true }],
    files: [{ name: 'größe.pth', path: '/home/user/größe.pth', bytes: 136_595_076 }],
  },
  'images.list': [image],
  'images.open': opened,
  'images.addFolder': job,
  'images.findMoved': job,
  'images.setSplit': {},
  'images.pixels': { widthPx: 16, heightPx: 16, bytes: everyByte },
  'images.derivative': { mime: 'image/webp', widthPx: 16, heightPx: 16, bytes: everyByte },
  'edits.apply': { image, history: opened.history },
  'edits.undo': opened,
  'edits.redo': opened,
  'classes.list': [redCell],
  'classes.add': redCell,
  'classes.update': redCell,
  'classes.reorder': [redCell],
  'classes.remove': {},
  'import.start': job,
  'export.start': job,
  'jobs.list': [job],
  'jobs.cancel': {},
  'training.data': { classIds: [1], classes: [redCell.name], train: [], validation: [] },
  'runs.list': [run],
  'runs.create': run,
  'runs.update': run,
  'runs.remove': {},
  'runs.append': {},
  'runs.events': { events: [{ event: 'paused', step: 3 }], next: null },
  'runs.saveCheckpoint': { path: 'runs/run-1/checkpoint-3' },
  'runs.loadCheckpoint': { step: 3, meta: { adapter: 'none' }, weightsLength: 256, bytes: everyByte },
  'races.list': {
    races: [race],
    problems: [{ kind: 'damaged', message: 'race-2 is damaged.', remedy: 'Look.', detail: '' }],
  },
  'races.create': race,
  'races.update': race,
  'races.remove': {},
  'weights.published': publishedWeights.map(({ id, fileName, bytes }, index) => ({
    id,
    state: (['ready', 'partial', 'absent'] as const)[index % 3]!,
    haveBytes: [bytes, 1_000_000, 0][index % 3]!,
    path: `/data/weights/${fileName}`,
  })),
  'weights.download': {
    ...job,
    kind: 'download-weights',
    total: 46_830_571,
    message: 'resnet18-f37072fd.pth',
  },
  'weights.forget': {},
  'weights.inspect': {
    ...{ name: 'größe.pth', format: 'torch', layout: 'torchvision', content: 'retinanet' },
    network: defaultNetworkOptions('resnet50', 5),
    ...{ classColumns: 5, classNames: ['a', 'b', 'c', 'd', redCell.name], tensorCount: 295 },
    ...{ parameterCount: 34_014_999, fileBytes: 136_595_076, missing: [], extra: ['ema.decay'] },
    notes: ['The dictionary “model” was taken.'],
  },
  'weights.read': { name: 'resnet18-f37072fd.pth', meta: { classes: ['a'], step: 3 }, bytes: everyByte },
  'weights.export': {
    ...job,
    kind: 'export-weights',
    state: 'done',
    report: { files: ['/out/a.onnx'], bytes: 9 },
  },
  'proposals.replace': opened,
};

export function createStandInWorkstation(): StandInWorkstation {
  const calls: StandInWorkstation['calls'] = [];
  const listeners = new Set<(event: HostEvent) => void>();
  let closed = false;
  const failures = new Map<RequestName, unknown>();
  const answers = new Map<RequestName, unknown>();
  const answer = async (name: RequestName, params: unknown) => {
    calls.push({ name, params });
    if (failures.has(name)) {
      const error = failures.get(name);
      failures.delete(name);
      throw error;
    }
    const once = answers.get(name);
    answers.delete(name);
    return once ?? standInAnswers[name];
  };
  const names = Object.keys(standInAnswers) as RequestName[];
  const handlers = Object.fromEntries(
    names.map((name) => [name, (params: unknown) => answer(name, params)]),
  ) as unknown as Handlers;
  return {
    handlers,
    calls,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    get listenerCount() {
      return listeners.size;
    },
    failNext: (name, error) => failures.set(name, error),
    answerNext: (name, result) => answers.set(name, result),
    get closed() {
      return closed;
    },
    async close() {
      closed = true;
    },
  };
}

/** The raw bytes of the first request it was sent. */
export function receivedBytes(workstation: StandInWorkstation): Uint8Array {
  const params = workstation.calls[0]?.params as { bytes?: unknown } | undefined;
  if (!(params?.bytes instanceof Uint8Array)) throw new Error('no request with bytes arrived');
  return params.bytes;
}
