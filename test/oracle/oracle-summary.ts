/** What runs of the oracle did, in numbers, as the command prints it and as it is kept under `docs/runs`. */

export interface OracleSummary {
  readonly seeds: readonly number[];
  readonly counts: Readonly<Record<Counted, number>>;
}

/** In the order of the report, each in its words. */
const COUNTED = {
  shapes: 'shapes',
  withSubqueries: '… with subqueries',
  conditions: '… with a condition of their own',
  batches: 'batches',
  transactions: 'transactions committed',
  rolledBack: '… rolled back, or lost to the other writer',
  statements: 'statements',
  restarts: 'restarts by SIGTERM',
  kills: 'restarts by kill -9',
  comparisons: 'comparisons with SELECT',
  freshClients: 'fresh clients',
  reread: 'answers read again',
  requests: 'requests',
  unavailable: '… answered by 503',
  behind: '… answered with less than was told before, behind a restart',
  messages: 'messages',
  moveIns: '… move-in',
  moveOuts: '… move-out',
  excused: '409s of shapes whose tables were truncated',
  unbegun: '409s of shapes whose snapshot was broken off by a restart',
  unexcused: '409s of healthy shapes',
  overLimits: 'shapes left behind, or ended by a limit',
} as const;

export type Counted = keyof typeof COUNTED;

const ZERO = {
  shapes: 0, withSubqueries: 0, conditions: 0, batches: 0, transactions: 0, rolledBack: 0, statements: 0, restarts: 0, kills: 0,
  comparisons: 0, freshClients: 0, reread: 0, requests: 0, unavailable: 0, behind: 0, messages: 0, moveIns: 0, moveOuts: 0,
  excused: 0, unbegun: 0, unexcused: 0, overLimits: 0,
};
const NAMES = Object.keys(COUNTED).filter(isCounted);

export function emptySummary(): OracleSummary {
  return { seeds: [], counts: tally(() => 0) };
}

export function addSummary(one: OracleSummary, other: OracleSummary): OracleSummary {
  return { seeds: [...one.seeds, ...other.seeds], counts: tally((name) => one.counts[name] + other.counts[name]) };
}

/** What is not counted counts as nothing. */
export function summaryOf(seed: number, counts: Partial<Record<Counted, number>>): OracleSummary {
  return { seeds: [seed], counts: tally((name) => counts[name] ?? 0) };
}

export interface Circumstances {
  readonly commit: string;
  readonly seconds: number;
  readonly cores: number;
}

export function reportOf({ seeds, counts }: OracleSummary, at: Circumstances): string {
  const range = seeds.length === 0 ? 'none' : `${seeds[0]} to ${seeds.at(-1)}`;
  return [
    '# A run of the oracle',
    '',
    `Commit ${at.commit}; ${at.seconds} seconds on ${at.cores} cores; seeds ${range}.`,
    '',
    '| what | how many |',
    '|---|---|',
    ...NAMES.map((name) => `| ${COUNTED[name]} | ${counts[name].toLocaleString('en')} |`),
    '',
  ].join('\n');
}

function tally(count: (name: Counted) => number): Readonly<Record<Counted, number>> {
  const counts: Record<Counted, number> = { ...ZERO };
  for (const name of NAMES) counts[name] = count(name);
  return counts;
}

function isCounted(name: string): name is Counted {
  return name in COUNTED;
}
