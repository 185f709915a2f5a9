/**
 * Expression: a filter that was checked, every part of it typed. Whoever evaluates, prints or searches it needs no
 * further check, and finds nothing in it that Postgres and we could see differently.
 */
import type { Collation } from '../model/collation.ts';
import type { RelationName } from './identifiers.ts';
import type { LikePattern } from './patterns/like-pattern.ts';
import type { Cases } from './operations/cases.ts';
import type { Operation } from './operations/operation.ts';
import type { TypeName } from './values/type-names.ts';
import type { Value } from './values/values.ts';

/** Of all constants together: a short text names a long parameter thousands of times, and a shape's definition holds each of them. */
export const CONSTANT_CHARACTERS_MAX = 1_048_576;

export type Comparison = '=' | '<>' | '<' | '>' | '<=' | '>=';

/** Whether more is asked of two values than if they are equal. */
export function isOrder(operator: Comparison): boolean {
  return operator !== '=' && operator !== '<>';
}

/** A column of any type may be asked for NULL. */
export interface ColumnReference {
  readonly kind: 'column';
  readonly name: string;
}

export interface TypedColumn extends ColumnReference {
  readonly type: TypeName;
  /** Of text, where it is known. */
  readonly collation?: Collation | undefined;
}

export interface Constant {
  readonly kind: 'constant';
  readonly type: TypeName;
  /** Of this type; null for NULL. */
  readonly value: Value | null;
  /** As it is given to Postgres. */
  readonly text: string | null;
  /** Columns stand in it, which make no difference: `a + NULL` is NULL. */
  readonly namesColumns?: true;
  /** A label of an enum, or several: Postgres is given it without a type, and says itself whether there is such a label. */
  readonly isLabel?: true;
}

/** Its arguments are of the types that the operation takes, and not all of them constants, unless it is stable. */
export interface Call {
  readonly kind: 'call';
  readonly type: TypeName;
  readonly operation: Operation;
  readonly args: readonly Operand[];
}

/** A condition as a value. */
export interface Truth {
  readonly kind: 'truth';
  readonly type: 'bool';
  readonly condition: Condition;
}

/** What has a value of a type: the sides of a comparison. */
export type Operand = TypedColumn | Constant | Call | Truth;

/** The values that columns have in the rows of a table for which `where` is true; of several, row values. */
export interface Selection {
  readonly table: RelationName;
  readonly columns: readonly SelectedColumn[];
  /** Undefined for every row. Subqueries may stand in it. */
  readonly where: Condition | undefined;
}

export interface SelectedColumn {
  readonly column: TypedColumn;
  /** In their order. Behind them its values are of the family as which they are compared. */
  readonly casts: readonly TypeName[];
}

/** A part of what stands on the left of a subquery, and as which type it is compared with what that selects. */
export interface LeftPart {
  readonly operand: Operand;
  readonly type: TypeName;
}

export interface Subquery {
  readonly kind: 'subquery';
  /** As many as the columns that are selected. */
  readonly left: readonly LeftPart[];
  /** The same for equal selections; counted from 0 as they stand. */
  readonly number: number;
  readonly selection: Selection;
  /** Of its IN or EXISTS, in bytes of the parsed text. */
  readonly location: number;
  /** What its WHERE has otherwise where it stands alone. */
  readonly alone: StandingAlone;
}

export interface StandingAlone {
  /** Columns, and what they are called there. */
  readonly renamed: readonly (WrittenColumn & { readonly sql: string })[];
  /** The sides of each equality with a column of the table around it, which is left out. */
  readonly correlations: readonly (readonly [WrittenColumn, WrittenColumn])[];
}

/** As it stands in the parsed text. */
export interface WrittenColumn {
  /** In bytes. */
  readonly location: number;
  /** How many: its own, and those that it is qualified by. */
  readonly names: number;
}

export type Condition =
  /** A boolean standing for itself. */
  | { readonly kind: 'operand'; readonly operand: Operand }
  /** Both sides are compared as `type`. */
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Operand; readonly right: Operand; readonly type: TypeName }
  /** NULL is a value like others here; never unknown. */
  | { readonly kind: 'distinct'; readonly left: Operand; readonly right: Operand; readonly type: TypeName }
  /** Equal, compared as `type`, to one of the items, of which there is at least one. */
  | { readonly kind: 'in'; readonly left: Operand; readonly items: readonly Constant[]; readonly type: TypeName }
  /** Stands below AND, OR and NOT, and in tests of a truth; in that for unknown by itself. */
  | Subquery
  /** `cases`: of ILIKE. */
  | { readonly kind: 'like'; readonly left: Operand; readonly pattern: LikePattern | null; readonly cases?: Cases | undefined }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'isNull'; readonly part: ColumnReference | Exclude<Operand, Truth> | Condition }
  | { readonly kind: 'isTruth'; readonly truth: boolean | null; readonly part: Condition };

/** The columns that a filter reads, as often as they stand in it. */
export function columnsOf(condition: Condition): readonly ColumnReference[] {
  switch (condition.kind) {
    case 'operand':
      return columnsIn(condition.operand);
    case 'compare':
    case 'distinct':
      return columnsIn(condition.left, condition.right);
    case 'in':
    case 'like':
      return columnsIn(condition.left);
    case 'subquery':
      return columnsIn(...condition.left.map(({ operand }) => operand));
    case 'and':
    case 'or':
      return condition.parts.flatMap(columnsOf);
    case 'not':
    case 'isTruth':
      return columnsOf(condition.part);
    case 'isNull':
      return isOperand(condition.part) ? columnsIn(condition.part) : columnsOf(condition.part);
  }
}

export function columnsIn(...operands: readonly (Operand | ColumnReference)[]): readonly (ColumnReference | TypedColumn)[] {
  return operands.flatMap((operand): readonly (ColumnReference | TypedColumn)[] => {
    switch (operand.kind) {
      case 'column':
        return [operand];
      case 'constant':
        return [];
      case 'call':
        return columnsIn(...operand.args);
      case 'truth':
        return columnsOf(operand.condition);
    }
  });
}

export function isOperand(
  part: ColumnReference | Operand | Condition,
): part is ColumnReference | Operand {
  return part.kind === 'column' || part.kind === 'constant' || part.kind === 'call' || part.kind === 'truth';
}
