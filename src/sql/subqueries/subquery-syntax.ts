/**
 * The two forms of subquery that a filter may have: `left IN (SELECT column FROM [schema.]table [alias] [WHERE …])`, or of a row with as
 * many columns, which may be cast; and the same table behind `EXISTS`.
 *
 * A white list, as for all of the grammar: what the statement has besides is refused.
 */
import type { ColumnRef, Node, RangeVar, SelectStmt, SubLink, TypeCast } from 'libpg-query';
import type { RelationName } from '../identifiers.ts';
import { refusalAt } from '../where-refusal.ts';
import type { NamedTable } from './named-table.ts';

interface SelectSyntax {
  readonly table: NamedTable;
  readonly where: Node | undefined;
  /** Of its IN or EXISTS. */
  readonly location: number;
}

export type SubquerySyntax =
  /** As many on the left as are selected. */
  | (SelectSyntax & { readonly kind: 'in'; readonly left: readonly Node[]; readonly selected: readonly SelectedSyntax[] })
  /** `listed`: what it selects, but for constants. */
  | (SelectSyntax & { readonly kind: 'exists'; readonly listed: readonly ColumnRef[] });

export interface SelectedSyntax {
  readonly node: Node;
  readonly column: ColumnRef;
  /** From the innermost on. */
  readonly casts: readonly TypeCast[];
}

/** Each way in which a member may have NULLs is looked for by itself. */
const COLUMNS_MAX = 8;

const SELECT_FIELDS = new Set(['targetList', 'fromClause', 'whereClause', 'limitOption', 'op']);
/** By the fields that they have in the parse tree; of several the first here is told. */
const CLAUSES: Readonly<Record<string, string>> = {
  withClause: 'WITH', valuesLists: 'VALUES', distinctClause: 'DISTINCT', groupClause: 'GROUP BY', havingClause: 'HAVING',
  windowClause: 'WINDOW', sortClause: 'ORDER BY', limitCount: 'LIMIT', limitOffset: 'OFFSET', lockingClause: 'FOR', intoClause: 'INTO',
};
const SET_OPERATIONS: Readonly<Record<string, string>> = {
  SETOP_UNION: 'UNION', SETOP_INTERSECT: 'INTERSECT', SETOP_EXCEPT: 'EXCEPT',
};
const TARGET_FIELDS = new Set(['val', 'location']);
const UNREAD_TARGET_FIELDS = new Set([...TARGET_FIELDS, 'name']);
const TABLE_FIELDS = new Set(['schemaname', 'relname', 'inh', 'relpersistence', 'alias', 'location']);
const ALIAS_FIELDS = new Set(['aliasname']);
const OTHER_SUBLINK = 'only `value IN (SELECT ...)` sublinks are supported right now';

/** @throws {WhereRefusal} for any other form. */
export function readSubquery({ subLinkType, operName, testexpr, subselect, location = 0 }: SubLink): SubquerySyntax {
  if (subLinkType === 'EXISTS_SUBLINK') {
    const select = plainSelect(subselect, location);
    const listed = (select.targetList ?? []).flatMap(listedColumn);
    return { kind: 'exists', table: onlyTable(select, location), where: select.whereClause, listed, location };
  }
  if (subLinkType !== 'ANY_SUBLINK' || operName !== undefined) throw refusalAt(location, OTHER_SUBLINK);
  const left = leftSide(testexpr);
  if (left.length > COLUMNS_MAX) throw refusalAt(location, `\`IN (SELECT ...)\` takes at most ${COLUMNS_MAX} columns`);
  const select = plainSelect(subselect, location);
  const table = onlyTable(select, location);
  return { kind: 'in', left, table, selected: selectedBy(select, left.length, location), where: select.whereClause, location };
}

/** What a subquery of any form selects from first, if that is a table. */
export function firstTable({ subselect }: SubLink): RelationName | undefined {
  const [from] = (subselect !== undefined && 'SelectStmt' in subselect && subselect.SelectStmt.fromClause) || [];
  return from !== undefined && 'RangeVar' in from ? nameOf(from.RangeVar) : undefined;
}

/** The filter of a subquery of any form, if it has one. */
export function filterIn({ subselect }: SubLink): Node | undefined {
  return subselect !== undefined && 'SelectStmt' in subselect ? subselect.SelectStmt.whereClause : undefined;
}

function nameOf({ schemaname = 'public', relname = '' }: RangeVar): RelationName {
  return { schema: schemaname, name: relname };
}

/** The parts of a row; with ROW before it, a row may have one part. */
function leftSide(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  return 'RowExpr' in node ? (node.RowExpr.args ?? []) : [node];
}

function plainSelect(node: Node | undefined, location: number): SelectStmt {
  const select = node !== undefined && 'SelectStmt' in node ? node.SelectStmt : {};
  const clause = SET_OPERATIONS[select.op ?? ''] ?? Object.entries(CLAUSES).find(([field]) => hasClause(select, field))?.[1];
  if (clause !== undefined) throw refusalAt(location, `SELECT statement must not contain any clauses: ${clause}`);
  const isPlain = hasOnly(select, SELECT_FIELDS) && select.op === 'SETOP_NONE' && select.limitOption === 'LIMIT_OPTION_DEFAULT';
  if (!isPlain) throw refusalAt(location, 'SELECT statement must not contain any clauses');
  return select;
}

function hasClause(select: SelectStmt, field: string): boolean {
  return Object.entries(select).some(([name, value]) => name === field && value !== undefined);
}

function onlyTable({ fromClause: [from, ...others] = [] }: SelectStmt, location: number): NamedTable {
  const table = from !== undefined && 'RangeVar' in from && others.length === 0 ? from.RangeVar : undefined;
  const { alias = {} } = table ?? {};
  if (table?.inh === true && hasOnly(table, TABLE_FIELDS) && hasOnly(alias, ALIAS_FIELDS)) {
    return { relation: nameOf(table), alias: alias.aliasname };
  }
  const at = table?.location ?? location;
  throw refusalAt(at, `Expected a single table reference${from === undefined ? '' : `: ${whyNoTable(from, others.length > 0)}`}`);
}

function whyNoTable(from: Node, isList: boolean): string {
  if (isList) return 'a list of tables is not supported';
  if ('JoinExpr' in from) return 'JOIN is not supported';
  if (!('RangeVar' in from)) return 'what stands behind FROM is no table';
  const { alias, inh } = from.RangeVar;
  if (alias?.colnames !== undefined) return 'an alias with columns is not supported';
  return inh === true ? 'the name of a database is not supported' : 'ONLY is not supported';
}

function selectedBy({ targetList = [] }: SelectStmt, count: number, location: number): readonly SelectedSyntax[] {
  const isAsMany = targetList.length === count && count > 0;
  if (!isAsMany) throw refusalAt(location, `a subquery must select exactly ${count === 1 ? 'one column' : `${count} columns`}`);
  return targetList.map((target) => {
    const { ResTarget } = 'ResTarget' in target ? target : { ResTarget: {} };
    const selected = ResTarget.val === undefined || !hasOnly(ResTarget, TARGET_FIELDS) ? undefined : castColumn(ResTarget.val);
    if (selected === undefined) throw refusalAt(ResTarget.location, 'Expected a plain column reference');
    return selected;
  });
}

/** @returns undefined for what is no column, cast or not. */
function castColumn(node: Node): SelectedSyntax | undefined {
  if ('TypeCast' in node) {
    const within = node.TypeCast.arg && castColumn(node.TypeCast.arg);
    return within && { ...within, node, casts: [...within.casts, node.TypeCast] };
  }
  const column = 'ColumnRef' in node ? node.ColumnRef : undefined;
  return column?.fields?.every((name) => 'String' in name) === true ? { node, column, casts: [] } : undefined;
}

/** EXISTS reads no column, but an aggregate or a set would make other rows. @returns none for a constant. */
function listedColumn(target: Node): readonly ColumnRef[] {
  const { val, ...fields } = 'ResTarget' in target ? target.ResTarget : {};
  const isUnread = val !== undefined && ('A_Const' in val || 'ColumnRef' in val) && hasOnly(fields, UNREAD_TARGET_FIELDS);
  if (!isUnread) throw refusalAt(fields.location, '`EXISTS (SELECT ...)` can only select constants, columns and `*`');
  return 'ColumnRef' in val ? [val.ColumnRef] : [];
}

function hasOnly(fields: object, known: ReadonlySet<string>): boolean {
  return Object.keys(fields).every((field) => known.has(field));
}
