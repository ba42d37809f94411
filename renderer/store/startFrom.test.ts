import { describe, expect, it } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';
import { backboneOf, chosenSource, createStartFromStore } from './startFrom.ts';

const unchosen = { runId: null, path: null, publishedId: null };
const run = (id: string, checkpointStep: number | null): RunRecord => ({
  ...{ id, name: id, createdAt: '', status: 'done', classIds: [1], classNames: ['RBC'], step: 9 },
  ...{ config: { ...defaultTrainConfig, backbone: 'resnet18' }, checkpointStep, AP50: null, problem: null },
});
const describedAs = (backbone: string) => ({ network: { backbone } }) as unknown as WeightsDescription;

describe('the choice of starting weights', () => {
  it('is made where all of it is, and of runs the newest with weights unless another is chosen', () => {
    const runs = [run('c', null), run('b', 4), run('a', 9)];
    expect(chosenSource({ ...unchosen, kind: 'random' }, runs)).toEqual({ kind: 'random' });
    expect(chosenSource({ ...unchosen, kind: 'run' }, runs)).toEqual({ kind: 'run', runId: 'b' });
    expect(chosenSource({ ...unchosen, kind: 'run', runId: 'a' }, runs)).toEqual({ kind: 'run', runId: 'a' });
    expect(chosenSource({ ...unchosen, kind: 'run', runId: 'gone' }, runs)).toBeNull();
    expect(chosenSource({ ...unchosen, kind: 'run' }, [])).toBeNull();
    expect(chosenSource({ ...unchosen, kind: 'file' }, runs)).toBeNull();
    expect(chosenSource({ ...unchosen, kind: 'published' }, runs)).toBeNull();
  });

  it('shows what the newest look into a file found, whichever answer comes last', async () => {
    const answers: ((description: WeightsDescription) => void)[] = [];
    const request = () => new Promise((resolve) => answers.push(resolve));
    const store = createStartFromStore({ request } as unknown as Client);
    store.getState().chooseFile('/a.pth');
    store.getState().chooseFile('/a.pth');
    answers[1]!(describedAs('resnet34'));
    answers[0]!(describedAs('resnet18'));
    await new Promise((resolve) => setTimeout(resolve));
    expect(store.getState().inspections).toEqual({
      'file:/a.pth': { phase: 'ready', description: describedAs('resnet34') },
    });
  });

  it('keeps why a file was refused, and forgets what is gone', async () => {
    const refusal = new Problem('bad-input', 'No weights.', 'Choose another.');
    const store = createStartFromStore({ request: () => Promise.reject(refusal) } as unknown as Client);
    await store.getState().inspect({ kind: 'published', id: 'x' });
    expect(store.getState().inspections['published:x']).toMatchObject({ phase: 'failed' });
    store.getState().forget('published:x');
    expect(store.getState().inspections).toEqual({});
  });
});

describe('the backbone of a run', () => {
  const asked: unknown[] = [];
  const client = {
    request: async (_name: string, params: unknown) => {
      asked.push(params);
      return describedAs('resnet101');
    },
  } as unknown as Client;
  const tools = { client, runs: () => [run('a', 9)] };

  it('is that of the weights, looked at again before the run begins', async () => {
    expect(await backboneOf({ init: 'random', backbone: 'nano' }, tools)).toBe('nano');
    expect(await backboneOf({ init: 'a', backbone: 'nano' }, tools)).toBe('resnet18');
    expect(asked).toEqual([]);
    expect(await backboneOf({ init: 'file:/w.pth', backbone: 'nano' }, tools)).toBe('resnet101');
    expect(asked).toEqual([{ source: { kind: 'file', path: '/w.pth' } }]);
    await expect(backboneOf({ init: 'gone', backbone: 'nano' }, tools)).rejects.toThrow('no longer');
  });
});
