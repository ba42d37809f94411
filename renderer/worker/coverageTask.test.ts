import { expect, it } from 'vitest';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import type { FromCoverage } from './coverageProtocol.ts';
import { coverageTask } from './coverageTask.ts';

const plan = { minSizePx: 64, maxSizePx: 64, anchorScale: 1 };
const image = { id: 'a', widthPx: 64, heightPx: 64, boxes: [] };

it('tells of its progress over all plans, and of each plan as it is done', () => {
  const news: FromCoverage[] = [];
  const task = {
    network: defaultNetworkOptions('nano', 2),
    plans: [plan, { ...plan, anchorScale: 0.5 }],
    images: Array.from({ length: 20 }, () => image),
  };
  coverageTask(task, (each) => news.push(each));
  const types = ['progress', 'progress', 'covered'];
  expect(news.map(({ type }) => type)).toEqual([...types, ...types]);
  expect(news[4]).toEqual({ type: 'progress', done: 36, total: 40 });
  expect(news[5]).toMatchObject({ result: { plan: task.plans[1], summary: { boxes: 0 } } });
});
