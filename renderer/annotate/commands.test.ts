import { beforeEach, describe, expect, it } from 'vitest';
import { followImageList, useCanvas } from '../store/canvas.ts';
import { useImages } from '../store/images.ts';
import { useNotices } from '../store/notices.ts';
import { useProject } from '../store/project.ts';
import { MemoryHost, settled, testBox, testImage } from '../store/testing/memoryHost.ts';
import { useView } from './canvas/viewStore.ts';
import {
  boxInTheMiddle,
  chooseClassAt,
  copyFromPrevious,
  copySelected,
  cycleSelection,
  deleteSelected,
  drawBox,
  duplicateSelected,
  growSelected,
  nudge,
  paste,
  toggleFlag,
} from './commands.ts';
import { useClassSearch } from './panels/classSearchStore.ts';
import { acceptAll, acceptSelected } from './proposalCommands.ts';
import { markEmpty, markReviewed } from './reviewCommands.ts';

/** The stores are the app's own; only the host behind them is in memory, where the desktop's bridge would be. */
let host: MemoryHost;
Object.assign(globalThis, {
  boxwright: {
    request: async (name: never, params: never) => {
      try {
        return { ok: await host.request(name, params) };
      } catch (problem) {
        return { problem: { ...(problem as object), message: (problem as Error).message } };
      }
    },
    subscribe: () => () => {},
  },
});
followImageList(useCanvas, useImages);

const canvas = () => useCanvas.getState();
const selected = () => canvas().boxes.find(({ id }) => id === canvas().selectedId);
const notices = () => useNotices.getState().notices.map(({ message }) => message);
const proposal = (id: string, score: number) =>
  testBox(id, 'b', { status: 'proposal', origin: 'model', score, runId: 'run' });

beforeEach(async () => {
  host = new MemoryHost();
  host.add(testImage('a', { state: 'reviewed' }), [testBox('one', 'a'), testBox('two', 'a', { classId: 2 })]);
  host.add(testImage('b'), [proposal('sure', 0.9), proposal('unsure', 0.2)]);
  host.add(testImage('c'));
  useImages.getState().clear();
  canvas().discardUnsaved();
  await settled();
  useNotices.setState({ notices: [] });
  useProject.setState({ classes: host.classes });
  useView.getState().setStage({ width: 800, height: 600 });
  useView.getState().setImage({ width: 640, height: 480 });
  canvas().set({ classId: null, copied: null, minScore: 0, tool: 'select' });
  await useImages.getState().load();
  await settled();
});

async function open(id: string) {
  useImages.getState().openImage(id);
  await settled();
}

describe('drawing', () => {
  it('gives the first class where none is chosen, and selects the new box', () => {
    drawBox([1.2345, 2, 30, 40]);
    expect(selected()).toMatchObject({ classId: 1, boxPx: [1.23, 2, 30, 40], origin: 'person' });
  });

  it('asks for a class where the project has none, and keeps the box meanwhile', () => {
    useProject.setState({ classes: [] });
    drawBox([1, 2, 30, 40]);
    expect(useClassSearch.getState().question).toEqual({ kind: 'new-box', boxPx: [1, 2, 30, 40] });
    expect(canvas().boxes).toHaveLength(2);
  });

  it('works without a mouse', () => {
    boxInTheMiddle();
    growSelected(5, 0);
    nudge(0, -3);
    const [x1, y1, x2, y2] = selected()!.boxPx;
    expect(x2 - x1).toBe(y2 - y1 + 5);
    expect(y1).toBeGreaterThan(0);
  });
});

describe('the selected box', () => {
  it('changes its class by digit, and new boxes follow', () => {
    canvas().select('one');
    chooseClassAt(1);
    expect(selected()?.classId).toBe(2);
    expect(canvas().classId).toBe(2);
  });

  it('stays inside the image when nudged', () => {
    canvas().select('one');
    nudge(-500, 0);
    expect(selected()?.boxPx).toEqual([0, 20, 100, 80]);
  });

  it('never shrinks below one pixel', () => {
    canvas().select('one');
    growSelected(-500, -500);
    expect(selected()?.boxPx).toEqual([10, 20, 11, 21]);
  });

  it('toggles its marks', () => {
    canvas().select('one');
    toggleFlag('occluded');
    toggleFlag('ignore');
    toggleFlag('occluded');
    expect(selected()).toMatchObject({ occluded: false, ignore: true });
  });

  it('is duplicated beside itself, and pasted on another image in its place', async () => {
    canvas().select('one');
    duplicateSelected();
    expect(selected()?.boxPx).not.toEqual([10, 20, 110, 80]);
    canvas().select('one');
    copySelected();
    await open('c');
    paste();
    expect(selected()).toMatchObject({ imageId: 'c', boxPx: [10, 20, 110, 80], origin: 'person' });
  });

  it('goes round with Tab', () => {
    cycleSelection(1);
    expect(canvas().selectedId).toBe('one');
    cycleSelection(-1);
    expect(canvas().selectedId).toBe('two');
    cycleSelection(1);
    expect(canvas().selectedId).toBe('one');
  });
});

describe('proposals', () => {
  it('become labels that remember who drew them, and the next is selected', async () => {
    await open('b');
    acceptSelected();
    expect(canvas().selectedId).toBe('sure');
    acceptSelected();
    expect(canvas().boxes.find(({ id }) => id === 'sure')).toMatchObject({
      status: 'label',
      origin: 'model',
      score: 0.9,
      runId: 'run',
    });
    expect(canvas().selectedId).toBe('unsure');
    expect(canvas().image?.state).toBe('in-progress');
  });

  it('are rejected by Delete, which goes on to the next', async () => {
    await open('b');
    canvas().select('sure');
    deleteSelected();
    expect(canvas().boxes.map(({ id }) => id)).toEqual(['unsure']);
    expect(canvas().selectedId).toBe('unsure');
  });

  it('are accepted all at once only where they are sure enough', async () => {
    await open('b');
    canvas().set({ minScore: 0.5 });
    acceptAll();
    expect(canvas().boxes.map(({ status }) => status)).toEqual(['label', 'proposal']);
    await settled();
    expect(host.images.get('b')!.undo).toHaveLength(1);
  });
});

describe('reviewing', () => {
  it('never calls an image without boxes reviewed, let alone empty, by habit', async () => {
    await open('c');
    markReviewed();
    expect(canvas().image?.state).toBe('unlabelled');
    expect(notices()[0]).toContain('Press N');
  });

  it('calls an image empty on purpose, and goes on to the next to review', async () => {
    await open('c');
    markEmpty();
    await settled();
    expect(host.images.get('c')!.image.state).toBe('reviewed-empty');
    expect(useImages.getState().currentId).toBe('b');
  });

  it('does not call an image with boxes empty', () => {
    markEmpty();
    expect(canvas().image?.state).toBe('reviewed');
    expect(notices()[0]).toContain('2 boxes');
  });

  it('takes an accepted image as reviewed', async () => {
    await open('b');
    acceptAll();
    markReviewed();
    await settled();
    expect(host.images.get('b')!.image.state).toBe('reviewed');
    expect(useImages.getState().currentId).toBe('c');
  });
});

describe('copying from the previous image', () => {
  it('takes its labels once, as new boxes, in one undo', async () => {
    await open('b');
    await copyFromPrevious();
    await settled();
    const labels = canvas().boxes.filter(({ status }) => status === 'label');
    expect(labels.map(({ boxPx }) => boxPx)).toEqual([
      [10, 20, 110, 80],
      [10, 20, 110, 80],
    ]);
    expect(labels.map(({ id }) => id)).not.toContain('one');
    expect(host.images.get('b')!.undo).toHaveLength(1);
    await open('c');
    expect(canvas().boxes).toEqual([]);
  });
});
