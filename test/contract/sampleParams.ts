/** One valid set of parameters for each request, with the awkward characters and values real ones have. */
import type { RequestName, RequestParams } from '../../shared/contract/requests.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { standInAnswers } from '../support/standInWorkstation.ts';

const imageId = 'image-1';
const runId = 'run-1';
const [box] = standInAnswers['images.open'].boxes;
if (!box) throw new Error('the stand-in has no box');

export const sampleParams: { readonly [N in RequestName]: RequestParams<N> } = {
  'app.info': {},
  'tunings.read': { key: 'NVIDIA Ampere / 1' },
  'tunings.write': { key: 'NVIDIA Ampere / 1', text: '{"conv 3x3":"8×8"}' },
  'projects.recent': {},
  'projects.current': {},
  'projects.create': { path: '/projects/größe “x”', name: '<img src=x onerror=alert(1)>' },
  'projects.open': { path: 'C:\\Projects\\blood' },
  'projects.openSample': {},
  'projects.close': {},
  'folders.list': { path: null, files: 'weights' },
  'images.list': {},
  'images.open': { imageId },
  'images.addFolder': { path: '/photos' },
  'images.findMoved': { path: '/photos' },
  'images.setSplit': { imageIds: [imageId], split: null },
  'images.pixels': { imageId },
  'images.derivative': { imageId, variant: 'thumb' },
  'edits.apply': {
    edit: {
      imageId,
      label: 'Draw box',
      boxes: [{ before: null, after: { ...box, boxPx: [0.1, -7, 1e-9, 123456.789] } }],
      state: { before: 'unlabelled', after: 'in-progress' },
    },
  },
  'edits.undo': { imageId },
  'edits.redo': { imageId },
  'classes.list': {},
  'classes.add': { name: '白血球' },
  'classes.update': { id: 1, color: '#0072b2' },
  'classes.reorder': { ids: [2, 1] },
  'classes.remove': { id: 1 },
  'import.start': { source: '/data', format: 'voc', dialect: 'spec', dryRun: true },
  'export.start': { dest: '/out', format: 'yolo', split: 'val' },
  'jobs.list': {},
  'jobs.cancel': { jobId: 'job-1' },
  'training.data': { includeUnreviewed: true },
  'runs.list': {},
  'runs.create': { config: defaultTrainConfig, classIds: [1], classNames: ['RBC'] },
  'runs.update': { runId, status: 'paused' },
  'runs.remove': { runId },
  'runs.append': { runId, events: [{ event: 'checkpoint', step: 3, path: 'runs/run-1/3' }] },
  'runs.events': { runId, from: 4_194_304 },
  'runs.saveCheckpoint': {
    runId,
    step: 3,
    meta: { nested: { list: [1, 2.5, null] } },
    weightsLength: 256,
    bytes: Uint8Array.from({ length: 512 }, (_, i) => 255 - (i % 256)),
  },
  'runs.loadCheckpoint': { runId },
  'races.list': {},
  'races.create': {
    order: 'interleaved',
    classIds: [1],
    classNames: ['RBC'],
    entries: [
      { label: 'Focal loss, γ 2', config: defaultTrainConfig },
      { label: '<b>Cross-entropy</b>', config: { ...defaultTrainConfig, loss: 'ce' } },
    ],
  },
  'races.update': {
    raceId: 'race-1',
    tuned: { runId, learningRate: 0.03, trials: [{ learningRate: 0.03, steps: 5, AP50: null, loss: null }] },
  },
  'races.remove': { raceId: 'race-1', runs: true },
  'weights.published': {},
  'weights.download': { id: 'resnet18' },
  'weights.forget': { id: 'resnet18' },
  'weights.inspect': { source: { kind: 'file', path: '/weights/größe “x”.pth' } },
  'weights.read': { source: { kind: 'published', id: 'resnet18' } },
  'weights.export': { runId, step: 3, dest: '/out', format: 'onnx' },
  'proposals.replace': {
    imageId,
    runId: null,
    detections: [{ classId: 1, boxPx: [1, 2, 3, 4], score: 0.123456789012345 }],
  },
};
