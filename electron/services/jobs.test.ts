import { describe, expect, it } from 'vitest';
import type { Job } from '../../shared/contract/schemas.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { Jobs, throwIfCancelled } from './jobs.ts';

const report = { images: 1, boxes: 0, classes: [], negatives: 0, unlabelled: 1, problems: [] };

describe('jobs', () => {
  it('tells the beginning and the end, and lists what went wrong on the way', async () => {
    const told: Job[] = [];
    const jobs = new Jobs((job) => told.push(job));
    const { id, state } = jobs.start('import', async (job) => {
      job.progress(1, 2, 'a.jpg');
      job.problem({ file: 'b.jpg', kind: 'bad-input', detail: 'b.jpg is a text file.' });
      return report;
    });
    expect(state).toBe('running');
    const ended = await jobs.finished(id);
    expect(ended).toMatchObject({ state: 'done', done: 1, total: 2, message: 'a.jpg', report });
    expect(ended.problems.map(({ file }) => file)).toEqual(['b.jpg']);
    expect([told[0]!.state, told.at(-1)]).toEqual(['running', ended]);
  });

  it('ends as failed with the Problem that was thrown', async () => {
    const jobs = new Jobs();
    const { id } = jobs.start('export', async () => {
      throw new Problem('disk-full', 'The disk is full.', 'Free some space.');
    });
    expect(await jobs.finished(id)).toMatchObject({
      ...{ state: 'failed', error: { kind: 'disk-full', message: 'The disk is full.' }, report: null },
    });
  });

  it('can be cancelled, and a cancelled job has no error', async () => {
    const jobs = new Jobs();
    const { id } = jobs.start('add-images', async (job) => {
      for (;;) {
        throwIfCancelled(job.signal);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    jobs.cancel(id);
    expect(await jobs.finished(id)).toMatchObject({ state: 'cancelled', error: null });
    jobs.cancel(id);
    expect(() => jobs.cancel('nothing')).toThrow('There is no job "nothing".');
  });

  it('does not shout', async () => {
    let count = 0;
    const jobs = new Jobs(() => count++);
    const { id } = jobs.start('import', async (job) => {
      for (let at = 0; at < 5000; at++) job.progress(at, 5000, `${at}.jpg`);
      return null;
    });
    expect((await jobs.finished(id)).done).toBe(4999);
    expect(count).toBeLessThan(20);
  });

  it('counts the problems it does not list', async () => {
    const jobs = new Jobs();
    const { id } = jobs.start('import', async (job) => {
      for (let at = 0; at < 1200; at++) job.problem({ file: `${at}`, kind: 'x', detail: 'y' });
      return null;
    });
    const { problems } = await jobs.finished(id);
    expect(problems).toHaveLength(501);
    expect(problems.at(-1)!.detail).toBe('700 more problems are not listed.');
  });

  it('forgets the oldest that have ended', async () => {
    const jobs = new Jobs();
    for (let count = 0; count < 60; count++) {
      await jobs.finished(jobs.start('import', async () => null).id);
    }
    expect(jobs.list()).toHaveLength(50);
  });
});
