/**
 * ScriptedLog: a transaction log of which it is known beforehand what will be in it, in which order. How much of it there is,
 * is all that changes; so it is a part of a state as one number.
 *
 * It is made by the production log, and what its production reader answers is asked for beforehand too: a search never waits.
 */
import { invariant } from '../../../src/base/invariant.ts';
import { LOG_START, type LogPosition, type LogRange } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../../src/model/pg-snapshot.ts';
import type { RelationLayout } from '../../../src/model/relation.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import type { Message, Pid, PortHandle } from '../../../src/otp/process.ts';
import { LogBlocks } from '../../../src/storage/log/log-blocks.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import type { TransactionLog } from '../../../src/storage/log/transaction-log.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { changeBytes, type RowChange } from '../../support/actors/changes.ts';

export interface ScriptedTransaction {
  readonly xid: Xid;
  readonly lsn: Lsn;
  readonly changes: readonly ScriptedChange[];
}

/** Of the first table, where none is told. */
export type ScriptedChange = RowChange & { readonly table?: number };

export type Layout = Omit<RelationLayout, 'id'>;
export type ReadSizes = NonNullable<Parameters<typeof logReaderPort>[3]>;

interface Reading {
  readonly answer: Message;
  /** What lies in the asker's slot then; undefined for an answer that brings nothing. */
  readonly block: LogBlock | undefined;
}

const READER = 'reader#1' as Pid;
const READINGS = ['nextBlock', 'nextPart', 'loadBlock'] as const;

export class ScriptedLog {
  private constructor(
    readonly transactions: readonly ScriptedTransaction[],
    /** By how many transactions are in the log: before the first, and behind each. */
    private readonly logs: readonly TransactionLog[],
    private readonly readings: ReadonlyMap<string, Reading>,
  ) {}

  static async make(layouts: readonly Layout[], transactions: readonly ScriptedTransaction[], sizes: ReadSizes): Promise<ScriptedLog> {
    const counts = [...transactions.keys(), transactions.length];
    const logs = await Promise.all(counts.map((count) => logOf(layouts, transactions.slice(0, count))));
    return new ScriptedLog(transactions, logs, await readingsOf(logs, sizes));
  }

  layoutOf(id: number): RelationLayout | undefined {
    return this.logs[0]?.layoutOf(id);
  }

  /** Behind the last of so many transactions. */
  endOf(count: number): { readonly through: LogPosition; readonly lsn: Lsn } {
    return { through: this.log(count).durableEnd, lsn: this.transactions[count - 1]?.lsn ?? LSN_ZERO };
  }

  firstUnseen(count: number, snapshot: PgSnapshot): LogPosition | undefined {
    return this.log(count).firstUnseen(snapshot);
  }

  read(type: string, range: LogRange): Reading {
    const reading = this.readings.get(nameOf(type, range));
    invariant(reading !== undefined, `the log is read between places that it has: ${nameOf(type, range)}`);
    return reading;
  }

  private log(count: number): TransactionLog {
    const log = this.logs[count];
    invariant(log !== undefined, 'the log has so many transactions');
    return log;
  }
}

async function logOf(layouts: readonly Layout[], transactions: readonly ScriptedTransaction[]): Promise<TransactionLog> {
  const { log } = memoryStorage({ tailBytesMax: 0 });
  const ids = layouts.map((layout) => log.appendLayout(layout));
  for (const { xid, lsn, changes } of transactions) {
    changes.forEach(({ table = 0, ...change }, index) =>
      log.appendChanges(xid, changeBytes({ ...change, layoutId: ids[table] ?? 0, position: 2 * index })),
    );
    log.appendCommit(xid, lsn);
  }
  await log.sync();
  return log;
}

/** Everything that can be read: from the ends of transactions, and from where a part of one ended. */
async function readingsOf(logs: readonly TransactionLog[], sizes: ReadSizes): Promise<ReadonlyMap<string, Reading>> {
  const readings = new Map<string, Reading>();
  const whole = logs.at(-1);
  invariant(whole !== undefined, 'a log has a beginning');
  const ends = logs.map(({ durableEnd }) => durableEnd);
  const places = [LOG_START, ...ends];
  for (const after of places) {
    for (const through of ends.filter((each) => each > after)) {
      for (const type of READINGS) {
        const reading = await read(whole, type, { after, through }, sizes);
        readings.set(nameOf(type, { after, through }), reading);
        if (reading.block !== undefined && !places.includes(reading.block.through)) places.push(reading.block.through);
      }
    }
  }
  return readings;
}

async function read(log: TransactionLog, type: (typeof READINGS)[number], range: LogRange, sizes: ReadSizes): Promise<Reading> {
  const blocks = new LogBlocks(log);
  const slot = blocks.slot(READER);
  const nobody = (): void => {};
  const opened = await logReaderPort(log, blocks, blocks, sizes).open({
    self: READER, signal: new AbortController().signal, send: nobody, exit: nobody,
  });
  const { requests } = opened as PortHandle;
  const answer = await requests[type]?.({ type, owner: READER, ...range }, new AbortController().signal);
  invariant(answer !== undefined, 'the reader answers');
  return { answer, block: answer.type === 'block.loaded' ? slot.take(answer as unknown as LogRange) : undefined };
}

function nameOf(type: string, { after, through }: LogRange): string {
  return `${type} ${after} ${through}`;
}
