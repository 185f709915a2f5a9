/** A one-dimensional array of Postgres as one text. Every value is quoted: so none is taken for NULL, and none loses a blank. */
export function arrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
