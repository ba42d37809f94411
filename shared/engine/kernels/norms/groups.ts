/** Pairs of numbers that belong to a group of channels, handed to its channels. */
import { unroll } from '../wgsl.ts';

/**
 * WGSL: for each of the `sources` (an `array<vec2<f32>>`, `[level][image][group]`) `sourceOf(image, four)` gives four channels
 * the pairs of their groups, and zeros where there is no channel but padding.
 */
export function spreadGroups(sources: readonly string[], channels: number, groups: number): string {
  const width = channels / groups;
  const spread = width % 4 === 0 ? whole(groups, width) : laneByLane(channels, groups);
  const functions = sources.map(
    (source) => `fn ${source}Of(image: u32, four: u32) -> Spread {\n${spread(source)}\n}`,
  );
  return ['struct Spread { first: vec4<f32>, second: vec4<f32> }', ...functions].join('\n');
}

/** Four channels never belong to two groups. */
function whole(groups: number, width: number): (source: string) => string {
  return (source) => `
  let pair = ${source}[image * ${groups}u + four / ${width / 4}u];
  return Spread(vec4<f32>(pair.x), vec4<f32>(pair.y));`;
}

function laneByLane(channels: number, groups: number): (source: string) => string {
  const group = (lane: number) => `min((four * 4u + ${lane}u) / ${channels / groups}u, ${groups - 1}u)`;
  const gather = (part: string) => {
    const value = `vec4<f32>(pair0.${part}, pair1.${part}, pair2.${part}, pair3.${part})`;
    if (channels % 4 === 0) return value;
    return `select(vec4<f32>(), ${value}, four * 4u + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(${channels}u))`;
  };
  return (source) => `
${unroll(4, (lane) => `  let pair${lane} = ${source}[image * ${groups}u + ${group(lane)}];`)}
  return Spread(${gather('x')}, ${gather('y')});`;
}
