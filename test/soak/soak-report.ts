/** A soak in words and numbers, as it is kept under `docs/runs` beside its curve. */
import type { SoakOutcome } from './soak-run.ts';
import { GROWTH_MAX, type Judged, type Judgement, type Windows } from './verdict.ts';

const WORDS: Readonly<Record<Judged, string>> = {
  resident: 'resident memory',
  heap: 'heap and buffers, behind a collection',
  disk: 'disk, all of it',
  shapes: '… of shapes',
  files: 'files',
  directories: 'directories',
  descriptors: 'open descriptors',
};
const COUNTED: ReadonlySet<Judged> = new Set(['files', 'directories', 'descriptors']);

export interface Circumstances extends Windows {
  readonly commit: string;
  readonly seed: number;
  readonly cores: number;
  /** The file of the curve, beside the report. */
  readonly curve: string;
}

export function reportOf(outcome: SoakOutcome, judgements: readonly Judgement[], at: Circumstances): string {
  const seconds = Math.round(outcome.samples.at(-1)?.atSeconds ?? 0);
  const { transactions, walBytes, made, deleted, comparisons, refetches } = outcome;
  return [
    '# A soak',
    '',
    `Commit ${at.commit}; ${Math.round(seconds / 60)} minutes on ${at.cores} cores; seed ${at.seed}. ${transactions} transactions, ` +
      `${mebibytes(walBytes)} MiB of WAL;`,
    `${made} shapes were made beside those that were read all the time, and ${deleted} of them deleted, the others left to expire. ` +
      `${comparisons} times a`,
    `reader had the rows of its table; ${refetches} times one began anew, since its shape had ended.`,
    '',
    `Medians of ${minutes(at.windowSeconds)} minutes: from ${minutes(at.settleSeconds)} minutes on, and at the end. ` +
      `At most ${GROWTH_MAX} times as much is kept.`,
    '',
    '| what | early | late | | |',
    '|---|---|---|---|---|',
    ...judgements.map(rowOf),
    '',
    `![memory, disk and files over time](${at.curve})`,
    '',
  ].join('\n');
}

function rowOf({ what, early, late, verdict }: Judgement): string {
  const told = (value: number): string => (COUNTED.has(what) ? String(value) : `${mebibytes(value)} MiB`);
  const growth = (late / Math.max(1, early)).toFixed(2);
  return `| ${WORDS[what]} | ${told(early)} | ${told(late)} | ${growth} × | ${verdict} |`;
}

function minutes(seconds: number): string {
  return String(Math.round(seconds / 6) / 10);
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
