import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindScratch, type KernelCall } from '../plan/call.ts';
import { livesOf, planArena } from './arena.ts';
import { alignmentWords } from './packing.ts';

type Use = readonly [id: string, words: number, access: 'read' | 'read-write'];

function call(...uses: readonly Use[]): KernelCall {
  const bindings = uses.map(([id, words, access]) => bindScratch(id, words, access));
  return { label: 'test', code: '', bindings, uniforms: null, workgroups: [1, 1, 1], flops: 0 };
}

/** No two ids that are alive at one call may share a word. */
function expectApart(calls: readonly KernelCall[], pinned: ReadonlySet<string>, limit: number): void {
  const { places, slabWords } = planArena(calls, pinned, limit);
  const lives = livesOf(calls, pinned).map((life) => ({ ...life, ...places.get(life.id)! }));
  for (const [index, one] of lives.entries()) {
    expect(one.offsetWords % alignmentWords).toBe(0);
    expect(one.offsetWords + one.words).toBeLessThanOrEqual(slabWords[one.slab]!);
    for (const other of lives.slice(index + 1)) {
      const together = one.from <= other.to && other.from <= one.to && one.slab === other.slab;
      const overlap =
        one.offsetWords < other.offsetWords + other.words && other.offsetWords < one.offsetWords + one.words;
      expect(together && overlap).toBe(false);
    }
  }
  for (const [slab, words] of slabWords.entries()) {
    const alone = lives.some((life) => life.slab === slab && life.words > limit);
    expect(words <= limit || alone).toBe(true);
  }
}

describe('who is alive when', () => {
  const calls = [
    call(['input', 64, 'read'], ['a', 64, 'read-write']),
    call(['a', 64, 'read'], ['late', 32, 'read'], ['b', 64, 'read-write']),
    call(['b', 64, 'read'], ['c', 64, 'read-write']),
    call(['c', 64, 'read'], ['d', 64, 'read-write']),
  ];
  const lifeOf = (id: string) => livesOf(calls, new Set(['b'])).find((life) => life.id === id);

  it('lives from the first call that names it to the last', () => {
    expect(lifeOf('a')).toMatchObject({ from: 0, to: 1 });
    expect(lifeOf('c')).toMatchObject({ from: 2, to: 3 });
  });

  it('lives from the beginning where a call reads what none has written', () => {
    expect(lifeOf('late')).toMatchObject({ from: 0, to: 1 });
  });

  it('lives to the end where the host reads it', () => {
    expect(lifeOf('b')).toMatchObject({ from: 1, to: 3 });
  });

  it('reuses what nobody reads any more', () => {
    const chain = Array.from({ length: 10 }, (_, index) =>
      call([`t${index}`, 1000, 'read'], [`t${index + 1}`, 1000, 'read-write']),
    );
    expect(planArena(chain).words).toBe(2 * 1024);
  });
});

it('keeps what is alive together apart, in slabs no longer than allowed', () => {
  const use = fc.tuple(
    fc.integer({ min: 0, max: 25 }).map((index) => `id${index}`),
    fc.integer({ min: 1, max: 5000 }),
    fc.constantFrom('read' as const, 'read-write' as const),
  );
  const calls = fc.array(
    fc.array(use, { minLength: 1, maxLength: 5 }).map((uses) => call(...uses)),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  const limit = fc.constantFrom(Number.POSITIVE_INFINITY, 4096, 20_000);
  fc.assert(
    fc.property(calls, limit, (planned, most) => expectApart(planned, new Set(['id1', 'id2']), most)),
    { numRuns: 150 },
  );
});

/** Forward and backward of a ResNet-18 with a pyramid and heads of `tower` convolutions, in one-channel words times channels. */
function detectorCalls(side: number, batch: number): KernelCall[] {
  const calls: KernelCall[] = [];
  const words = new Map<string, number>();
  const backward: (() => void)[] = [];
  const size = (stride: number, channels: number) => batch * Math.ceil(side / stride) ** 2 * channels;
  const layer = (inputs: readonly string[], id: string, length: number, scratch = 0) => {
    words.set(id, length);
    const read = inputs.map((input): Use => [input, words.get(input)!, 'read']);
    calls.push(call(...read, [id, length, 'read-write']));
    backward.unshift(() => {
      const dy: Use = [`d${id}`, length, 'read'];
      const partial: Use[] = scratch > 0 ? [[`partial ${id}`, scratch, 'read-write']] : [];
      calls.push(call(...read, dy, ...partial));
      if (scratch > 0) calls.push(call([`partial ${id}`, scratch, 'read']));
      for (const input of inputs) {
        if (input !== 'image') calls.push(call(dy, ...read, [`d${input}`, words.get(input)!, 'read-write']));
      }
    });
    return id;
  };
  words.set('image', size(1, 4));
  let at = layer(['image'], 'stem', size(2, 64), 40_000);
  at = layer([at], 'pool', size(4, 64));
  const stages: string[] = [];
  for (const [stage, channels] of [64, 128, 256, 512].entries()) {
    const stride = 4 * 2 ** stage;
    for (const block of [0, 1]) {
      const name = `${stage}.${block}`;
      const inner = layer([at], `${name} conv1`, size(stride, channels), 9 * channels ** 2);
      const shortcut =
        block === 0 && stage > 0 ? layer([at], `${name} down`, size(stride, channels), 9000) : at;
      at = layer([inner, shortcut], `${name} conv2`, size(stride, channels), 9 * channels ** 2);
    }
    stages.push(at);
  }
  const strides = [8, 16, 32];
  let top: string | null = null;
  for (const level of [2, 1, 0]) {
    const inputs: string[] = top ? [stages[level + 1]!, top] : [stages[level + 1]!];
    top = layer(inputs, `lateral ${level}`, size(strides[level]!, 256), 65_536);
    layer([top], `pyramid ${level}`, size(strides[level]!, 256), 589_824);
  }
  const levels = [0, 1, 2].map((level) => `pyramid ${level}`);
  const packed = levels.reduce((sum, id) => sum + words.get(id)!, 0);
  for (const head of ['class', 'box']) {
    let tower = layer(levels, `${head} 0`, packed, 589_824);
    for (const depth of [1, 2, 3]) tower = layer([tower], `${head} ${depth}`, packed, 589_824);
    layer([tower], `${head} out`, packed / 7, 80_000);
    calls.push(
      call([`${head} out`, packed / 7, 'read'], [`d${head} out`, Math.ceil(packed / 7), 'read-write']),
    );
  }
  for (const each of backward) each();
  return calls;
}

it('wastes next to nothing on a detector', () => {
  for (const [side, batch] of [
    [512, 1],
    [320, 4],
    [608, 2],
  ] as const) {
    const { words, aliveWords } = planArena(detectorCalls(side, batch));
    expect(words).toBeGreaterThanOrEqual(aliveWords);
    expect(words / aliveWords).toBeLessThan(1.05);
  }
});
