/** Columns: rows of text under their titles, each column as wide as it needs to be. */
import { printable } from '../base/printable-text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Characters, beyond which a text is cut and ends with `…`. */
  readonly widthMax?: number;
  readonly align?: 'right';
}

/** @returns a line for the titles and one for each row. */
export function columnLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): readonly string[] {
  const cells = rows.map((row) => columns.map(({ of, widthMax = 60 }) => cut(printable(of(row)), widthMax)));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines.map((line) => line.map((text, index) => padded(text, widths[index] ?? 0, columns[index]?.align)).join('  ').trimEnd());
}

function padded(text: string, width: number, align: 'right' | undefined): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}

function cut(text: string, widthMax: number): string {
  return text.length > widthMax ? `${text.slice(0, widthMax - 1)}…` : text;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `12.3 MB`: for people, in steps of a thousand. */
export function byteText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
