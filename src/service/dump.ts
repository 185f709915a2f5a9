/** The dump of a running service: what there is at this moment, put into words by telemetry. */
import type { Api } from '../api/api.ts';
import type { Clock } from '../base/clock.ts';
import { VERSION } from '../base/version.ts';
import { processDump } from '../telemetry/process-dump.ts';
import { programFigures } from '../telemetry/program-load.ts';
import type { RecentDeaths } from '../telemetry/recent-deaths.ts';
import type { ServiceResources } from './service-resources.ts';

/** A timer that is set to find out how late it comes. */
const LOOK_MS = 10;

export async function dump(
  { runtime, world: { clock } }: Pick<ServiceResources, 'runtime' | 'world'>,
  api: Pick<Api, 'level'>,
  { last, total }: RecentDeaths,
): Promise<string> {
  const lateMs = await lateness(clock);
  return processDump({
    version: VERSION,
    now: new Date(clock.epochMicros() / 1000),
    upSeconds: process.uptime(),
    status: api.level(),
    program: programFigures(),
    lateMs,
    tree: runtime.tree(),
    processes: runtime.processes(),
    deaths: last,
    deathCount: total,
  });
}

function lateness(clock: Clock): Promise<number> {
  const setMs = clock.nowMs();
  return new Promise((resolve) => {
    clock.setTimer(() => resolve(Math.max(0, clock.nowMs() - setMs - LOOK_MS)), LOOK_MS);
  });
}
