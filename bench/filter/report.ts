/** A row of the table: what was measured, what it is set against, and how many times that it is. */
const WIDTHS = [62, 16, 34, 16] as const;

export interface Row {
  readonly what: string;
  readonly measured: number;
  readonly unit: string;
  readonly against?: { readonly what: string; readonly figure: number };
  /** Further figures of the same. */
  readonly detail?: string;
}

export function printRow({ what, measured, unit, against, detail = '' }: Row): void {
  const cells = [
    what.padEnd(WIDTHS[0]),
    `${digits(measured)} ${unit}`.padStart(WIDTHS[1]),
    (against === undefined ? '' : `${against.what} ${digits(against.figure)} ${unit}`).padStart(WIDTHS[2]),
    (against === undefined ? '' : `${(measured / against.figure).toFixed(2)} ×`).padStart(WIDTHS[3]),
  ];
  process.stdout.write(`  ${cells.join('')}  ${detail}`.trimEnd() + '\n');
}

function digits(figure: number): string {
  return figure.toFixed(figure < 100 ? 2 : 0);
}
