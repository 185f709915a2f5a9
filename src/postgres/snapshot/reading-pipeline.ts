/**
 * ReadingPipeline: a transaction that reads rows of a table, as one write: it begins, looks at the table, reads, makes sure that the table
 * lies where it lay, and ends. Step by step each would be a way to Postgres and back, which for few rows is most of what they cost.
 *
 * What the later steps need of the look must be known before: it is what an earlier look at the same table found. Where this one finds
 * something else, the rows count for nothing and the session is closed: who asked begins anew, step by step.
 */
import type pg from 'pg';
import { invariant } from '../../base/invariant.ts';
import { frontendMessage } from '../connection/raw-wire.ts';
import { isPrepared, notePrepared, prepareMessage, runMessages, textsOf } from '../connection/session-statements.ts';
import type { Question } from '../connection/prepared-question.ts';
import { BEGIN_READING } from './reading-transaction.ts';
import type { RowPipeline } from './row-stream.ts';
import {
  confirmPlace, isSameSight, LOOK, lookedAt, lookRowOf, PLACES, placeOf,
  type Looked, type LookRow, type Place, type ReadTable, type TableSight,
} from './table-look.ts';

/** The table is not what it was when it was looked at before. */
export class UnexpectedTableError extends Error {
  override readonly name = 'UnexpectedTableError';
}

/** For the lock of the table, as Postgres writes it. */
export const LOCK_TIMEOUT = '5s';

/** The session's own, beside those that `pg` prepares. */
const piped = ({ name, text }: Question): Question => ({ name: `${name}_piped`, text });
const BEGIN = piped({ name: 'armature_begin', text: BEGIN_READING });
const LIMIT = piped({ name: 'armature_limit', text: `SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'` });
const [LOOKING, CONFIRMING] = [piped(LOOK), piped(PLACES)];
const COMMIT = piped({ name: 'armature_commit', text: 'COMMIT' });

/** In the order of their answers; the rows are those of the query. */
const STEPS = ['begin', 'limit', 'look', 'rows', 'confirm', 'commit'] as const;
const code = (letter: string): number => letter.charCodeAt(0);
const PARSED = code('1'), DATA_ROW = code('D'), COMPLETE = code('C');

export interface PipelineOptions {
  readonly client: pg.ClientBase;
  readonly table: ReadTable;
  /** By an earlier look. */
  readonly expected: TableSight;
  /** Called before the first row. */
  readonly onLooked: (looked: Looked) => void;
}

export class ReadingPipeline implements RowPipeline {
  readonly before: readonly Uint8Array[];
  readonly behind: readonly Uint8Array[];
  private readonly options: PipelineOptions;
  /** How many of `STEPS` Postgres has done. */
  private done = 0;
  /** Names of what is parsed, in order; that of the query is empty. */
  private readonly parsed: string[] = [];
  private found: Looked | undefined;
  private place: Place | undefined;

  constructor(options: PipelineOptions) {
    const { table: { relation }, expected } = options;
    this.options = options;
    this.before = [
      ...this.messages(BEGIN), ...this.messages(LIMIT), ...this.messages(LOOKING, [relation.schema, relation.name]),
      frontendMessage('H'), // What is not seen is known at once, however long the first row takes.
    ];
    this.parsed.push('');
    this.behind = [...this.messages(CONFIRMING, [String(expected.oid), expected.name]), ...this.messages(COMMIT), frontendMessage('S')];
  }

  /** Undefined while the table has not been looked at. */
  get looked(): Looked | undefined {
    return this.found;
  }

  /** To be called when Postgres has refused nothing. @throws as `confirm` of a look. */
  confirm(): void {
    invariant(this.found !== undefined && this.done === STEPS.length, 'who refuses nothing has answered all');
    confirmPlace(this.found, this.place);
  }

  takes(type: number, bytes: Uint8Array, start: number, _end: number): boolean {
    if (type === PARSED) this.noteParsed();
    const step = STEPS[this.done];
    if (type === COMPLETE) this.done += 1;
    if (step === 'rows') return false;
    if (type === DATA_ROW && step === 'look') this.look(lookRowOf(textsOf(bytes, start)));
    if (type === DATA_ROW && step === 'confirm') this.place = placeOf(textsOf(bytes, start));
    return type === DATA_ROW || type === COMPLETE;
  }

  private look(row: LookRow): void {
    const { table, expected, onLooked } = this.options;
    const looked = lookedAt(table, row);
    if (!isSameSight(looked, expected)) throw new UnexpectedTableError(`${looked.name} is not what it was`);
    this.found = looked;
    onLooked(looked);
  }

  private messages(question: Question, values: readonly string[] = []): readonly Uint8Array[] {
    if (isPrepared(this.options.client, question.name)) return runMessages(question, values);
    this.parsed.push(question.name);
    return [prepareMessage(question), ...runMessages(question, values)];
  }

  private noteParsed(): void {
    const name = this.parsed.shift();
    invariant(name !== undefined, 'no more is parsed than was asked for');
    if (name !== '') notePrepared(this.options.client, name);
  }
}
