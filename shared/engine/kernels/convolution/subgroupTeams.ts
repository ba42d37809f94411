/**
 * Threads that hand each other values without memory. A team multiplies the same rows, each thread of it by columns of its own: what the
 * rows hold is loaded once by the team, every thread another piece, and handed round in registers. No workgroup memory, no barrier,
 * and columns come from the cache, where threads side by side read what lies side by side.
 *
 * Which thread has which place in its subgroup is for the device to say, so places are asked for and never derived. How large a
 * subgroup is, it may leave open:
 *
 * - One size: a workgroup is one subgroup, and where there are fewer columns than threads, several teams with rows of their own.
 * - Several sizes: a workgroup is one team, whatever subgroups it falls into. Each of them loads the team's rows for itself, with as many
 *   threads as the smallest has, which stand at its beginning; so it is known when the kernel is written whom to ask.
 *
 * To know whom to ask is what makes it fast: the value is then an operand of the multiplication on Intel, and a scalar on AMD.
 */
import type { SubgroupSizes } from '../wgsl.ts';

export interface Team {
  /** Threads of a team. */
  readonly lanes: number;
  /** Of a workgroup. */
  readonly teams: number;
  /** Threads that load what a team multiplies. */
  readonly loaders: number;
}

/** Fewer hand round less than they could have read themselves. */
const leastLanes = 4;

/**
 * @param fours of columns that there are
 * @param own fours of columns of a thread
 * @returns null where most threads would have no columns
 */
export function teamFor(fours: number, own: number, { min, max }: SubgroupSizes): Team | null {
  const least = min === max ? leastLanes : min;
  if (min < leastLanes) return null;
  let lanes = max;
  while (lanes > least && lanes * own >= 2 * fours) lanes /= 2;
  if (lanes * own >= 2 * fours) return null;
  return min === max ? { lanes, teams: max / lanes, loaders: lanes } : { lanes, teams: 1, loaders: min };
}

/** Begins the text of a kernel. */
export const enableSubgroups = 'enable subgroups;';

export function threadsOfTeams({ lanes, teams }: Team): number {
  return lanes * teams;
}

/** Parameters of the entry point that `findPlace` needs. */
export const placeParameters =
  '@builtin(local_invocation_index) invocation: u32, @builtin(subgroup_invocation_id) place: u32';

/** A thread's `team` in its workgroup and `lane` in its team; and `thread`, which of those that load it does the work of. */
export function findPlace({ lanes, teams, loaders }: Team): string {
  if (teams === 1) {
    return `let team = 0;
  let lane = i32(invocation);
  let thread = place % ${loaders}u;`;
  }
  return `let team = i32(place / ${lanes}u);
  let lane = i32(place % ${lanes}u);
  let thread = place % ${lanes}u;
  let firstOfTeam = place - thread;`;
}

/** An expression: what `value` is in the team's `loader`th thread. */
export function handRound({ teams }: Team, value: string, loader: number): string {
  return teams === 1
    ? `subgroupBroadcast(${value}, ${loader}u)`
    : `subgroupShuffle(${value}, firstOfTeam + ${loader}u)`;
}
