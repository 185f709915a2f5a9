/**
 * Placed chart: a machine's graph with the place of each part, in pixels from the upper left corner.
 *
 * It is what the package ships of each machine, and all that the page needs to draw one: names, words and positions,
 * no functions. A chart belongs to the machine that it was laid out from; a test lays out anew and compares.
 */
import type { StateKind } from './machine-graph.ts';
import type { TextLine } from './chart-text.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Box {
  /** The way to it from the root, joined by dots: what a state value names. */
  readonly id: string;
  /** `start` is the dot before the first state, `any` the place where that begins which holds in each state around it. */
  readonly kind: StateKind | 'start' | 'any';
  readonly lines: readonly TextLine[];
}

export interface PlacedLine {
  /** States by their ids; a `start` or an `any` by the state that it stands in. */
  readonly from: string;
  readonly to: string;
  readonly events: readonly string[];
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly label: Box & { readonly lines: readonly TextLine[] };
}

export interface PlacedPart {
  /** The state that it shows the inside of; the whole machine's is empty. */
  readonly root: string;
  readonly width: number;
  readonly height: number;
  /** Outer ones before those in them: the order of drawing. */
  readonly states: readonly PlacedState[];
  readonly lines: readonly PlacedLine[];
}

export interface PlacedChart {
  readonly machine: string;
  /** Of the graph that it was laid out from: another one needs another chart. */
  readonly fingerprint: string;
  /** The whole first; of a large machine then the inside of each state that is `cut` there. */
  readonly parts: readonly PlacedPart[];
}
