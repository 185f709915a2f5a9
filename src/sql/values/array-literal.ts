/** A one-dimensional array of Postgres as one text. Every value is quoted: so none is taken for NULL, and none loses a blank. */
export class ArrayLiteral {
  /** @param values null for NULL. May be millions, and come from what makes them one by one. */
  constructor(private readonly values: Iterable<string | null>) {}

  /** One behind the other. */
  *pieces(): Iterable<string> {
    let sign = '{';
    for (const value of this.values) {
      yield sign + (value === null ? 'NULL' : quoted(value));
      sign = ',';
    }
    yield sign === '{' ? '{}' : '}';
  }

  toString(): string {
    return [...this.pieces()].join('');
  }
}

/** An item as Postgres writes it: quoted only where it would be read as something else. */
export function quoteItem(item: string): string {
  return item === '' || item.toUpperCase() === 'NULL' || /[{}",\\ \t\n\v\f\r]/.test(item) ? quoted(item) : item;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
