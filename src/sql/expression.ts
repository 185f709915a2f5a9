/**
 * Expression: a filter that was checked, every part of it typed. Whoever evaluates, prints or searches it needs no
 * further check, and finds nothing in it that Postgres and we could see differently.
 */
import type { RelationName } from './identifiers.ts';
import type { LikePattern } from './like-pattern.ts';
import type { TypeName, Value } from './value-types.ts';

export type Comparison = '=' | '<>' | '<' | '>' | '<=' | '>=';

/** A column of any type may be asked for NULL. */
export interface ColumnReference {
  readonly kind: 'column';
  readonly name: string;
}

export interface TypedColumn extends ColumnReference {
  readonly type: TypeName;
}

export interface Constant {
  readonly kind: 'constant';
  readonly type: TypeName;
  /** Of this type; null for NULL. */
  readonly value: Value | null;
  /** As it is given to Postgres. */
  readonly text: string | null;
}

/** What has a value of a type: the sides of a comparison. */
export type Operand = TypedColumn | Constant;

/** The values that a column has in the rows of a table for which `where` is true. */
export interface Selection {
  readonly table: RelationName;
  readonly column: TypedColumn;
  /** Undefined for every row. Without subqueries of its own. */
  readonly where: Condition | undefined;
}

/** The left side, and what is selected, are of one family of types. */
export interface Subquery {
  readonly kind: 'subquery';
  readonly left: TypedColumn;
  /** The same for equal selections; counted from 0 as they stand. */
  readonly number: number;
  readonly selection: Selection;
  /** Of its IN, in bytes of the parsed text. */
  readonly location: number;
}

export type Condition =
  /** A boolean column or constant standing for itself. */
  | { readonly kind: 'operand'; readonly operand: Operand }
  /** Both sides are compared as `type`. */
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Operand; readonly right: Operand; readonly type: TypeName }
  /** NULL is a value like others here; never unknown. */
  | { readonly kind: 'distinct'; readonly left: Operand; readonly right: Operand; readonly type: TypeName }
  /** Equal, compared as `type`, to one of the items, of which there is at least one. */
  | { readonly kind: 'in'; readonly left: Operand; readonly items: readonly Constant[]; readonly type: TypeName }
  /** Stands below AND and OR only. */
  | Subquery
  | { readonly kind: 'like'; readonly left: Operand; readonly pattern: LikePattern | null; readonly ignoreCase: boolean }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'isNull'; readonly part: ColumnReference | Constant | Condition }
  | { readonly kind: 'isTruth'; readonly truth: boolean | null; readonly part: Condition };
