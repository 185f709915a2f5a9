/** What the rounds of a workload come to: medians of each reading, of its limit and of the ratio, and how far that is from the target. */
import { invariant } from '../../src/base/invariant.ts';
import { median } from '../timing.ts';
import type { Reading, Round, Target, Workload } from './workload.ts';

export interface Verdict {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  readonly limit?: number;
  /** Of the rounds' own ratios to their own limits; undefined where one of these was too small to be measured. */
  readonly timesLimit?: number;
  /** As one reads it; undefined where nothing is aimed at. */
  readonly target?: string;
  /** How many times the target this is: at most 1 where it is met, whichever way is better; undefined where too little was measured. */
  readonly timesTarget?: number;
  /** Each round by itself. */
  readonly rounds: readonly Reading[];
}

/** @returns one for each reading, in the order of the first round. */
export function verdictsOf({ targets, name }: Pick<Workload, 'targets' | 'name'>, rounds: readonly Round[]): readonly Verdict[] {
  const [first = []] = rounds;
  invariant(first.length > 0, `${name} has measured something`);
  const verdicts = first.map(({ what }) => verdictOf(rounds.map((round) => readingOf(round, what)), targets[what]));
  const missed = Object.keys(targets).filter((what) => !first.some((reading) => reading.what === what));
  invariant(missed.length === 0, `${name} measures what it has a target for: ${missed.join(', ')}`);
  return verdicts;
}

/** Undefined where nothing is aimed at, or too little was measured. */
export function isMet({ timesTarget }: Pick<Verdict, 'timesTarget'>): boolean | undefined {
  return timesTarget === undefined ? undefined : timesTarget <= 1;
}

function readingOf(round: Round, what: string): Reading {
  const reading = round.find((each) => each.what === what);
  invariant(reading !== undefined && Number.isFinite(reading.measured), `each round has measured: ${what}`);
  invariant(reading.limit === undefined || Number.isFinite(reading.limit), `each round has measured the limit: ${what}`);
  return reading;
}

function verdictOf(rounds: readonly Reading[], target: Target | undefined): Verdict {
  const [{ what, unit } = { what: '', unit: '' }] = rounds;
  const figures = { measured: median(rounds.map(({ measured }) => measured)), ...besideLimit(rounds) };
  const { aboveLimit: _, ...shown } = figures;
  return { what, unit, ...shown, ...(target === undefined ? {} : aimedAt(target, unit, figures)), rounds };
}

interface Figures {
  readonly measured: number;
  readonly limit?: number;
  readonly timesLimit?: number;
  readonly aboveLimit?: number;
}

/** What is below a tick of the kernel, or within the noise of a page, is no figure: nothing is met by it. */
function aimedAt(target: Target, unit: string, figures: Figures): Pick<Verdict, 'target' | 'timesTarget'> {
  const times = timesTarget(target, figures);
  const isTold = figures.measured > 0 || (figures.measured < 0 && target.is === 'aboveLimitMax');
  return { target: wordsOf(target, unit), ...(isTold && Number.isFinite(times) ? { timesTarget: times } : {}) };
}

function besideLimit(rounds: readonly Reading[]): Omit<Figures, 'measured'> {
  const limits = rounds.flatMap(({ limit }) => (limit === undefined ? [] : [limit]));
  if (limits.length < rounds.length) return {};
  const against = (of: (measured: number, limit: number) => number): number =>
    median(rounds.map(({ measured, limit = 0 }) => of(measured, limit)));
  const aboveLimit = against((measured, limit) => measured - limit);
  const besides = { limit: median(limits), aboveLimit };
  return limits.every((limit) => limit > 0) ? { ...besides, timesLimit: against((measured, limit) => measured / limit) } : besides;
}

function timesTarget(target: Target, figures: Figures): number {
  const { measured, limit = Number.NaN, timesLimit = Number.NaN, aboveLimit = Number.NaN } = figures;
  switch (target.is) {
    case 'either': return Math.min(...target.of.map((each) => timesTarget(each, figures)));
    case 'max': return measured / target.bound;
    case 'min': return target.bound / measured;
    case 'timesLimitMax': return timesLimit / target.bound;
    case 'timesLimitMin': return target.bound / timesLimit;
    case 'aboveLimitMax': return timesSum(Math.max(limit, target.bound), aboveLimit, target.bound);
  }
}

/** A delay that is counted from an acknowledgement may be below zero: who waits can be told first. */
function timesSum(limit: number, aboveLimit: number, bound: number): number {
  return (limit + aboveLimit) / (limit + bound);
}

function wordsOf(target: Target, unit: string): string {
  switch (target.is) {
    case 'either': return target.of.map((each) => wordsOf(each, unit)).join(' or ');
    case 'max': return `≤ ${target.bound} ${unit}`;
    case 'min': return `≥ ${target.bound} ${unit}`;
    case 'timesLimitMax': return `≤ ${target.bound} ×`;
    case 'timesLimitMin': return `≥ ${target.bound} ×`;
    case 'aboveLimitMax': return `≤ limit + ${target.bound} ${unit}`;
  }
}
