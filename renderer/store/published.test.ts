import { describe, expect, it } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { Job, PublishedState } from '../../shared/contract/schemas.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { publishedWeights } from '../../shared/weights/published.ts';
import { createPublishedStore, rateOf } from './published.ts';

const { id, fileName, bytes } = publishedWeights[0]!;
const running: Job = {
  ...{ id: 'job-1', kind: 'download-weights', state: 'running', done: 0, total: bytes },
  ...{ message: fileName, problems: [], error: null, report: null },
};

function setUp() {
  let state: PublishedState = { id, state: 'absent', haveBytes: 0, path: '/w' };
  let nowMs = 0;
  let refusal: Problem | null = null;
  const put: Job[] = [];
  const client = {
    request: async (name: string) => {
      if (refusal) throw refusal;
      if (name === 'weights.published') return [state];
      return name === 'weights.download' ? running : {};
    },
  } as unknown as Client;
  const store = createPublishedStore({
    client,
    now: () => nowMs,
    jobs: () => ({ put: (job) => put.push(job) }),
  });
  return {
    store,
    put,
    become: (next: Partial<PublishedState>) => (state = { ...state, ...next }),
    refuse: (problem: Problem | null) => (refusal = problem),
    at: (ms: number) => (nowMs = ms),
  };
}

describe('published weights', () => {
  it('are downloaded as a job whose rate is known, and are asked for again when it ends', async () => {
    const { store, put, become, at } = setUp();
    await store.getState().load();
    expect(store.getState().states[id]?.state).toBe('absent');
    await store.getState().download(id);
    expect(put).toEqual([running]);
    for (const seconds of [0, 1, 2]) {
      at(seconds * 1000);
      store.getState().hear({ ...running, done: seconds * 3_000_000 });
    }
    expect(rateOf(store.getState().samples['job-1']!)).toBe(3_000_000);
    become({ state: 'ready', haveBytes: bytes });
    store.getState().hear({ ...running, state: 'done', done: bytes });
    await expect.poll(() => store.getState().states[id]?.state).toBe('ready');
  });

  it('know a download that began before the page was opened by its file', () => {
    const { store } = setUp();
    store.getState().hear({ ...running, id: 'job-9' });
    expect(store.getState().jobIds).toEqual({ [id]: 'job-9' });
  });

  it('say why a request was refused until the next one is not', async () => {
    const { store, refuse } = setUp();
    refuse(new Problem('offline', 'No network.', 'Plug it in.'));
    await store.getState().download(id);
    expect(store.getState().problems[id]?.message).toBe('No network.');
    refuse(null);
    await store.getState().download(id);
    expect(store.getState().problems[id]).toBeUndefined();
  });

  it('have no rate from a single moment, nor from none', () => {
    expect(rateOf([])).toBeNull();
    expect(rateOf([{ atMs: 5, bytes: 100 }])).toBeNull();
    const still = [0, 1000].map((atMs) => ({ atMs, bytes: 100 }));
    expect(rateOf(still)).toBeNull();
  });
});
