/**
 * What kernels have in common that multiply on the units for products of small matrices, which newer GPUs have. A workgroup sums up a tile
 * from slices of both factors in its shared memory; subgroups multiply blocks of them at once, the sums kept in f32.
 *
 * A tile is cut into patches, one for each subgroup of the size that the kernel was laid out for. How large subgroups are is known
 * only on the device: where there are fewer of them than patches, the workgroup goes through its slices again for the rest; where
 * there are more, some wait.
 *
 * Halves as factors. What is stored in halves is multiplied as it is, filters are rounded. Other numbers that are stored in f32 (gradients,
 * often far below the smallest half) are scaled on their way into a slice, so that the largest one that the workgroup has seen is
 * near the largest half, and the sums are scaled with them: by powers of two, so nothing is rounded by it, and what is lost is
 * 2^-29 of that largest number at most. A step in mixed precision is as accurate with it as without.
 */
import { type DeviceFacts, type MatrixShape, unroll } from '../wgsl.ts';

/** A workgroup's tile is `rows` x `columns`, a subgroup's patch of it `patchRows` x `patchColumns`; `depth` of a slice. */
export interface MatrixTile {
  readonly kind: 'matrix';
  readonly shape: MatrixShape;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly patchRows: number;
  readonly patchColumns: number;
  /** Threads of a subgroup that the workgroup is laid out for. */
  readonly subgroup: number;
}

type TileShape = Pick<MatrixTile, 'rows' | 'columns' | 'patchRows' | 'patchColumns'>;

const tileShapes: readonly TileShape[] = [
  { rows: 64, columns: 64, patchRows: 32, patchColumns: 32 },
  { rows: 128, columns: 64, patchRows: 32, patchColumns: 32 },
  { rows: 128, columns: 128, patchRows: 64, patchColumns: 32 },
  { rows: 64, columns: 32, patchRows: 32, patchColumns: 16 },
  { rows: 32, columns: 32, patchRows: 16, patchColumns: 16 },
];

const bytes = { f16: 2, f32: 4 };

/** Numbers of a slice's depth: 64 bytes. */
const depths = { f16: 32, f32: 16 };

/** Those that most GPUs have. */
const commonSubgroups = [32, 64, 16];

/**
 * For the tuner: the largest product of each kind in every tile that `rows` and `columns` fill more than half, others in one. None where
 * the device has no such units.
 */
export function matrixTiles(rows: number, columns: number, facts: DeviceFacts): MatrixTile[] {
  return (['f16', 'f32'] as const).flatMap((component) => {
    const shapes = facts.matrices
      .filter((shape) => shape.component === component && shape.result === 'f32')
      .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
    return shapes.flatMap((shape, index) => {
      const fitting = laidOut(shape, facts).filter(
        (tile) => fits(tile, facts) && tile.rows < 2 * rows && tile.columns < 2 * columns,
      );
      return index === 0 ? fitting : fitting.slice(0, 1);
    });
  });
}

function laidOut(shape: MatrixShape, { subgroups }: DeviceFacts): MatrixTile[] {
  if (!subgroups) return [];
  const common = commonSubgroups.filter((size) => size >= subgroups.min && size <= subgroups.max);
  const sizes = common.length > 0 ? common : [subgroups.max];
  const depth = depths[shape.component];
  return tileShapes.flatMap((tile) =>
    sizes.map((subgroup): MatrixTile => ({ kind: 'matrix', shape, ...tile, depth, subgroup })),
  );
}

function fits(tile: MatrixTile, facts: DeviceFacts): boolean {
  const { shape, rows, columns, depth, patchRows, patchColumns } = tile;
  const threads = threadsOf(tile);
  return (
    patchRows % shape.m === 0 &&
    patchColumns % shape.n === 0 &&
    depth % shape.k === 0 &&
    // What the device asks of every kernel with matrices; and that threads share the loading of rows evenly.
    threads % facts.subgroups!.max === 0 &&
    (rows * depth) % (4 * threads) === 0 &&
    threads % (columns / 4) === 0 &&
    threads <= facts.maxInvocationsPerWorkgroup &&
    mostBytes(tile) <= facts.maxWorkgroupStorageBytes
  );
}

export function threadsOf(tile: MatrixTile): number {
  return patchesOf(tile) * tile.subgroup;
}

export function patchesOf({ rows, columns, patchRows, patchColumns }: TileShape): number {
  return (rows / patchRows) * (columns / patchColumns);
}

/** Numbers from one row of a slice to the next: 16 bytes more than it is long, so that rows begin in different banks. */
export function sliceStride({ shape }: Pick<MatrixTile, 'shape'>, length: number): number {
  return length + 16 / bytes[shape.component];
}

/** Of workgroup memory: slices, whichever way they lie, `sums`, and what else a kernel keeps of a slice. */
function mostBytes(tile: MatrixTile): number {
  const { shape, rows, columns, depth } = tile;
  const slice = (length: number) =>
    Math.max(length * sliceStride(tile, depth), depth * sliceStride(tile, length));
  return (slice(rows) + slice(columns)) * bytes[shape.component] + sumsOf(tile) * 4 + depth * 24 + 16;
}

/** One row of blocks of every patch; and room for four sums of every thread. */
function sumsOf(tile: MatrixTile): number {
  return Math.max(patchesOf(tile) * tile.shape.m * tile.patchColumns, threadsOf(tile) * 4);
}

/** Begins the text of a kernel. */
export function enableMatrices({ shape }: Pick<MatrixTile, 'shape'>): string {
  const halves = shape.component === 'f16' ? '\nenable f16;' : '';
  return `enable subgroups;\nenable chromium_experimental_subgroup_matrix;${halves}`;
}

/** Parameters of the entry point. */
export const placeParameters =
  '@builtin(local_invocation_index) thread: u32, @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32';

export function declareSums(tile: MatrixTile): string {
  return `var<workgroup> sums: array<f32, ${sumsOf(tile)}>;`;
}

/** Of a loop with `begun`, the first patch of a pass: what a subgroup does in it (nothing where `patchAt` is none), its sums zero. */
export function beginPatch(tile: MatrixTile): string {
  const { shape, columns, patchRows, patchColumns } = tile;
  const across = columns / patchColumns;
  return `
    let patchAt = begun + subgroup;
    let patchRow = patchAt / ${across}u * ${patchRows}u;
    let patchColumn = patchAt % ${across}u * ${patchColumns}u;
    ${eachBlock(tile, (sum) => `var ${sum} = subgroup_matrix_result<f32, ${shape.n}, ${shape.m}>();`)}`;
}

/** The loop's head. */
export function eachPass(tile: MatrixTile): string {
  return `for (var begun = 0u; begun < ${patchesOf(tile)}u; begun += subgroups)`;
}

function eachBlock(
  { shape, patchRows, patchColumns }: MatrixTile,
  line: (sum: string, i: number, j: number) => string,
): string {
  return unroll(patchRows / shape.m, (i) => unroll(patchColumns / shape.n, (j) => line(`a${i}_${j}`, i, j)));
}

/** A factor's slice: a row for each of its rows or columns with the depth along it, or a row for each number of the depth. */
export interface Slice {
  readonly name: string;
  readonly along: 'depth' | 'rows';
  readonly stride: number;
}

/** Adds the product of both slices to the sums. */
export function multiplySlices(tile: MatrixTile, left: Slice, right: Slice): string {
  const { component, m, n, k } = tile.shape;
  const at = ({ along, stride }: Slice, first: string) =>
    along === 'depth' ? `(${first}) * ${stride}u + k` : `k * ${stride}u + ${first}`;
  const load = (type: string, order: string, slice: Slice, first: string) =>
    `subgroupMatrixLoad<${type}, ${order}>(&${slice.name}, ${at(slice, first)}, ${slice.stride}u)`;
  const lefts = unroll(tile.patchRows / m, (i) => {
    const order = left.along === 'depth' ? 'row_major' : 'col_major';
    const type = `subgroup_matrix_left<${component}, ${k}, ${m}>`;
    return `let left${i} = ${load(type, order, left, `patchRow + ${i * m}u`)};`;
  });
  const rights = unroll(tile.patchColumns / n, (j) => {
    const order = right.along === 'depth' ? 'col_major' : 'row_major';
    const type = `subgroup_matrix_right<${component}, ${n}, ${k}>`;
    return `let right${j} = ${load(type, order, right, `patchColumn + ${j * n}u`)};`;
  });
  return `
      if (patchAt < ${patchesOf(tile)}u) {
        for (var k = 0u; k < ${tile.depth}u; k += ${k}u) {
          ${lefts}
          ${rights}
          ${eachBlock(tile, (sum, i, j) => `${sum} = subgroupMatrixMultiplyAccumulate(left${i}, right${j}, ${sum});`)}
        }
      }`;
}

/** Four numbers on their way into a slice, of which subgroups read single ones. */
export function putFour({ shape }: MatrixTile, slice: string, at: string, value: string): string {
  return `{
        let place = ${at};
        let four = vec4<${shape.component}>(${value});
        ${unroll(4, (lane) => `${slice}[place + ${lane}] = four[${lane}];`)}
      }`;
}

/**
 * The sums of all patches of a pass, through workgroup memory, for no thread knows which sums it has: a row of blocks at a time.
 * `store(block)`, a statement, is what the workgroup does with the `block`th one, and reads with `eachSum`.
 */
export function storeBlocks(tile: MatrixTile, store: (block: number) => string): string {
  const { shape, patchRows, patchColumns } = tile;
  return unroll(
    patchRows / shape.m,
    (i) => `
    if (patchAt < ${patchesOf(tile)}u) {
      ${unroll(
        patchColumns / shape.n,
        (j) =>
          `subgroupMatrixStore<row_major>(&sums, subgroup * ${shape.m * patchColumns}u + ${j * shape.n}u, a${i}_${j}, ${patchColumns}u);`,
      )}
    }
    workgroupBarrier();
    ${store(i)}
    workgroupBarrier();`,
  );
}

/**
 * A loop over what `storeBlocks` left: `row` and `four`, of the tile, and their `sum`. For a function of its own, or it would be written
 * out for every row of blocks; with the parameters `sumParameters`, given `sumArguments`.
 */
export function eachSum(tile: MatrixTile, body: string): string {
  const { shape, columns, patchRows, patchColumns } = tile;
  const [across, wide] = [columns / patchColumns, patchColumns / 4];
  const lanes = [0, 1, 2, 3].map((lane) => `sums[e * 4u + ${lane}u]`);
  return `
  let count = min(subgroups, ${patchesOf(tile)}u - begun);
  for (var e = thread; e < count * ${shape.m * wide}u; e += ${threadsOf(tile)}u) {
    let patchAt = begun + e / ${shape.m * wide}u;
    let row = i32(patchAt / ${across}u * ${patchRows}u + block * ${shape.m}u + e / ${wide}u % ${shape.m}u);
    let four = i32(patchAt % ${across}u * ${wide}u + e % ${wide}u);
    let sum = vec4<f32>(${lanes.join(', ')}) * unscaled;
    ${body}
  }`;
}

export const sumParameters = 'thread: u32, subgroups: u32, begun: u32, block: u32, unscaled: f32';

export function sumArguments(block: number, scales: readonly Scale[]): string {
  const unscaled = scales.map((scale) => scale.unscaled).join(' * ') || '1.0';
  return `thread, subgroups, begun, ${block}u, ${unscaled}`;
}

/** What a factor is scaled by on its way into halves. */
export class Scale {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** At the module's beginning. */
  get declaration(): string {
    return `var<workgroup> ${this.#name}Largest: atomic<u32>;`;
  }

  /** Before the first slice. */
  get begin(): string {
    return `var ${this.#name}Exponent = ${leastExponent}u;`;
  }

  /** Makes known what a thread has read of the next slice. */
  look(values: readonly string[]): string {
    const [most, highest] = [`${this.#name}Most`, `${this.#name}Highest`];
    return `
      var ${most} = vec4<u32>();
      ${values.map((value) => `${most} = max(${most}, bitcast<vec4<u32>>(${value}) & vec4<u32>(0x7fffffffu));`).join('\n')}
      let ${highest} = subgroupMax(max(max(${most}.x, ${most}.y), max(${most}.z, ${most}.w)) >> 23u);
      if (subgroupElect()) { atomicMax(&${this.#name}Largest, ${highest}); }`;
  }

  /** A barrier. Behind it `up` is what is read is multiplied with, and what was summed up so far is as if it had been, too. */
  apply(tile: MatrixTile): string {
    const [seen, down, exponent] = ['Seen', 'Down', 'Exponent'].map((word) => `${this.#name}${word}`);
    return `
      let ${seen} = max(workgroupUniformLoad(&${this.#name}Largest), ${leastExponent}u);
      if (${seen} > ${exponent}) {
        let ${down} = bitcast<f32>((127u - min(${seen} - ${exponent}, 127u)) << 23u);
        ${eachBlock(tile, (sum) => `${sum} = subgroupMatrixScalarMultiply(${sum}, ${down});`)}
        ${exponent} = ${seen};
      }
      let ${this.up} = bitcast<f32>((${127 + halfExponent}u - ${exponent}) << 23u);`;
  }

  get up(): string {
    return `${this.#name}Up`;
  }

  /** Back to the size of what was read; no number where that was none. */
  get unscaled(): string {
    const exponent = `${this.#name}Exponent`;
    return `bitcast<f32>(select((${exponent} - ${halfExponent - 127}u) << 23u, 0x7fc00000u, ${exponent} == 255u))`;
  }
}

/** Exponents as they stand in a float's bits. From this one on, the powers of two that are used are ordinary numbers. */
const leastExponent = 15;

/** That of 2^14: what the largest number is scaled to is below 2^15, which a half holds. */
const halfExponent = 127 + 14;

/** A barrier, with whatever scales are applied at it. */
export function meet(tile: MatrixTile, scales: readonly Scale[]): string {
  return scales.length === 0 ? 'workgroupBarrier();' : unroll(scales.length, (at) => scales[at]!.apply(tile));
}
