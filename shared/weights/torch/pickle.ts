/**
 * A pickle machine that reads and never runs: names stay names, calls become records (`PickleObject`), and what is built is data in
 * Maps and arrays. Protocols 1 to 5 as CPython's pickletools describes them; what torch.save never writes is refused: the texts of
 * protocol 0 (which cannot hold a storage), out-of-band buffers, extension codes.
 */
import { Problem } from '../../domain/problem.ts';
import { damagedTorch, nothingLoaded } from '../refusal.ts';
import { isAttackGlobal } from './pickleGlobals.ts';
import { PickleReader } from './pickleReader.ts';
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  type PickleNode,
  PickleObject,
  PicklePersistent,
  PickleTuple,
  type PickleValue,
} from './pickleValue.ts';

export const maxPickleBytes = 16 * 1024 * 1024;
/** Fifty times those of a large detector's checkpoint with its optimizer. */
export const maxPickleOperations = 1_000_000;
export const maxPickleDepth = 64;

export interface Pickle {
  readonly root: PickleValue;
  /** Every global the pickle names, in order of appearance. */
  readonly globals: ReadonlySet<string>;
}

/** What the pickle describes. Throws a Problem: `forbidden` where it names a means of attack, `damaged` where it is no sound pickle. */
export function readPickle(bytes: Uint8Array, file: string): Pickle {
  if (bytes.length > maxPickleBytes) {
    throw damagedTorch(file, `its data.pkl has ${bytes.length} bytes, more than ${maxPickleBytes}`);
  }
  const reader = new PickleReader(bytes, (reason, at) =>
    damagedTorch(file, `in its data.pkl, ${reason} (byte ${at})`),
  );
  return new PickleMachine(reader, file).run();
}

class PickleMachine {
  readonly #reader: PickleReader;
  readonly #file: string;
  readonly #globals = new Set<string>();
  readonly #memo = new Map<number, PickleValue>();
  /** What lies above the last mark; below it, one stack per open mark. */
  #stack: PickleValue[] = [];
  readonly #below: PickleValue[][] = [];

  constructor(reader: PickleReader, file: string) {
    this.#reader = reader;
    this.#file = file;
  }

  run(): Pickle {
    for (let count = 0; count < maxPickleOperations; count++) {
      const code = this.#reader.u8();
      if (code === stop) return { root: this.#finish(), globals: this.#globals };
      const operation = operations[code];
      if (!operation) throw this.error(`operation 0x${code.toString(16)} is not one that torch.save writes`);
      operation(this, this.#reader);
    }
    throw this.error(`there are more than ${maxPickleOperations} operations`);
  }

  #finish(): PickleValue {
    const root = this.pop();
    if (this.#stack.length > 0 || this.#below.length > 0) throw this.error('something is left on the stack');
    if (!this.#reader.atEnd) throw this.error('something follows the end');
    return root;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length === 0) throw this.error('the stack is empty');
    return this.#stack.pop()!;
  }

  top(): PickleValue {
    if (this.#stack.length === 0) throw this.error('the stack is empty');
    return this.#stack.at(-1)!;
  }

  /** As POP does: the mark itself where nothing lies on it. */
  discard(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.popToMark();
  }

  mark(): void {
    if (this.#below.length >= maxPickleDepth)
      throw this.error(`it is nested deeper than ${maxPickleDepth} levels`);
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  popToMark(): PickleValue[] {
    const items = this.#stack;
    const below = this.#below.pop();
    if (!below) throw this.error('a mark is missing');
    this.#stack = below;
    return items;
  }

  popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.error('the stack is empty');
    return this.#stack.splice(-count);
  }

  pushTuple(items: PickleValue[]): void {
    this.push(this.holding(new PickleTuple(items), items));
  }

  pushList(items: PickleValue[]): void {
    this.push(this.holding(new PickleList(items), items));
  }

  /** Keys and values by turns, into the dictionary (or the object Python would call it on) on top. */
  setItems(pairs: readonly PickleValue[]): void {
    const target = this.top();
    if (!(target instanceof PickleDict || target instanceof PickleObject)) {
      throw this.error('entries are put into something that is no dictionary');
    }
    if (pairs.length % 2 !== 0) throw this.error('a key has no value');
    target.entries ??= new Map();
    for (let index = 0; index < pairs.length; index += 2) {
      const key = pairs[index]!;
      if (key instanceof PickleDict || key instanceof PickleList)
        throw this.error('a key cannot be a container');
      target.entries.set(key, pairs[index + 1]!);
    }
    this.holding(target, pairs);
  }

  /** Into the list (or the object Python would call it on) on top. */
  append(items: readonly PickleValue[]): void {
    const target = this.top();
    if (!(target instanceof PickleList || target instanceof PickleObject)) {
      throw this.error('items are put into something that is no list');
    }
    target.items ??= [];
    for (const item of items) target.items.push(item);
    this.holding(target, items);
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    if (!(target instanceof PickleObject)) throw this.error('something that is no object is given a state');
    target.state = state;
    this.holding(target, [state]);
  }

  /** Notes a call, of a name or of what another call would give (a class inside a class, by getattr). */
  call(callee: PickleValue, args: PickleValue): void {
    if (!(callee instanceof PickleGlobal || callee instanceof PickleObject)) {
      throw this.error('something that cannot be called is called');
    }
    if (!(args instanceof PickleTuple)) throw this.error('something is called without a tuple');
    this.push(this.holding(new PickleObject(callee, args), [callee, args]));
  }

  global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.error('a name is no text');
    const path = `${module}.${name}`;
    if (path.length > 512) throw this.error('a name is longer than 512 characters');
    if (!this.#globals.has(path) && isAttackGlobal(module, name)) {
      throw new Problem(
        'forbidden',
        `Refused ${this.#file}: it names ${path}, which has no place among weights and would run on whoever opens it in Python.`,
        `Do not open it in Python either: take the weights from a source you trust, and warn whoever gave you this file. ${nothingLoaded}`,
        `in data.pkl before byte ${this.#reader.at}`,
      );
    }
    this.#globals.add(path);
    return new PickleGlobal(path);
  }

  persistent(): void {
    const id = this.pop();
    this.push(this.holding(new PicklePersistent(id), [id]));
  }

  put(index: number): void {
    this.#memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.error(`nothing was kept under number ${index}`);
    this.push(value);
  }

  /** The container, a level deeper than the deepest of the items. */
  holding<Container extends PickleNode>(container: Container, items: readonly PickleValue[]): Container {
    for (const item of items) {
      if (typeof item !== 'object' || item === null || item instanceof Uint8Array) continue;
      container.depth = Math.max(container.depth, item.depth + 1);
    }
    if (container.depth > maxPickleDepth)
      throw this.error(`it is nested deeper than ${maxPickleDepth} levels`);
    return container;
  }

  error(reason: string): Problem {
    return this.#reader.error(reason);
  }
}

type Operation = (machine: PickleMachine, reader: PickleReader) => void;

const stop = 0x2e;

/** By the byte that asks for it. One-character names are the bytes of protocols 0 to 2, as pickletools shows them. */
const operations: readonly (Operation | undefined)[] = byCode({
  // Constants
  N: (machine) => machine.push(null),
  '\x88': (machine) => machine.push(true),
  '\x89': (machine) => machine.push(false),
  I: (machine, reader) => machine.push(reader.intLine()),
  J: (machine, reader) => machine.push(reader.i32()),
  K: (machine, reader) => machine.push(reader.u8()),
  M: (machine, reader) => machine.push(reader.u16()),
  L: (machine, reader) => machine.push(reader.longLine()),
  '\x8a': (machine, reader) => machine.push(reader.long(reader.u8())),
  '\x8b': (machine, reader) => machine.push(reader.long(reader.u32())),
  G: (machine, reader) => machine.push(reader.f64()),
  // Text and bytes
  T: (machine, reader) => machine.push(reader.text(reader.u32())),
  U: (machine, reader) => machine.push(reader.text(reader.u8())),
  X: (machine, reader) => machine.push(reader.text(reader.u32())),
  '\x8c': (machine, reader) => machine.push(reader.text(reader.u8())),
  '\x8d': (machine, reader) => machine.push(reader.text(reader.u64())),
  B: (machine, reader) => machine.push(reader.bytes(reader.u32())),
  C: (machine, reader) => machine.push(reader.bytes(reader.u8())),
  '\x8e': (machine, reader) => machine.push(reader.bytes(reader.u64())),
  '\x96': (machine, reader) => machine.push(reader.bytes(reader.u64())),
  // Containers
  ')': (machine) => machine.pushTuple([]),
  t: (machine) => machine.pushTuple(machine.popToMark()),
  '\x85': (machine) => machine.pushTuple(machine.popMany(1)),
  '\x86': (machine) => machine.pushTuple(machine.popMany(2)),
  '\x87': (machine) => machine.pushTuple(machine.popMany(3)),
  '\x91': (machine) => machine.pushTuple(machine.popToMark()),
  ']': (machine) => machine.pushList([]),
  '\x8f': (machine) => machine.pushList([]),
  l: (machine) => machine.pushList(machine.popToMark()),
  a: (machine) => machine.append([machine.pop()]),
  e: (machine) => machine.append(machine.popToMark()),
  '\x90': (machine) => machine.append(machine.popToMark()),
  '}': (machine) => machine.push(new PickleDict()),
  d: (machine) => {
    const pairs = machine.popToMark();
    machine.push(new PickleDict());
    machine.setItems(pairs);
  },
  s: (machine) => machine.setItems(machine.popMany(2)),
  u: (machine) => machine.setItems(machine.popToMark()),
  // The stack and the memo
  '(': (machine) => machine.mark(),
  '0': (machine) => machine.discard(),
  '1': (machine) => void machine.popToMark(),
  '2': (machine) => machine.push(machine.top()),
  q: (machine, reader) => machine.put(reader.u8()),
  r: (machine, reader) => machine.put(reader.u32()),
  '\x94': (machine) => machine.memoize(),
  h: (machine, reader) => machine.get(reader.u8()),
  j: (machine, reader) => machine.get(reader.u32()),
  // Names and calls: noted, never resolved, never made
  c: (machine, reader) => machine.push(machine.global(reader.line(), reader.line())),
  '\x93': (machine) => {
    const [module, name] = machine.popMany(2);
    machine.push(machine.global(module!, name!));
  },
  i: (machine, reader) => {
    const callee = machine.global(reader.line(), reader.line());
    machine.pushTuple(machine.popToMark());
    machine.call(callee, machine.pop());
  },
  o: (machine) => {
    const [callee = null, ...args] = machine.popToMark();
    machine.pushTuple(args);
    machine.call(callee, machine.pop());
  },
  R: callTop,
  '\x81': callTop,
  '\x92': (machine) => {
    const [callee, args] = machine.popMany(3);
    machine.call(callee!, args!);
  },
  b: (machine) => machine.build(),
  Q: (machine) => machine.persistent(),
  // The frame around it
  '\x80': (machine, reader) => {
    const protocol = reader.u8();
    if (protocol > 5) throw machine.error(`protocol ${protocol} is not known`);
  },
  '\x95': (_, reader) => reader.frame(),
});

function callTop(machine: PickleMachine): void {
  const [callee, args] = machine.popMany(2);
  machine.call(callee!, args!);
}

function byCode(operations: Readonly<Record<string, Operation>>): (Operation | undefined)[] {
  const table = new Array<Operation | undefined>(256).fill(undefined);
  for (const [char, operation] of Object.entries(operations)) table[char.charCodeAt(0)] = operation;
  return table;
}
