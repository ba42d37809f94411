/** How large a cloned message is, without building anything: strings at two bytes a character, raw bytes as they are. */
const perValueBytes = 8;
/** Deeper than any message of the contract, shallow enough for every later reader's stack. */
const deepest = 64;

/** Bytes, or Infinity as soon as `limitBytes` is passed or the value is too deep or of a kind no message has. */
export function messageSize(value: unknown, limitBytes: number): number {
  let total = 0;
  const add = (part: unknown, depth: number): boolean => {
    total += perValueBytes;
    if (typeof part === 'string') total += part.length * 2;
    else if (part instanceof Uint8Array) total += part.byteLength;
    else if (typeof part === 'object' && part !== null) {
      if (depth === deepest || !isPlain(part)) return false;
      if (Array.isArray(part)) {
        for (const entry of part) if (!add(entry, depth + 1)) return false;
        return true;
      }
      for (const [key, entry] of Object.entries(part)) {
        total += key.length * 2;
        if (!add(entry, depth + 1)) return false;
      }
    }
    return total <= limitBytes;
  };
  return add(value, 0) ? total : Number.POSITIVE_INFINITY;
}

/** Arrays and objects as JSON knows them: a Map or an ArrayBuffer would hide its size from `Object.entries`. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
