/**
 * A workload: something that people ask of the service, of a size, next to the least that it could cost on this very machine.
 *
 * Rates move with the machine and what else it does, ratios much less. So each round measures the limit and the service one after the
 * other, and what is reported of several rounds is the median of their ratios, never a ratio of two figures that are minutes apart.
 */
import type { World } from './world.ts';

export interface Workload {
  /** As it is asked for on the command line. */
  readonly name: string;
  /** What is done, and what is measured of it. */
  readonly sentence: string;
  /** How much of `unit` is done where the size is 1. */
  readonly size: number;
  readonly unit: string;
  /** Below that there is nothing to measure: two sizes are compared, say. */
  readonly sizeMin?: number;
  /** What is measured beside it; undefined where nothing but a target bounds it. */
  readonly limit?: string;
  /** By what a reading measures. */
  readonly targets: Readonly<Record<string, Target>>;
  /** Left out where no workload is named, for it takes very long. */
  readonly isRare?: boolean;
  /**
   * Does it once for each round that is asked for, in a world to which only this workload comes.
   *
   * It looks at what the service has answered, the last value at the least, and rejects where that is wrong: a fast wrong answer is none.
   */
  measure(world: World, size: number): AsyncGenerator<Round, void, void>;
}

export type Round = readonly Reading[];

export interface Reading {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  /** The least that is possible, in the same unit, measured a moment before. */
  readonly limit?: number;
}

/** What is aimed at: so many times the limit, so much above it, or a figure by itself. */
export type Target =
  | { readonly is: 'timesLimitMax' | 'timesLimitMin' | 'aboveLimitMax' | 'max' | 'min'; readonly bound: number }
  | { readonly is: 'either'; readonly of: readonly [Target, Target] };

export function timesLimitMax(bound: number): Target {
  return { is: 'timesLimitMax', bound };
}

export function timesLimitMin(bound: number): Target {
  return { is: 'timesLimitMin', bound };
}

/** @param bound in the unit of the reading. */
export function aboveLimitMax(bound: number): Target {
  return { is: 'aboveLimitMax', bound };
}

export function max(bound: number): Target {
  return { is: 'max', bound };
}

export function min(bound: number): Target {
  return { is: 'min', bound };
}

export function either(one: Target, other: Target): Target {
  return { is: 'either', of: [one, other] };
}
