/**
 * WHERE: a filter in the language that Postgres and we evaluate alike.
 *
 * Text goes through Postgres's own parser, is checked against a white list with types, and comes out as one
 * expression: evaluated here on replicated rows, printed with all its constants as parameters for the snapshot, and
 * searched for the equalities by which changes are routed.
 */
export interface WhereColumn {
  readonly name: string;
  /** `pg_type.typname`, of the element for an array. */
  readonly typeName: string;
  readonly dimensions: number;
}

export interface Where {
  /** Equal for filters that differ only in white space, case of keywords or in how a parameter is given. */
  readonly canonical: string;
  /** Names of the columns it reads. */
  readonly columns: readonly string[];
  /** For the snapshot's query: `sql` holds `$1`… and no constant; values as Postgres's text. */
  readonly query: { readonly sql: string; readonly params: readonly (string | null)[] };
  /** Three-valued: null is unknown, which leaves the row out. `text` gives a column's Postgres text, or null for NULL. */
  evaluate(text: (column: string) => string | null): boolean | null;
  /**
   * Equalities that a matching row must satisfy, one of them at the least: `column`, of type `typeName`, equal to one
   * of `values` (each once, in the type's canonical text, as `canonicalValue` gives it). Undefined when the filter has none.
   */
  readonly equality:
    | { readonly column: string; readonly typeName: string; readonly values: readonly string[] }
    | undefined;
}

/** The caller's mistake, as the wire tells it: `At location 17: syntax error at or near "x"`. */
export interface WhereError {
  readonly error: string;
  readonly field: 'where' | 'params';
}

export interface WhereLanguage {
  /** @param params text values by number, as the request gave them. */
  parse(text: string, params: Readonly<Record<string, string>>, columns: readonly WhereColumn[]): Where | WhereError;
}
