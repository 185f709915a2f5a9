/** A one-dimensional array of Postgres as one text. Every value is quoted: so none is taken for NULL, and none loses a blank. */
export function arrayLiteral(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`;
}

/** An item as Postgres writes it: quoted only where it would be read as something else. */
export function quoteItem(item: string): string {
  return item === '' || item.toUpperCase() === 'NULL' || /[{}",\\ \t\n\v\f\r]/.test(item) ? quoted(item) : item;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
