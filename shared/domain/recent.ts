/** Things that are made once for each key. Those used longest ago are forgotten, so that no number of keys fills the memory. */
export class Recent<Kept> {
  readonly #most: number;
  /** Those used last at the end. */
  readonly #kept = new Map<string, Kept>();

  constructor(most: number) {
    this.#most = most;
  }

  of(key: string, make: () => Kept): Kept {
    const kept = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most) this.#kept.delete(oldest!);
    return kept;
  }
}
