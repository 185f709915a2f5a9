/** ToldFilter: a filter in one row, as it is told over the wire: names with underscores, and a truth as a word. */
import type { LeftSide } from '../../sql/where.ts';
import type { ShapeDefinition } from '../../model/shape.ts';
import { quoteRelation } from '../../sql/identifiers.ts';
import { NULL_MEMBER, rowMember } from '../../sql/subqueries/membership.ts';
import type { ExplainedNode, ExplainedRow, NodeResult } from '../../sql/where-explanation.ts';
import type { ToldSelection } from './explain-source.ts';

/** Of a node of the tree. */
export interface ToldNode {
  readonly text: string;
  /** `true`, `false` or `unknown` of a condition, `value` of what has one, `error`, and `untold` where to ask it alone was too much. */
  readonly result: string;
  readonly value?: string | null;
  readonly error?: { readonly code: string; readonly message: string };
  readonly asked: boolean;
  readonly subquery?: number;
  readonly parts?: readonly ToldNode[];
  readonly parts_left_out?: number;
}

export function toldNode({ text, result, isAsked, subquery, parts, partsLeftOut }: ExplainedNode): ToldNode {
  return {
    text,
    ...toldResult(result),
    asked: isAsked,
    ...(subquery === undefined ? {} : { subquery: subquery.number }),
    ...(parts.length === 0 ? {} : { parts: parts.map(toldNode) }),
    ...(partsLeftOut === 0 ? {} : { parts_left_out: partsLeftOut }),
  };
}

function toldResult(result: NodeResult): Pick<ToldNode, 'result' | 'value' | 'error'> {
  switch (result.kind) {
    case 'truth':
      return { result: truthWord(result.truth) };
    case 'value':
      return { result: 'value', value: result.value };
    case 'error':
      return { result: 'error', error: result.error };
    case 'untold':
      return { result: 'untold' };
  }
}

export function verdictWord(verdict: ExplainedRow['verdict']): string {
  return typeof verdict === 'object' && verdict !== null ? 'error' : truthWord(verdict);
}

function truthWord(truth: boolean | null): string {
  return truth === null ? 'unknown' : String(truth);
}

/** What is looked for in each subquery, and what is known of it. */
export function toldSubqueries(root: ExplainedNode, { dependencies = [] }: ShapeDefinition, selection: ToldSelection): readonly unknown[] {
  return subqueryNodes(root).map(({ number, left }) => {
    const member = memberOf(left);
    const inner = dependencies[number]?.shape.relation;
    const known = member === undefined ? undefined : selection.member(number, member);
    return {
      subquery: number,
      table: inner === undefined ? null : quoteRelation(inner),
      left,
      ...(member === undefined ? {} : { selected: selection.isMember(number, member) }),
      ...(known === undefined ? {} : {
        selected_now: known.isSelectedNow, handle: known.handle, turned: known.turned ?? null, remembered_from: known.rememberedFrom,
      }),
    };
  });
}

/** Undefined for a row value with a NULL part, which equals none. */
function memberOf(left: LeftSide): string | undefined {
  if (left === null) return NULL_MEMBER;
  if (typeof left === 'string') return left;
  return left.includes(null) ? undefined : rowMember(left);
}

type Asked = NonNullable<ExplainedNode['subquery']>;

/** Each once. */
function subqueryNodes(root: ExplainedNode): readonly Asked[] {
  const askedIn = ({ subquery, parts }: ExplainedNode): readonly Asked[] => {
    return [...(subquery === undefined ? [] : [subquery]), ...parts.flatMap(askedIn)];
  };
  return [...new Map(askedIn(root).map((asked) => [JSON.stringify(asked), asked])).values()];
}
