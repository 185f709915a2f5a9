/**
 * BatchPipeline: a transaction that reads the rows of several shapes of one table, as one write. It is that of `ReadingPipeline`, with more
 * than one query between its look and the end: each shape sees the same snapshot, and knows it.
 *
 * Nobody is told anything before all of it has come. So whatever goes wrong, nothing has happened to any of the shapes, and each can be
 * read by itself: one that fails takes no other along. What waits for whoever alters the table, or takes long, or is much, is none of a
 * batch's business: it would keep others waiting.
 */
import type pg from 'pg';
import { invariant } from '../../base/invariant.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { LineTemplate } from '../../model/line-template.ts';
import { piped, PipedStatements } from '../connection/piped-statements.ts';
import { SYNC } from '../connection/session-statements.ts';
import { rowTexts } from '../encoding/data-row-fields.ts';
import { LineEncoder } from '../encoding/line-encoder.ts';
import { BEGIN, COMMIT, confirmingOf, LOOKING } from './reading-pipeline.ts';
import type { RowPipeline } from './row-stream.ts';
import { LOOK_COLUMNS, PLACE_COLUMNS, placeOf, type Place, type ReadTable, type TableSight } from './table-look.ts';

/** A shape whose rows are read with those of others. */
export interface BatchMember {
  readonly table: ReadTable;
  /** By an earlier look. */
  readonly sight: TableSight;
  readonly template: LineTemplate;
}

/** Of each statement; a wait for the table's lock counts. Who is read alone may take far longer. */
const LIMIT = piped({ name: 'armature_batch_limit', text: "SET LOCAL statement_timeout = '250ms'" });
/** Of all rows together: they lie in memory until the last of them has come. */
const BYTES_MAX = 256 * 1024;

/** The rows of a batch are too many to be read with those of others. */
export class LargeBatchError extends Error {
  override readonly name = 'LargeBatchError';

  constructor() {
    super(`the rows of a batch come to more than ${BYTES_MAX} bytes`);
  }
}

export interface BatchAnswer {
  /** Texts of a row of the look. */
  readonly look: readonly (string | null)[];
  readonly place: Place | undefined;
  /** Of each member, in order; undefined where there are none. */
  readonly rows: readonly (JoinedLines | undefined)[];
}

const code = (letter: string): number => letter.charCodeAt(0);
const PARSED = code('1'), DATA_ROW = code('D'), COMPLETE = code('C');
/** Its begin and its limit, then the look. */
const [LOOK_STEP, ROW_STEPS_FROM] = [2, 3];

export class BatchPipeline implements RowPipeline {
  readonly before: readonly Uint8Array[];
  readonly behind: readonly Uint8Array[];
  private readonly statements: PipedStatements;
  private readonly encoders: readonly LineEncoder[];
  /** How many statements Postgres is done with. */
  private step = 0;
  private bytes = 0;
  private looked: readonly (string | null)[] | undefined;
  private place: Place | undefined;

  /** @param portals the messages of all queries but the last, which whoever streams sends himself. @param members of one table. */
  constructor(client: pg.ClientBase, members: readonly BatchMember[], portals: readonly Uint8Array[]) {
    const [first] = members;
    invariant(first !== undefined, 'a batch has members');
    const { table: { relation }, sight } = first;
    const statements = new PipedStatements(client);
    const begin = [...statements.messages(BEGIN), ...statements.messages(LIMIT)];
    this.before = [...begin, ...statements.messages(LOOKING, [relation.schema, relation.name]), ...portals];
    members.forEach(() => statements.passUnnamed());
    this.behind = [...statements.messages(...confirmingOf(sight)), ...statements.messages(COMMIT), SYNC];
    this.statements = statements;
    this.encoders = members.map(({ template, sight: { isBoolean } }) => new LineEncoder(template, isBoolean));
  }

  /** @throws {LargeBatchError} @throws {RowFormatError} */
  takes(type: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (type === PARSED) this.statements.noteParsed();
    if (type === COMPLETE) this.step += 1;
    if (type === DATA_ROW) this.row(bytes, start, end);
    return type === DATA_ROW || type === COMPLETE;
  }

  /** To be called when Postgres has answered all, and refused nothing. */
  end(): BatchAnswer {
    const { looked: look, place } = this;
    invariant(look !== undefined, 'a table is looked at before its rows are read');
    return { look, place, rows: this.encoders.map((encoder) => (encoder.size === 0 ? undefined : encoder.take())) };
  }

  private row(bytes: Uint8Array, start: number, end: number): void {
    const encoder = this.encoders[this.step - ROW_STEPS_FROM];
    if (this.step === LOOK_STEP) this.looked = rowTexts(bytes, start, end, LOOK_COLUMNS);
    else if (encoder === undefined) this.place = placeOf(rowTexts(bytes, start, end, PLACE_COLUMNS));
    else {
      this.bytes += end - start;
      if (this.bytes > BYTES_MAX) throw new LargeBatchError();
      encoder.dataRow(bytes, start, end);
    }
  }
}
