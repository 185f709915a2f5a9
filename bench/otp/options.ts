/** How much of the benchmark is run, and whether a bound that does not hold is a failure. */
import { parseArgs } from 'node:util';
import { invariant } from '../../src/base/invariant.ts';

export interface BenchOptions {
  readonly rounds: number;
  /** What part of the reported sizes is run: 0.01 is one percent. */
  readonly share: number;
  /** Prints, and never fails. */
  readonly report: boolean;
  /** Rows whose words contain this. */
  readonly only: string;
}

export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      share: { type: 'string', default: '1' },
      report: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  return { rounds: positive(values.rounds, 'rounds'), share: positive(values.share, 'share'), report: values.report, only: values.only };
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  invariant(Number.isFinite(value) && value > 0, `--${flag} takes a positive number, not ${text}`);
  return value;
}
