/**
 * WhereExplanation: what a filter comes to in one row, node by node: for who wonders why a row is in a shape, or is not.
 *
 * It is no second evaluator, which could be of another opinion than the first. Each node is asked through the very closure of which the
 * filter is made, and of a filter with subqueries the tree is the one that is followed, with each subquery in a test of its own. The
 * verdict is what `evaluate` says. What the nodes cost is bounded by what one evaluation may cost, and so is their number.
 */
import {
  columnsOf, isOperand, type ColumnReference, type Condition, type Operand, type Subquery, type TypedColumn,
} from './expression.ts';
import { EvaluationError } from './evaluation-error.ts';
import { withMemberTests, subqueriesIn } from './subqueries/member-tests.ts';
import type { Truth } from './subqueries/truths.ts';
import { VALUE_TYPES } from './values/value-types.ts';
import { compileCondition, compileOperand, leftReader, settledTruth } from './where-compiler.ts';
import { cutText, readableCondition, readableOperand } from './where-readable.ts';
import type { ColumnText, LeftSide, Membership, WhereError, WhereLanguage } from './where.ts';
import { withinBounds } from './work.ts';

/** For who asks about one row; a filter that is followed keeps nothing for it. */
export interface ExplainLanguage {
  /** What is written is what `parse` takes, and means the same. */
  explanation(...written: Parameters<WhereLanguage['parse']>): WhereExplanation | WhereError;
}

export interface WhereExplanation {
  /** Names of the columns that the filter reads, each once. */
  readonly columns: readonly string[];
  /** As Postgres writes the value that `text` is in a column of `columns`; undefined for a text that is no value of its type. */
  spelt(column: string, text: string): string | undefined;
  /** @param text of the columns, as Postgres writes them. @param isMember as for `Where.evaluate`. */
  explain(text: ColumnText, isMember?: Membership): ExplainedRow;
}

export interface ExplainedRow {
  /** Of the whole filter. Null is unknown, which leaves the row out. */
  readonly verdict: Truth | NodeError;
  readonly root: ExplainedNode;
}

export interface NodeError {
  /** Postgres's SQLSTATE. */
  readonly code: string;
  readonly message: string;
}

export interface ExplainedNode {
  /** As Postgres would spell it; the end of a long one is left out. */
  readonly text: string;
  readonly result: NodeResult;
  /** False where the filter has come to its verdict without it. */
  readonly isAsked: boolean;
  /** Of `left IN (SELECT …)`. */
  readonly subquery?: { readonly number: number; readonly left: LeftSide };
  readonly parts: readonly ExplainedNode[];
  /** Above zero where there are more nodes than are told. */
  readonly partsLeftOut: number;
}

export type NodeResult =
  | { readonly kind: 'truth'; readonly truth: Truth }
  /** As Postgres writes it; null for NULL. */
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'error'; readonly error: NodeError }
  /** To work it out by itself would be too much. */
  | { readonly kind: 'untold' };

export const NODES_MAX = 1000;
/** Of an evaluation that had too much to do. */
const TOO_MUCH_CODE = '54000';

/** @param condition of a filter, as it was checked. */
export function explanationOf(condition: Condition): WhereExplanation {
  const evaluated = subqueriesIn(condition).length > 0 ? withMemberTests(condition) : condition;
  const evaluate = compileCondition(evaluated);
  const columns = typedFirst(columnsOf(condition));
  return {
    columns: [...columns.keys()],
    spelt: (name, text) => spelt(columns.get(name), text),
    explain(text, isMember) {
      const verdict = resultOf(() => ({ kind: 'truth', truth: evaluate(text, isMember) }));
      const tell = withinBounds(() => new RowWalk(text, isMember).conditionNode(evaluated, true));
      return { verdict: verdictOf(verdict), root: { ...tell(undefined, undefined), result: verdict } };
    },
  };
}

/** Of a column that is asked for NULL alone no type is known; elsewhere in the filter it may have one. */
function typedFirst(columns: readonly ColumnReference[]): ReadonlyMap<string, ColumnReference> {
  const byName = new Map<string, ColumnReference>();
  for (const column of columns) if ('type' in column || !byName.has(column.name)) byName.set(column.name, column);
  return byName;
}

function spelt(column: ColumnReference | TypedColumn | undefined, text: string): string | undefined {
  if (column === undefined || !('type' in column)) return text;
  const { parse, print } = VALUE_TYPES[column.type];
  const value = parse(text);
  return value === undefined ? undefined : print(value);
}

function verdictOf(result: NodeResult): ExplainedRow['verdict'] {
  if (result.kind === 'error') return result.error;
  return result.kind === 'truth' ? result.truth : null;
}

function resultOf(ask: () => NodeResult): NodeResult {
  try {
    return ask();
  } catch (error) {
    if (error instanceof EvaluationError) return { kind: 'error', error: { code: error.code, message: error.message } };
    throw error;
  }
}

type Part = { readonly condition: Condition; readonly isAsked: boolean } | { readonly operand: Operand | ColumnReference };

class RowWalk {
  private nodes = 0;

  constructor(
    private readonly text: ColumnText,
    private readonly isMember: Membership | undefined,
  ) {}

  conditionNode(condition: Condition, isAsked: boolean): ExplainedNode {
    const result = this.told(() => ({ kind: 'truth', truth: compileCondition(condition)(this.text, this.isMember) }));
    const node = { text: readableCondition(condition), result, isAsked };
    const subquery = condition.kind === 'subquery' ? { subquery: this.askedOf(condition) } : {};
    if (condition.kind === 'and' || condition.kind === 'or') return { ...node, ...this.logicParts(condition, isAsked) };
    return { ...node, ...subquery, ...this.listed(partsOf(condition, isAsked), isAsked) };
  }

  private operandNode(operand: Operand | ColumnReference, isAsked: boolean): ExplainedNode {
    const result = this.told(() => ({ kind: 'value', value: this.valueOf(operand) }));
    const args = operand.kind === 'call' ? operand.args.map((arg): Part => ({ operand: arg })) : [];
    return { text: readableOperand(operand), result, isAsked, ...this.listed(args, isAsked) };
  }

  private valueOf(operand: Operand | ColumnReference): string | null {
    if (operand.kind === 'column') return cut(this.text(operand.name));
    const value = compileOperand(operand)(this.text);
    return value === null ? null : cut(VALUE_TYPES[operand.type].print(value));
  }

  /** AND stops at the first part that is false, OR at the first that is true, and both at an error. */
  private logicParts({ kind, parts }: Extract<Condition, { kind: 'and' | 'or' }>, isAsked: boolean): Listed {
    const decisive = kind === 'or';
    const settled = parts.findIndex((part) => settledTruth(part) === decisive); // Known without a row: nothing beside it is asked.
    let isOpen = true;
    return this.list(parts, (part, index) => {
      const node = this.conditionNode(part, isAsked && (settled < 0 ? isOpen : index === settled));
      if (node.result.kind === 'error' || (node.result.kind === 'truth' && node.result.truth === decisive)) isOpen = false;
      return node;
    });
  }

  /** A constant says itself what it is. */
  private listed(parts: readonly Part[], isAsked: boolean): Listed {
    const telling = parts.filter((part) => 'condition' in part || part.operand.kind !== 'constant');
    return this.list(telling, (part) => {
      if ('condition' in part) return this.conditionNode(part.condition, part.isAsked);
      const { operand } = part;
      return operand.kind === 'truth' ? this.conditionNode(operand.condition, isAsked) : this.operandNode(operand, isAsked);
    });
  }

  private list<Item>(items: readonly Item[], nodeOf: (item: Item, index: number) => ExplainedNode): Listed {
    const parts: ExplainedNode[] = [];
    for (const [index, item] of items.entries()) {
      if (this.nodes >= NODES_MAX) break;
      this.nodes += 1;
      parts.push(nodeOf(item, index));
    }
    return { parts, partsLeftOut: items.length - parts.length };
  }

  private askedOf({ number, left }: Subquery): NonNullable<ExplainedNode['subquery']> {
    let value: LeftSide = null;
    this.told(() => {
      value = leftReader(left)(this.text);
      return { kind: 'untold' };
    });
    return { number, left: value };
  }

  /** All nodes together may cost what one evaluation may. What has no more left is not told, which is no error of the filter. */
  private told(ask: () => NodeResult): NodeResult {
    const result = resultOf(ask);
    return result.kind === 'error' && result.error.code === TOO_MUCH_CODE ? { kind: 'untold' } : result;
  }
}

type Listed = Pick<ExplainedNode, 'parts' | 'partsLeftOut'>;

function partsOf(condition: Condition, isAsked: boolean): readonly Part[] {
  switch (condition.kind) {
    case 'operand':
      return condition.operand.kind === 'call' ? condition.operand.args.map((operand) => ({ operand })) : partsOfBare(condition.operand);
    case 'compare':
    case 'distinct':
      return [{ operand: condition.left }, { operand: condition.right }];
    case 'in':
    case 'like':
      return [{ operand: condition.left }];
    case 'subquery':
      return condition.left.map(({ operand }) => ({ operand }));
    case 'and':
    case 'or':
      return condition.parts.map((part) => ({ condition: part, isAsked }));
    case 'not':
    case 'isTruth':
      return [{ condition: condition.part, isAsked }];
    case 'isNull':
      return [isOperand(condition.part) ? { operand: condition.part } : { condition: condition.part, isAsked }];
  }
}

/** A column that is a condition by itself has its value in its result; a constant too. */
function partsOfBare(operand: Operand): readonly Part[] {
  return operand.kind === 'truth' ? [{ operand }] : [];
}

function cut(value: string | null): string | null {
  return value === null ? null : cutText(value);
}
