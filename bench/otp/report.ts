/** A row of the table: two measured figures, what they make together, and the bound that it is held to. */
export type Unit = 'µs' | 'ms' | 'MB' | '%' | '×' | 'B';

export interface Figure {
  readonly value: number;
  readonly unit: Unit;
}

export interface Row {
  readonly what: string;
  readonly measured: Figure;
  /** What it is set against. */
  readonly against?: Figure;
  readonly result: Figure;
  /** The result may be at most this. Without it the row is information. */
  readonly max?: number;
}

const WIDTHS = [58, 14, 14, 12, 12, 10] as const;
const DIGITS: Readonly<Record<Unit, number>> = { 'µs': 2, ms: 1, MB: 1, '%': 2, '×': 2, B: 0 };

export function printHeading(): void {
  print(['', 'measured', 'against', 'result', 'at most', '']);
}

export function printRow({ what, measured, against, result, max }: Row): void {
  const bound = max === undefined ? '' : text({ value: max, unit: result.unit });
  const verdict = max === undefined ? '' : result.value <= max ? 'holds' : 'FAILS';
  print([what, text(measured), against === undefined ? '' : text(against), text(result), bound, verdict]);
}

export function holds({ result, max = Infinity }: Row): boolean {
  return result.value <= max;
}

function text({ value, unit }: Figure): string {
  return `${value.toFixed(DIGITS[unit])} ${unit}`;
}

function print(cells: readonly string[]): void {
  const [what = '', ...figures] = cells.map((cell, index) => (index === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[index] ?? 0)));
  process.stdout.write(`${what}${figures.join('')}`.trimEnd() + '\n');
}
