/**
 * The exhaustive search of `supervisor-exhaustive.test.ts`, deeper: every combination of restart types under every
 * strategy. `npm run explore:supervisor -- --mishaps 3 --strategy rest_for_one --restarts permanent,transient,temporary`
 * narrows it; `--choices 0,2,1` plays one run again instead and tells its story.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../../../src/base/clock.ts';
import type { Restart, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { BesiegedSupervisor, type Siege } from '../../support/otp/besieged-supervisor.ts';
import { describe, explore, replay, type Counterexample } from '../../support/otp/exhaustive.ts';

const STRATEGIES: readonly SupervisorSpec['strategy'][] = ['one_for_one', 'one_for_all', 'rest_for_one'];
const RESTARTS: readonly Restart[] = ['permanent', 'transient', 'temporary'];

const { values } = parseArgs({
  options: {
    mishaps: { type: 'string', default: '2' },
    requests: { type: 'string', default: '0' },
    intensity: { type: 'string', default: '2' },
    strategy: { type: 'string' },
    restarts: { type: 'string' },
    choices: { type: 'string' },
  },
});

const sieges = STRATEGIES.filter((strategy) => values.strategy === undefined || strategy === values.strategy).flatMap((strategy) =>
  combinations()
    .filter((restarts) => values.restarts === undefined || restarts.join() === values.restarts)
    .map((restarts): Siege => ({
      strategy,
      restarts,
      maxRestarts: Number(values.intensity),
      mishapsMax: Number(values.mishaps),
      requestsMax: Number(values.requests),
      mayFinish: true,
      mayStop: true,
    })),
);

if (values.choices === undefined) await searchAll(sieges);
else for (const siege of sieges.slice(0, 1)) replayOne(siege, values.choices.split(',').map(Number));

function replayOne(siege: Siege, choices: readonly number[]): void {
  report(siege, replay(() => new BesiegedSupervisor(siege), choices));
}

async function searchAll(all: readonly Siege[]): Promise<void> {
  let [states, transitions, paths] = [0, 0, 0];
  const beganMs = systemClock.nowMs();
  for (const siege of all) {
    const found = await explore(() => new BesiegedSupervisor(siege));
    states += found.states;
    transitions += found.transitions;
    paths += found.paths;
    console.info(
      `${siege.strategy} ${siege.restarts.join()}: ${found.states} states, ${found.transitions} transitions, ${found.paths} paths`,
    );
    report(siege, found.counterexample);
  }
  const seconds = Math.round((systemClock.nowMs() - beganMs) / 1000);
  console.info(
    `${all.length} sieges of at most ${values.mishaps} mishaps, ${values.requests} requests and a stop: ` +
      `${states} states, ${transitions} transitions, ${paths} paths in ${seconds} s`,
  );
}

function report({ strategy, restarts, maxRestarts, mishapsMax, requestsMax }: Siege, counterexample: Counterexample | undefined): void {
  if (counterexample === undefined) return;
  process.exitCode = 1;
  const limits = `--intensity ${maxRestarts} --mishaps ${mishapsMax} --requests ${requestsMax}`;
  const siege = `--strategy ${strategy} --restarts ${restarts.join()} ${limits}`;
  console.error(`${describe(counterexample)}\nagain: npm run explore:supervisor -- ${siege} --choices ${counterexample.choices.join()}`);
}

function combinations(): readonly Siege['restarts'][] {
  return RESTARTS.flatMap((a) => RESTARTS.flatMap((b) => RESTARTS.map((c): Siege['restarts'] => [a, b, c])));
}
