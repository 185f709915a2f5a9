/** Races: a scenario lived through many times, each time in another order of deliveries. */
import { randomScheduler } from '../../../../src/otp/schedulers/choosing-scheduler.ts';
import type { Scheduler } from '../../../../src/otp/schedulers/scheduler.ts';

/** The different outcomes of `rounds` runs under the seeds from 0 on, in the order of their text. */
export async function outcomesOf<Outcome>(rounds: number, live: (scheduler: Scheduler) => Promise<Outcome>): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  for (let seed = 0; seed < rounds; seed += 1) {
    const outcome = await live(randomScheduler(seed));
    outcomes.set(JSON.stringify(outcome), outcome);
  }
  return [...outcomes].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, outcome]) => outcome);
}
