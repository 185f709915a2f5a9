/** The figures of a workload, as they are printed. */
import { isMet, type Verdict } from './verdict.ts';

const WIDTHS = [44, 15, 15, 11] as const;

export function linesOf(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.map(lineOf);
}

function lineOf(verdict: Verdict): string {
  const { what, unit, measured, limit, timesLimit, target } = verdict;
  const cells = [
    what.padEnd(WIDTHS[0]),
    amountOf(measured, unit).padStart(WIDTHS[1]),
    (limit === undefined ? '' : `(${amountOf(limit, unit)})`).padStart(WIDTHS[2]),
    (timesLimit === undefined ? '' : `${digits(timesLimit)} ×`).padStart(WIDTHS[3]),
    target === undefined ? '' : `   ${standingOf(verdict)}: ${target}`,
  ];
  return `  ${cells.join('')}`.trimEnd();
}

function standingOf(verdict: Verdict): string {
  const met = isMet(verdict);
  return met === undefined ? 'too little to tell' : met ? 'met' : 'not met';
}

export function amountOf(figure: number, unit: string): string {
  return `${digits(figure)} ${unit}`;
}

/** As many as say something. */
export function digits(figure: number): string {
  const size = Math.abs(figure);
  const decimals = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  return figure.toFixed(decimals);
}
