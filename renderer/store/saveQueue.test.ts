import { beforeEach, describe, expect, it } from 'vitest';
import type { BoxRecord } from '../../shared/domain/box.ts';
import { Problem, type ProblemData } from '../../shared/domain/problem.ts';
import { editOf } from './edits.ts';
import { SaveQueue, type SaveState } from './saveQueue.ts';
import { ManualClock, MemoryHost, settled, testBox, testImage } from './testing/memoryHost.ts';

const diskFull = new Problem('disk-full', 'The disk is full.', 'Make room.');

describe('the save queue', () => {
  let host: MemoryHost;
  let clock: ManualClock;
  let states: SaveState[];
  let refused: ProblemData[];
  let queue: SaveQueue;

  beforeEach(() => {
    host = new MemoryHost();
    clock = new ManualClock();
    states = [];
    refused = [];
    host.add(testImage('a'));
    queue = new SaveQueue({
      client: host,
      after: clock.after,
      onState: (state) => states.push(state),
      onSaved: () => {},
      onRefused: (_operation, problem) => refused.push(problem),
    });
  });

  const draw = (id: string) => {
    const { image, boxes } = host.images.get('a')!;
    return editOf({ image, boxes }, 'Draw box', [{ before: null, after: testBox(id, 'a') }], image.state);
  };
  const add = (id: string) => queue.add({ kind: 'edit', edit: draw(id), gesture: null });
  const move = (from: BoxRecord, x: number) => {
    const after = { ...from, boxPx: [x, 20, x + 100, 80] as const };
    const { image, boxes } = host.images.get('a')!;
    const edit = editOf({ image, boxes }, 'Nudge box', [{ before: from, after }], image.state);
    queue.add({ kind: 'edit', edit, gesture: `nudge ${from.id}` });
    return after;
  };

  it('says saved only after the host has answered', async () => {
    add('one');
    expect(queue.state).toMatchObject({ status: 'saving', pending: 1 });
    await settled();
    expect(queue.state).toMatchObject({ status: 'saved', pending: 0 });
    expect(host.images.get('a')!.boxes.map(({ id }) => id)).toEqual(['one']);
  });

  it('keeps edits that fail, says why, and saves them in order once it can', async () => {
    host.fault = diskFull;
    add('one');
    add('two');
    await settled();
    expect(queue.state).toMatchObject({ status: 'failed', pending: 2, problem: { kind: 'disk-full' } });
    host.fault = null;
    await clock.pass(1000);
    await settled();
    expect(queue.state.status).toBe('saved');
    expect(host.images.get('a')!.boxes.map(({ id }) => id)).toEqual(['one', 'two']);
  });

  it('never calls a failed edit saved on the way', async () => {
    host.fault = diskFull;
    add('one');
    await settled();
    await clock.pass(1000);
    expect(states.map(({ status }) => status)).not.toContain('saved');
  });

  it('waits longer after each failure', async () => {
    host.fault = diskFull;
    add('one');
    await settled();
    await clock.pass(1000);
    expect(host.asked.length).toBe(2);
    await clock.pass(1000);
    expect(host.asked.length).toBe(2);
    await clock.pass(1000);
    expect(host.asked.length).toBe(3);
  });

  it('drops what the host refuses for ever, with the later edits of the same image, and says so', async () => {
    const stale = testBox('gone', 'a');
    const { image, boxes } = host.images.get('a')!;
    const edit = editOf({ image, boxes }, 'Delete box', [{ before: stale, after: null }], image.state);
    queue.add({ kind: 'edit', edit, gesture: null });
    add('later');
    await settled();
    expect(refused.map(({ kind }) => kind)).toEqual(['conflict']);
    expect(queue.state).toMatchObject({ status: 'saved', pending: 0 });
    expect(host.images.get('a')!.boxes).toEqual([]);
  });

  it('makes one edit of a row of nudges', async () => {
    const box = testBox('one', 'a');
    host.add(testImage('a'), [box]);
    const second = move(box, 11);
    move(second, 12);
    expect(host.asked).toEqual([]);
    await clock.pass(350);
    expect(host.asked).toEqual(['edits.apply']);
    expect(host.images.get('a')!.undo).toHaveLength(1);
    expect(host.images.get('a')!.boxes[0]!.boxPx).toEqual([12, 20, 112, 80]);
  });

  it('ends a row of nudges as soon as something else is done', async () => {
    const box = testBox('one', 'a');
    host.add(testImage('a'), [box]);
    move(box, 11);
    add('two');
    await settled();
    expect(host.images.get('a')!.undo).toHaveLength(2);
  });

  it('takes an edit whose answer was lost for saved when it finds it there', async () => {
    host.losesAnswers = true;
    add('one');
    await settled();
    expect(queue.state.status).toBe('failed');
    host.losesAnswers = false;
    await clock.pass(1000);
    await settled();
    expect(refused).toEqual([]);
    expect(queue.state.status).toBe('saved');
    expect(host.images.get('a')!.boxes).toHaveLength(1);
  });

  it('takes back only an edit that never left', async () => {
    host.fault = diskFull;
    add('one');
    add('two');
    await settled();
    expect(queue.takeBackUnsent('a')?.boxes[0]?.after?.id).toBe('two');
    expect(queue.takeBackUnsent('a')).toBeNull();
    expect(queue.state.pending).toBe(1);
  });
});
