/**
 * Explaining: why is this row in a shape, or why is it not? What Postgres has, what the filter says of it node by node, what the log told
 * of the row, and how far the shape has come are looked at one after the other, and a verdict is drawn from all of them.
 *
 * It changes nothing: no shape is made for it, and none is kept for it. The row is read before the log, so what the log has not by then
 * is on its way, unless the shape says that it has come so far.
 */
import { compareLsn, type Lsn } from '../../model/lsn.ts';
import type { ShapeDefinition } from '../../model/shape.ts';
import { storedExplanation } from '../../shapes/stored-filter.ts';
import { quoteRelation } from '../../sql/identifiers.ts';
import { speltInColumn } from '../../sql/values/spelling.ts';
import type { ExplainedRow, WhereExplanation } from '../../sql/where-explanation.ts';
import type { ApiContext } from '../api-context.ts';
import { defineShapeTarget } from '../define-shape-target.ts';
import { whenAwake, whenReady } from '../readiness.ts';
import { invalidRequest, isRefusal, mismatchedHandle, shapeGone, subsetFailed, type Refusal } from '../refusal.ts';
import type { RawParameters } from '../shape-parameters.ts';
import { explainParameters, type AskedRow, type ExplainParameters, type Texts } from './explain-parameters.ts';
import type { RowRead } from './explain-source.ts';
import { keyColumns, keyText, keyValues, type KeyValue } from './row-key.ts';
import { rowHistory, type RowHistory } from './row-history.ts';
import { told, unlessGone, type ToldAnswer } from './told-answer.ts';
import { toldNode, toldSubqueries, verdictWord } from './told-filter.ts';
import type { ToldShape } from './told-shape.ts';
import { verdict, verdictOf, type Verdict } from './verdict.ts';

/** What is asked about. */
interface Subject {
  readonly definition: ShapeDefinition;
  /** Undefined for a shape that there is not. */
  readonly shape: ToldShape | undefined;
  /** The request names a handle that has ended. */
  readonly isGone: boolean;
}

/** The row: where it comes from, and its values, as far as the shape reads them. Undefined for no row. */
interface Row {
  readonly key: string | undefined;
  /** Of one that was written down: whether its key is certain to be written as lines have it. */
  readonly isKeySpelt: boolean;
  readonly values: Texts | undefined;
  readonly read: Extract<RowRead, { outcome: 'row' }> | undefined;
}

export async function explainShape(context: ApiContext, raw: RawParameters, signal: AbortSignal): Promise<ToldAnswer | Refusal> {
  const parameters = explainParameters(raw);
  if (isRefusal(parameters)) return parameters;
  const unready = (await whenReady(context, 'readable')) ?? (await whenAwake(context, signal));
  if (unready !== undefined) return unready;
  const subject = await subjectOf(context, parameters);
  if (isRefusal(subject)) return subject;
  const explanation = storedExplanation(subject.definition, context.ports.explain.language);
  if (explanation !== undefined && 'error' in explanation) return shapeGone();
  const row = await rowOf(context, subject, parameters.row, explanation, signal);
  if (isRefusal(row)) return row;
  return answer(context, subject, row, explanation, signal);
}

async function subjectOf(context: ApiContext, { handle, shape: parameters }: ExplainParameters): Promise<Subject | Refusal> {
  const { explain, shapes } = context.ports;
  const named = handle === undefined ? undefined : explain.shape(handle);
  if (parameters.table === undefined) {
    return named === undefined ? shapeGone() : { definition: named.definition, shape: named, isGone: false };
  }
  const target = await defineShapeTarget(context, parameters);
  if (isRefusal(target)) return target;
  const found = shapes.find(target.definition);
  if (named !== undefined && found !== named.handle) return mismatchedHandle();
  const isGone = handle !== undefined && named === undefined;
  return { definition: target.definition, shape: found === undefined || isGone ? undefined : explain.shape(found), isGone };
}

async function rowOf(
  { ports }: ApiContext,
  { definition, shape }: Subject,
  asked: AskedRow,
  explanation: WhereExplanation | undefined,
  signal: AbortSignal,
): Promise<Row | Refusal> {
  if (asked.by === 'row') return writtenRow(definition, asked.values, explanation);
  const key = asked.by === 'key' ? keyValues(definition, asked.key) : valuesOf(definition, asked.values);
  if (key === undefined) return invalidRequest({ [asked.by]: [`is no key of a row of ${quoteRelation(definition.relation)}`] });
  const read = await ports.explain.readRow({ definition, handle: shape?.handle, key, signal });
  if (read.outcome === 'over') return shapeGone();
  if (read.outcome === 'refused') {
    const { status, code, message } = read;
    return status === 400 ? invalidRequest({ [asked.by]: [message] }) : subsetFailed(status, code, message);
  }
  const text = keyText(definition, read.row === undefined ? key : keyOf(definition, read.row));
  return { key: text, isKeySpelt: true, values: read.row, read };
}

/** As it stands in the lines: `1.00` is asked for by `1` as well. */
function keyOf(definition: ShapeDefinition, values: Texts): readonly KeyValue[] {
  return keyColumns(definition).map((column) => ({ column, text: values[column] ?? null }));
}

/** All of them, and no others. */
function valuesOf(definition: ShapeDefinition, values: Texts): readonly KeyValue[] | undefined {
  const columns = keyColumns(definition);
  const isKey = columns.length === Object.keys(values).length && columns.every((column) => Object.hasOwn(values, column));
  return isKey ? keyOf(definition, values) : undefined;
}

/** What the filter reads must be there, and be a value of its column. What else is there is no matter. */
function writtenRow(definition: ShapeDefinition, values: Texts, explanation: WhereExplanation | undefined): Row | Refusal {
  const spelt: Record<string, string | null> = { ...values };
  for (const column of explanation?.columns ?? []) {
    const text = Object.hasOwn(values, column) ? values[column] : undefined;
    if (text === undefined) return invalidRequest({ row: [`has no value for "${column}", which the filter reads`] });
    const value = text === null ? null : explanation?.spelt(column, text);
    if (value === undefined) return invalidRequest({ row: [`has a value for "${column}" that is none of its type`] });
    spelt[column] = value;
  }
  return { ...writtenKey(definition, spelt), values: spelt, read: undefined };
}

/** Who writes `07` or a uuid in capitals means the row that Postgres writes otherwise. */
function writtenKey(definition: ShapeDefinition, values: Texts): Pick<Row, 'key' | 'isKeySpelt'> {
  if (!keyColumns(definition).every((column) => Object.hasOwn(values, column))) return { key: undefined, isKeySpelt: false };
  const parts = keyOf(definition, values).map(({ column, text }) => {
    const type = definition.reads.find(({ name }) => name === column);
    return { column, text, spelt: text === null || type === undefined ? text : speltInColumn(text, type) };
  });
  const key = keyText(definition, parts.map(({ column, text, spelt }) => ({ column, text: spelt ?? text })));
  return { key, isKeySpelt: parts.every(({ spelt }) => spelt !== undefined) };
}

async function answer(
  context: ApiContext,
  subject: Subject,
  row: Row,
  explanation: WhereExplanation | undefined,
  signal: AbortSignal,
): Promise<ToldAnswer | Refusal> {
  const { shape } = subject;
  const hasPassed = row.read !== undefined && shape !== undefined && hasCome(context, shape, row.read.pgSnapshot.insertLsn);
  const filter = filterIn(context, subject, row, explanation); // At once: what the shape sees now may be forgotten in a moment.
  const history = await historyOf(context, shape, row.key, signal);
  if (history !== undefined && 'kind' in history) return history;
  return told(200, {
    verdict: drawnVerdict(subject, row, filter, history, hasPassed),
    in_shape: toldIn(row, history),
    shape: toldShape(context, subject),
    row: toldRow(row),
    filter: filter.told,
    subqueries: filter.subqueries,
    log: history === undefined ? null : {
      looked_from: history.lookedFrom, entries: history.entries, entries_left_out: history.entriesLeftOut,
    },
  });
}

/** Where lines may write its key otherwise, that none has it says nothing. */
function toldIn({ isKeySpelt }: Row, history: RowHistory | undefined): boolean | null {
  if (history === undefined || (!isKeySpelt && history.entries.length === 0)) return null;
  return history.isIn ?? null;
}

/** The filter in the row, and how it is told. Without a row, or a filter, there is nothing to tell. */
interface ToldFilter {
  /** False where nobody knows what its subqueries select. */
  readonly isKnown: boolean;
  readonly explained: ExplainedRow | undefined;
  readonly told: unknown;
  readonly subqueries: readonly unknown[];
}

function filterIn({ ports }: ApiContext, { definition, shape }: Subject, { values }: Row, explanation?: WhereExplanation): ToldFilter {
  const nothing = { isKnown: true, explained: undefined, told: null, subqueries: [] };
  if (values === undefined || explanation === undefined) return nothing;
  const selection = definition.dependencies && shape && ports.explain.selected(shape.handle);
  if (definition.dependencies !== undefined && selection === undefined) return { ...nothing, isKnown: false };
  const explained = explanation.explain((column) => values[column] ?? null, selection?.isMember);
  return {
    isKnown: true,
    explained,
    told: { result: verdictWord(explained.verdict), ...errorOf(explained), root: toldNode(explained.root) },
    subqueries: selection === undefined ? [] : toldSubqueries(explained.root, definition, selection),
  };
}

function historyOf(
  { ports, searches }: ApiContext,
  shape: ToldShape | undefined,
  key: string | undefined,
  signal: AbortSignal,
): Promise<RowHistory | Refusal | undefined> {
  if (shape === undefined || key === undefined) return Promise.resolve(undefined);
  const question = [shape.handle, shape.end, shape.snapshot.state, key].join(' '); // Of a log that has not grown the answer is the same.
  return unlessGone(ports, shape.handle, () => searches.rows.ask(question, signal, (stop) => rowHistory(shape, key, stop)));
}

function drawnVerdict(
  { definition, shape, isGone }: Subject,
  { values, read }: Row,
  { isKnown, explained }: ToldFilter,
  history: RowHistory | undefined,
  hasPassed: boolean,
): Verdict {
  if (read !== undefined && isGone) return verdict('shape_gone');
  if (read !== undefined && shape === undefined) return verdict('no_shape');
  if (!isKnown) return verdict('unknown_value');
  const taken = values === undefined ? undefined : takenBy(explained);
  if (read === undefined || shape === undefined || history === undefined) {
    return verdict(taken === 'taken' ? 'would_be_in' : taken === 'error' ? 'filter_failed' : 'filtered_out');
  }
  if (shape.snapshot.state === 'awaited') return verdict('not_yet');
  return verdictOf({
    taken,
    isIn: history.isIn,
    wasTold: history.entries.length > 0,
    hasMoved: history.hasMovedOut,
    hasPassed,
    isByOldView: definition.dependencies !== undefined && !hasPassed,
    isAhead: read.isAhead,
    hasNoFirstRows: definition.log === 'changes_only',
  });
}

/** A shape without a filter takes every row. */
function takenBy(explained: ExplainedRow | undefined): 'taken' | 'left out' | 'error' {
  if (explained === undefined || explained.verdict === true) return 'taken';
  return typeof explained.verdict === 'object' && explained.verdict !== null ? 'error' : 'left out';
}

/** Whether the shape holds what Postgres had logged by then. */
function hasCome({ ports }: ApiContext, { waitsAt }: ToldShape, lsn: Lsn): boolean {
  const place = waitsAt ?? ports.lastProcessedLsn();
  return place !== undefined && compareLsn(place, lsn) >= 0;
}

function toldShape({ ports }: ApiContext, { definition, shape }: Subject): unknown {
  const { relation, columns, where, replica, log } = definition;
  return {
    handle: shape?.handle ?? null,
    table: quoteRelation(relation),
    columns,
    where: where?.text ?? null,
    params: where?.params ?? [],
    replica,
    log,
    ...(shape && { snapshot: shape.snapshot.state, offset: shape.end, lsn: shape.waitsAt ?? ports.lastProcessedLsn() ?? null }),
    waits: shape?.waitsAt !== undefined,
  };
}

function toldRow({ key, values, read }: Row): unknown {
  return {
    key: key ?? null,
    from: read === undefined ? 'request' : 'database',
    value: values ?? null,
    ...(read && { database_lsn: read.pgSnapshot.insertLsn }),
  };
}

function errorOf({ verdict: found }: ExplainedRow): object {
  return typeof found === 'object' && found !== null ? { error: found } : {};
}

