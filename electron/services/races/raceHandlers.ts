/** Requests about races. */
import type { Handlers } from '../../../shared/contract/requests.ts';
import type { RaceRecord } from '../../../shared/contract/schemas.ts';
import type { Context } from '../context.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import { Races } from './races.ts';

type RaceRequests = 'races.list' | 'races.create' | 'races.update' | 'races.remove';

export function raceHandlers(context: Context): Pick<Handlers, RaceRequests> {
  let open: { readonly store: ProjectStore; readonly races: Races } | null = null;
  const races = (): Races => {
    const store = context.store();
    if (open?.store !== store) open = { store, races: new Races(store, context.runs()) };
    return open.races;
  };
  /** Its runs were made or changed with it. */
  const told = (race: RaceRecord): RaceRecord => {
    for (const run of races().runsOf(race)) context.events.emit({ type: 'run', run });
    return race;
  };
  return {
    'races.list': async () => races().list(),
    'races.create': async (race) => told(await races().create(race)),
    'races.update': async ({ raceId, ...change }) => told(await races().update(raceId, change)),
    'races.remove': async ({ raceId, runs }) => {
      await races().remove(raceId, { runs });
      return {};
    },
  };
}
