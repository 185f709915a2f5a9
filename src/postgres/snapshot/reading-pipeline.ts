/**
 * ReadingPipeline: a transaction that reads rows of a table, as one write: it begins, looks at the table, reads, makes sure that the table
 * lies where it lay, and ends. Step by step each would be a way to Postgres and back, which for few rows is most of what they cost.
 *
 * What the later steps need of the look must be known before: it is what an earlier look at the same table found. Where this one finds
 * something else, the rows count for nothing and the session is closed, however much it was to bring: who asked begins anew.
 */
import type pg from 'pg';
import { invariant } from '../../base/invariant.ts';
import { frontendMessage } from '../connection/raw-wire.ts';
import { piped, PipedStatements } from '../connection/piped-statements.ts';
import { SYNC } from '../connection/session-statements.ts';
import type { Question } from '../connection/prepared-question.ts';
import { rowTexts } from '../encoding/data-row-fields.ts';
import type { KnownTables } from './known-tables.ts';
import { BEGIN_READING } from './reading-transaction.ts';
import type { RowPipeline } from './row-stream.ts';
import {
  confirmPlace, isSameSight, LOOK, LOOK_COLUMNS, lookedAt, lookRowOf, PLACE, PLACE_COLUMNS, placeOf, TREE_PLACES,
  type Looked, type Place, type ReadTable, type TableSight,
} from './table-look.ts';

/** The table is not what it was when it was looked at before. */
export class UnexpectedTableError extends Error {
  override readonly name = 'UnexpectedTableError';
}

export const BEGIN = piped({ name: 'armature_begin', text: BEGIN_READING });
export const LOOKING = piped(LOOK);
const [CONFIRMING, CONFIRMING_TREE] = [piped(PLACE), piped(TREE_PLACES)];
export const COMMIT = piped({ name: 'armature_commit', text: 'COMMIT' });
/** What is not seen is known at once, however long the first row takes. */
const FLUSH = frontendMessage('H');

/** In the order of their answers; the rows are those of the query, and not all have a limit. */
const STEPS = ['begin', 'limit', 'look', 'rows', 'confirm', 'commit'] as const;
type Step = (typeof STEPS)[number];
const code = (letter: string): number => letter.charCodeAt(0);
const PARSED = code('1'), DATA_ROW = code('D'), COPY_DATA = code('d'), COMPLETE = code('C');

export interface PipelineOptions {
  readonly client: pg.ClientBase;
  readonly table: ReadTable;
  /** By an earlier look. */
  readonly expected: TableSight;
  /** Learn what this look finds. */
  readonly tables: KnownTables;
  /** `piped`: one statement that bounds the transaction in time. */
  readonly limit?: Question;
  /** Called before the first row. @returns false where this snapshot's rows are not wanted. */
  readonly wants: (looked: Looked) => boolean;
}

export class ReadingPipeline implements RowPipeline {
  readonly before: readonly Uint8Array[];
  readonly behind: readonly Uint8Array[];
  private readonly options: PipelineOptions;
  /** What Postgres has yet to do. */
  private readonly steps: Step[];
  private readonly statements: PipedStatements;
  private found: Looked | undefined;
  private place: Place | undefined;
  private isWanted = true;

  constructor(options: PipelineOptions) {
    const { table: { relation }, expected, limit } = options;
    const statements = new PipedStatements(options.client);
    this.options = options;
    this.statements = statements;
    this.steps = STEPS.filter((step) => step !== 'limit' || limit !== undefined);
    this.before = [
      ...statements.messages(BEGIN),
      ...(limit === undefined ? [] : statements.messages(limit)),
      ...statements.messages(LOOKING, [relation.schema, relation.name]),
      FLUSH,
    ];
    statements.passUnnamed();
    this.behind = [...statements.messages(...confirmingOf(expected)), ...statements.messages(COMMIT), SYNC];
  }

  /** Undefined while the table has not been looked at, or is not what it was. */
  get looked(): Looked | undefined {
    return this.found;
  }

  takes(type: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (type === PARSED) this.statements.noteParsed();
    const [step] = this.steps;
    if (type === COMPLETE) this.steps.shift();
    if (step === 'rows') return !this.isWanted && (type === DATA_ROW || type === COPY_DATA);
    if (type === DATA_ROW && step === 'look') this.look(rowTexts(bytes, start, end, LOOK_COLUMNS));
    if (type === DATA_ROW && step === 'confirm') this.place = placeOf(rowTexts(bytes, start, end, PLACE_COLUMNS));
    return type === DATA_ROW || type === COMPLETE;
  }

  /**
   * To be called when Postgres has answered all, and refused nothing.
   *
   * @returns undefined where the rows were not wanted.
   * @throws as `confirm` of a look.
   */
  end(): Looked | undefined {
    invariant(this.steps.length === 0, 'who refuses nothing has answered all');
    invariant(this.found !== undefined, 'a table is looked at before its rows are read');
    if (!this.isWanted) return undefined;
    confirmPlace(this.found, this.place);
    return this.found;
  }

  private look(texts: readonly (string | null)[]): void {
    const { table, expected, tables, wants } = this.options;
    const looked = lookedAt(table, lookRowOf(texts, (text) => tables.columnsIn(text)));
    tables.note(looked);
    if (!isSameSight(looked, expected)) throw new UnexpectedTableError(`${looked.name} is not what it was`);
    this.found = looked;
    this.isWanted = wants(looked);
  }
}

/** Makes sure, behind its rows, that a table lies where it lay. */
export function confirmingOf({ isPartitioned, oid, name }: TableSight): readonly [Question, readonly string[]] {
  return [isPartitioned ? CONFIRMING_TREE : CONFIRMING, [String(oid), name]];
}
