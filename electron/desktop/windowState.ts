/** Where the window was, kept between starts; a place that no screen shows any more is forgotten. */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';

const boundsSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(400).max(20_000),
  height: z.number().int().min(300).max(20_000),
});
const stateSchema = z.object({ bounds: boundsSchema, maximized: z.boolean() });

export type Bounds = z.infer<typeof boundsSchema>;
export type WindowState = z.infer<typeof stateSchema>;

/** Null where there is none, it is damaged, or it would put the title bar off every display's work area. */
export function readWindowState(path: string, workAreas: readonly Bounds[]): WindowState | null {
  try {
    const state = stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return workAreas.some((area) => titleBarShows(state.bounds, area)) ? state : null;
  } catch {
    return null;
  }
}

/** Rejects where it cannot be written: nobody's work depends on it. */
export async function writeWindowState(path: string, state: WindowState): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(state));
  await rename(`${path}.new`, path);
}

/** At least 100 px of the window's top edge, to hold on to. */
function titleBarShows(bounds: Bounds, area: Bounds): boolean {
  const visible = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x);
  return visible >= 100 && bounds.y >= area.y - 10 && bounds.y <= area.y + area.height - 40;
}
