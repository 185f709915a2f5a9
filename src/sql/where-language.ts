/**
 * The WHERE language: Postgres's own parser for the grammar, our checker for the meaning.
 *
 * Nothing of a request's text reaches a database: it is parsed as `SELECT 1 WHERE <text>`, must be exactly that one
 * statement with no other clause, and is then printed anew from what the checker understood.
 */
import { loadModule, type Node, type SubLink } from 'libpg-query';
import { InvariantError } from '../base/invariant.ts';
import { conjunction } from './conjunction.ts';
import { columnsOf, type Condition } from './expression.ts';
import { isErrorFree } from './lookups/error-free.ts';
import { EvaluationError } from './evaluation-error.ts';
import { filterFamily, type FamilyLanguage } from './filter-family.ts';
import { statementsOf, tokensOf } from './syntax/grammar.ts';
import { quoteRelation, type RelationName } from './identifiers.ts';
import { Parameters as QueryParameters } from './checkers/literals.ts';
import { KnownClauses } from './syntax/known-clauses.ts';
import { bytesOf, refuseUnreadable } from './syntax/measure.ts';
import { parseOrderBy } from './order-by.ts';
import { subqueriesIn, withMemberTests } from './subqueries/member-tests.ts';
import { planOf } from './subqueries/subquery-plan.ts';
import { filterIn, firstTable } from './subqueries/subquery-syntax.ts';
import { WhereChecker } from './checkers/where-checker.ts';
import { compileCondition } from './where-compiler.ts';
import { explanationOf, type ExplainLanguage, type WhereExplanation } from './where-explanation.ts';
import { lookupsOf } from './lookups/where-lookups.ts';
import type { SubsetLanguage } from './subset.ts';
import { printCanonical, printQuery } from './where-printer.ts';
import { MAY_FAIL, PARSED_PREFIX, refusalAt, WhereRefusal } from './where-refusal.ts';
import type { DatabaseRules, SubqueryTables, Where, WhereColumn, WhereError, WhereLanguage } from './where.ts';

export const WHERE_BYTES_MAX = 65_536;
/** Each can be a shape of its own. */
const SUBQUERIES_MAX = 100;
/** What `SELECT 1 WHERE <text>` has and nothing else: a clause that the text smuggled in shows as another field. */
const STATEMENT_FIELDS = new Set(['targetList', 'whereClause', 'limitOption', 'op']);
/** A keyword is never written otherwise. */
const HAS_SUBQUERY = /select/i;
/** Loads the parser; once it is there, parsing is synchronous. */
export async function loadWhereLanguage(): Promise<WhereLanguage & FamilyLanguage & SubsetLanguage & ExplainLanguage> {
  await loadModule();
  return { tablesIn, family, parse, narrow, parseFilter, parseOrderBy, explanation };
}

function tablesIn(text: string): readonly RelationName[] | WhereError {
  if (!HAS_SUBQUERY.test(text)) return [];
  return orError(() => {
    const tables = subLinksIn(parseClause(text)).flatMap((link) => firstTable(link) ?? []);
    return [...new Map(tables.map((table) => [quoteRelation(table), table])).values()];
  });
}

/** Those that stand where a subquery may, at any depth. */
function subLinksIn(node: Node): readonly SubLink[] {
  if ('SubLink' in node) {
    const filter = filterIn(node.SubLink);
    return [node.SubLink, ...(filter === undefined ? [] : subLinksIn(filter))];
  }
  if ('BoolExpr' in node) return (node.BoolExpr.args ?? []).flatMap(subLinksIn);
  const tested = 'NullTest' in node ? node.NullTest.arg : 'BooleanTest' in node ? node.BooleanTest.arg : undefined;
  return tested === undefined ? [] : subLinksIn(tested);
}

function parse(...[text, ...meaning]: Parameters<WhereLanguage['parse']>): Where | WhereError {
  return orError(() => whereOf(checked(text, ...meaning), text));
}

const family: FamilyLanguage['family'] = (template, columns, database, table) => filterFamily(template, (text) => {
  const read = orError(() => {
    const condition = checked(text, {}, columns, undefined, database, table);
    return { condition, where: whereOf(condition, text) };
  });
  return 'error' in read ? undefined : read;
});

function explanation(...written: Parameters<WhereLanguage['parse']>): WhereExplanation | WhereError {
  return orError(() => explanationOf(checked(...written)));
}

/** @throws {WhereRefusal} */
function checked(
  text: string,
  params: Readonly<Record<string, string>>,
  columns: readonly WhereColumn[],
  tables?: SubqueryTables,
  database: DatabaseRules = {},
  table?: RelationName,
): Condition {
  const named = table && { relation: table };
  return new WhereChecker(columns, new QueryParameters(params), database, tables, named).check(parseClause(text));
}

const narrow: WhereLanguage['narrow'] = (fixed, asked, columns, database = {}, table) => {
  const named = table && { relation: table };
  return orError(() => {
    const clause = parseClause(asked.text);
    if (subLinksIn(clause).length > 0) throw new WhereRefusal('Subqueries are not allowed beside what is fixed for this client');
    const condition = new WhereChecker(columns, new QueryParameters(asked.params), database, undefined, named).check(clause);
    if (fixed === undefined) return asked;
    if (!isErrorFree(condition)) throw new WhereRefusal(MAY_FAIL);
    return conjunction(fixed, asked);
  });
};

const parseFilter: SubsetLanguage['parseFilter'] = (text, params, columns, database = {}) => {
  return orError(() => {
    const clause = parseClause(text);
    if (subLinksIn(clause).length > 0) throw new WhereRefusal('Subqueries are not allowed in subsets');
    const condition = new WhereChecker(columns, new QueryParameters(params), database).check(clause);
    printCanonical(condition); // Refuses constants that are too large together.
    return { queryBehind: (count: number) => printQuery(condition, count), isErrorFree: isErrorFree(condition) };
  });
};

function orError<Result>(run: () => Result): Result | WhereError {
  try {
    return run();
  } catch (refusal) {
    if (refusal instanceof WhereRefusal) {
      const { message, field, zone } = refusal;
      return { error: message, field, ...(zone === undefined ? {} : { zone }) };
    }
    if (refusal instanceof EvaluationError) return { error: refusal.message, field: 'where' }; // Of constants that are compared.
    throw refusal;
  }
}

function whereOf(condition: Condition, text: string): Where {
  const hasSubqueries = subqueriesIn(condition).length > 0;
  const evaluated = hasSubqueries ? withMemberTests(condition) : condition;
  const found = lookupsOf(evaluated);
  const where = {
    canonical: printCanonical(condition),
    columns: [...new Set(columnsOf(condition).map(({ name }) => name))],
    evaluate: compileCondition(evaluated),
    lookups: found?.lookups,
    ...(found?.isExact === true ? { areLookupsExact: true } as const : {}),
  };
  if (!hasSubqueries) return { ...where, query: printQuery(condition) };
  const sql = `${PARSED_PREFIX}${text}`;
  return {
    ...where,
    get query() {
      return noQuery();
    },
    subqueries: planOf(condition, sql, tokensOf(sql)),
  };
}

function noQuery(): never {
  throw new InvariantError('a filter with subqueries is queried with what they select');
}

/** Whatever is refused of a clause is so by its form, which templates share. */
const knownClauses = new KnownClauses(PARSED_PREFIX.length, parsedClause);

/** @throws {WhereRefusal} */
function parseClause(text: string): Node {
  return knownClauses.clauseOf(text);
}

function parsedClause(text: string): Node {
  if (bytesOf(text) > WHERE_BYTES_MAX) throw new WhereRefusal(`WHERE clause is bigger than maximum size of ${WHERE_BYTES_MAX} bytes`);
  const sql = `${PARSED_PREFIX}${text}`;
  refuseUnreadable(sql, refusalAt);
  const statements = statementsOf(sql);
  const [only] = statements;
  if (statements.length !== 1 || only?.stmt === undefined) throw new WhereRefusal('unescaped ";" causing statement split');
  const statement = 'SelectStmt' in only.stmt ? only.stmt.SelectStmt : {};
  const isPlain = Object.keys(statement).every((field) => STATEMENT_FIELDS.has(field)) && statement.op === 'SETOP_NONE';
  if (!isPlain || statement.whereClause === undefined) throw new WhereRefusal('malformed query ending with SQL clauses');
  const { length } = subLinksIn(statement.whereClause);
  if (length > SUBQUERIES_MAX) {
    throw new WhereRefusal(`WHERE clause has too many subqueries (${length} exceeds limit of ${SUBQUERIES_MAX})`);
  }
  return statement.whereClause;
}
