/** What a torture did, in numbers, as the command prints it and as it is kept under `docs/runs`. */

export interface FaultTally {
  readonly times: number;
  /** From the end of its faults to the moment at which all had been told, of its slowest round. */
  readonly slowestMs: number;
}

export interface TortureTally {
  readonly rounds: number;
  readonly transactions: number;
  readonly lost: number;
  readonly comparisons: number;
  readonly shapes: number;
  readonly requests: number;
  readonly messages: number;
  readonly unavailable: number;
  readonly excused: number;
  readonly unbegun: number;
  readonly slowestAnswerMs: number;
  readonly faults: ReadonlyMap<string, FaultTally>;
}

export const NOTHING: TortureTally = {
  rounds: 0, transactions: 0, lost: 0, comparisons: 0, shapes: 0, requests: 0, messages: 0, unavailable: 0, excused: 0, unbegun: 0,
  slowestAnswerMs: 0, faults: new Map(),
};

export function addTally(one: TortureTally, other: TortureTally): TortureTally {
  const sum = (name: Exclude<keyof TortureTally, 'faults'>): number => one[name] + other[name];
  return {
    rounds: sum('rounds'), transactions: sum('transactions'), lost: sum('lost'), comparisons: sum('comparisons'), shapes: sum('shapes'),
    requests: sum('requests'), messages: sum('messages'), unavailable: sum('unavailable'), excused: sum('excused'), unbegun: sum('unbegun'),
    slowestAnswerMs: Math.max(one.slowestAnswerMs, other.slowestAnswerMs),
    faults: [...other.faults].reduce((faults, [name, { times, slowestMs }]) => countFault(faults, name, slowestMs, times), one.faults),
  };
}

type FaultTallies = ReadonlyMap<string, FaultTally>;

export function countFault(faults: FaultTallies, name: string, ms: number, times = 1): FaultTallies {
  const before = faults.get(name) ?? { times: 0, slowestMs: 0 };
  return new Map([...faults, [name, { times: before.times + times, slowestMs: Math.max(before.slowestMs, ms) }]]);
}

export interface Circumstances {
  readonly commit: string;
  readonly seconds: number;
  readonly cores: number;
  readonly seeds: string;
  /** Kinds that this machine has no means for. */
  readonly leftOut: readonly string[];
}

export function reportOf(tally: TortureTally, { commit, seconds, cores, seeds, leftOut }: Circumstances): string {
  const count = (number: number): string => Math.round(number).toLocaleString('en');
  return [
    '# A torture',
    '',
    `Commit ${commit}; ${Math.round(seconds / 60)} minutes on ${cores} cores; seeds ${seeds}. ${count(tally.rounds)} rounds, ` +
      `${count(tally.transactions)} transactions (${count(tally.lost)} lost with their connection),`,
    `${count(tally.shapes)} shapes, ${count(tally.comparisons)} comparisons with SELECT; ${count(tally.requests)} requests, ` +
      `${count(tally.unavailable)} of them answered by 503, ${count(tally.messages)} messages.`,
    `${count(tally.excused)} times a shape started over for a fault that gives cause, ${count(tally.unbegun)} times one whose snapshot ` +
      'was broken off.',
    `The slowest answer took ${count(tally.slowestAnswerMs)} ms.`,
    '',
    '| fault | times | slowest, until all were told |',
    '|---|---|---|',
    ...[...tally.faults].map(([name, { times, slowestMs }]) => `| ${name} | ${count(times)} | ${count(slowestMs)} ms |`),
    ...leftOut.map((name) => `| ${name} | left out: this machine has no means for it | |`),
    '',
  ].join('\n');
}
