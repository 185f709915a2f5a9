/** The floor of ingestion: what a logical slot has to say, asked for and let go. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import type { Database } from './database.ts';

export interface Slot {
  readonly name: string;
  readonly publication: string;
}

export interface Drained {
  readonly what: string;
  readonly elapsedMs: number;
}

/** The slot holds what is written to `table` from now on. */
export async function createSlot(database: Database, table: string): Promise<Slot> {
  const slot = { name: `drain_${table}`, publication: `drain_${table}` };
  await database.query(`CREATE TABLE IF NOT EXISTS end_marks (at timestamptz)`);
  await database.query(`CREATE PUBLICATION ${slot.publication} FOR TABLE ${table}, end_marks`);
  await database.query(`SELECT pg_create_logical_replication_slot('${slot.name}', 'pgoutput')`);
  return slot;
}

/** Takes all that is in the slot by now, and removes it. */
export async function drainSlot(database: Database, slot: Slot): Promise<Drained> {
  const end = await markEnd(database);
  const receiver = pgRecvlogical();
  const startedMs = systemClock.nowMs();
  await (receiver === undefined ? drainBySocket(database.url, slot, end) : drainByProgram(receiver, database.url, slot, end));
  const elapsedMs = systemClock.nowMs() - startedMs;
  await database.query(`SELECT pg_drop_replication_slot('${slot.name}')`);
  await database.query(`DROP PUBLICATION ${slot.publication}`);
  return { what: receiver === undefined ? 'the slot by a bare socket' : 'the slot by pg_recvlogical', elapsedMs };
}

/** A position behind all that was written, and one small transaction beyond it, so that a receiver gets to see it passed. */
async function markEnd(database: Database): Promise<string> {
  const [row] = await database.query(`SELECT pg_current_wal_insert_lsn()::text AS lsn`);
  await database.query(`INSERT INTO end_marks VALUES (now())`);
  return String(row?.['lsn']);
}

function pgRecvlogical(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []),
  ];
  return folders.map((folder) => join(folder, 'pg_recvlogical')).find((path) => existsSync(path));
}

async function drainByProgram(program: string, url: string, slot: Slot, end: string): Promise<void> {
  const args = [
    '--dbname', url, '--slot', slot.name, '--start', '--endpos', end, '--no-loop', '--file', '/dev/null',
    '--option', 'proto_version=1', '--option', `publication_names=${slot.publication}`,
  ];
  await promisify(execFile)(program, args);
}

async function drainBySocket(url: string, slot: Slot, end: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, replication: 'database' } as pg.ClientConfig);
  await client.connect();
  const command = `START_REPLICATION SLOT ${slot.name} LOGICAL 0/0 (proto_version '1', publication_names '${slot.publication}')`;
  await new Promise<void>((done, failed) => {
    client.query(new SlotDrain(command, lsnOf(end), done, failed));
  });
  client.on('error', () => {}); // The stream is cut where we stop reading.
  await client.end();
}

const XLOG_DATA = 0x77;

/** Reads the first bytes of each message, for the position; nothing else. */
class SlotDrain implements pg.Submittable {
  private readonly command: string;
  private readonly end: bigint;
  private readonly done: () => void;
  private readonly failed: (error: Error) => void;

  constructor(command: string, end: bigint, done: () => void, failed: (error: Error) => void) {
    this.command = command;
    this.end = end;
    this.done = done;
    this.failed = failed;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.command);
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (chunk[0] === XLOG_DATA && chunk.readBigUInt64BE(1) >= this.end) this.done();
  }

  handleError(error: Error): void {
    this.failed(error);
  }
}

function lsnOf(text: string): bigint {
  const [, high, low] = /^([0-9A-F]+)\/([0-9A-F]+)$/.exec(text) ?? [];
  invariant(high !== undefined && low !== undefined, `${text} is a WAL position`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
