/**
 * Rounds: what is compared is measured in turn, A B A B, so that a machine that gets slower meanwhile slows both. The
 * result is the median of all batches of all rounds: a neighbour's burst spoils a few of them, never most.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { invariant } from '../../src/base/invariant.ts';
import { median, type Batches } from './cpu.ts';
import type { WorkloadName } from './workloads.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

export interface Measured extends Batches {
  readonly workload: WorkloadName;
}

/** @returns the median of each, in the order of `measured`. */
export async function inTurn(rounds: number, measured: readonly Measured[]): Promise<readonly number[]> {
  const figures: number[][] = measured.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, one] of measured.entries()) figures[index]?.push(...(await inChild(one)));
  }
  return figures.map(median);
}

/** @returns all figures of one run, as the workload gives them. */
export async function inChild({ workload, batches, count }: Measured): Promise<readonly number[]> {
  const child = fork(CHILD, [workload, String(batches), String(count)], { execArgv: [...process.execArgv, '--expose-gc'] });
  let figures: readonly number[] | undefined;
  child.once('message', (message) => (figures = message as readonly number[]));
  const [code] = (await once(child, 'exit')) as [number | null];
  invariant(figures !== undefined, `'${workload}' gives its figures; it ended with code ${code}`);
  return figures;
}
