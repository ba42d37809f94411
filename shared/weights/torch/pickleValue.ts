/** What a pickle builds here: plain data, and inert records where Python would import, call or alter something. */

export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleNode;
export type PickleNode =
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PicklePersistent
  | PickleObject;

/**
 * Levels of containers in a container; what is put into it later does not deepen what holds it already. Nothing recurses into
 * values, so the bound on it guards only against nonsense.
 */
export class Nested {
  depth = 1;
}

export class PickleTuple extends Nested {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    super();
    this.items = items;
  }
}

/** A list, or a set: nobody here asks which. */
export class PickleList extends Nested {
  /** Filled later, as a pickle does. */
  items: PickleValue[];

  constructor(items: PickleValue[]) {
    super();
    this.items = items;
  }
}

export class PickleDict extends Nested {
  /** null: empty, so that a million of them cost little. */
  entries: Map<PickleValue, PickleValue> | null = null;
}

/** The name of something in Python. It is never looked up: it stays a name. */
export class PickleGlobal extends Nested {
  /** `module.name`. */
  readonly path: string;

  constructor(path: string) {
    super();
    this.path = path;
  }
}

/** What the pickle says lies outside it: for torch.save, a storage. */
export class PicklePersistent extends Nested {
  readonly id: PickleValue;

  constructor(id: PickleValue) {
    super();
    this.id = id;
  }
}

/** What Python would get by calling something: nobody calls it, this notes only what was to be called with what. */
export class PickleObject extends Nested {
  readonly callee: PickleGlobal | PickleObject;
  readonly args: PickleTuple;
  /** What BUILD would have handed to it. */
  state: PickleValue | undefined;
  /** What SETITEM would have put into it; null: nothing. */
  entries: Map<PickleValue, PickleValue> | null = null;
  /** What APPEND would have put into it; null: nothing. */
  items: PickleValue[] | null = null;

  constructor(callee: PickleGlobal | PickleObject, args: PickleTuple) {
    super();
    this.callee = callee;
    this.args = args;
  }
}
