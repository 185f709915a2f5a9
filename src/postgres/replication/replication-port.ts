/**
 * ReplicationPort: the process that owns the replication connection.
 *
 * - `connect` → `replication.connected { standing, hasSwitched, isNoted, why, source }` or `replication.refused { error, fatal }`
 * - `createSlot` → `replication.slotCreated { lsn, source, isMarked }`, or `replication.refused`: in place of the one that `connect` found
 * - `startStreaming` → `replication.streaming`, or `replication.refused`
 * - `acknowledge` (no answer): the sink may hold more durably than before
 * - `askProgress` (no answer): the sink is told how far Postgres has come, even if nothing was for us
 * - `hastenSlot` (no answer), while a slot is being made: `owner` is told `slot.awaited { transactions, advice }`, for whom that waits, if
 *   Postgres says it
 * - `disconnect` (no answer): ends whatever is there, without telling
 *
 * The standing is that of the slot, as `slot-standing.ts` has it: streaming starts on one that is continued, or was made since.
 * When a stream that was started ends, `owner` is told `replication.ended { error, fatal }`, once; then `connect` may be asked
 * again. `fatal` means that asking again will not help. What the world does is an answer; a bug, also one of the
 * sink's, ends the port.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Address, Message, Name, PortContext, PortHandle, PortSpec } from '../../otp/process.ts';
import { connect, processOf } from '../connection/connection.ts';
import { isLasting, worldError, type WorldError } from '../connection/database-error.ts';
import type { HeldLock } from '../connection/held-lock.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { PartitionLinks } from './partition-links.ts';
import { PgoutputError } from './pgoutput-parser.ts';
import { WireError } from '../connection/raw-wire.ts';
import { readOnlyMeaning } from '../connection/read-only.ts';
import { until } from '../connection/silence.ts';
import { createSlot, prepareReplication, type PreparedReplication, ReplicationSetupError, startCommand } from './replication-setup.ts';
import { STREAM_APPLICATION } from './replication-slot.ts';
import { type ReplicationStream, startReplicationStream } from './replication-stream.ts';
import { hastenSlot } from './slot-wait.ts';
import type { StoredStream } from './slot-standing.ts';
import type { TransactionSink } from './transaction-sink.ts';
import { UntellableWal } from './untellable-wal.ts';

export interface ReplicationPortOptions {
  readonly name?: Name;
  readonly target: DatabaseTarget;
  readonly slot: string;
  readonly publication: string;
  /** The slot ends with the connection. */
  readonly isSlotTemporary?: boolean;
  /** A slot that Armature did not make may be dropped. */
  readonly takesOverSlot?: boolean;
  /** What the publication publishes is an operator's business. */
  readonly isManual?: boolean;
  /** Whoever lost it ends no stream, and drops no slot; left out where there is no other instance. */
  readonly lock?: HeldLock;
  readonly sink: TransactionSink;
  /** The commit LSN of the last transaction that the sink has taken; asked whenever a stream starts. */
  readonly lastCommitLsn: () => Lsn;
  /** Whose stream the sink has, and up to where it has all of it durably. */
  readonly stored: () => StoredStream;
  /** Told `replication.ended`. */
  readonly owner: Address;
  readonly transactionBytesMax: number;
  readonly clock?: Clock;
}

export interface PortError {
  readonly code: string;
  readonly message: string;
  /** What stands behind it, where the message does not say so. */
  readonly meaning?: string;
}

export function replicationPort(options: ReplicationPortOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => new Port(options, context).handle(),
  };
}

class Port {
  private readonly options: ReplicationPortOptions;
  private readonly context: PortContext;
  private client: pg.Client | undefined;
  private prepared: PreparedReplication | undefined;
  private stream: ReplicationStream | undefined;
  private readonly untellable = new UntellableWal();
  /** Of the stream. */
  private links: PartitionLinks | undefined;
  /** Aborted when what is there must go: a connection that is still being made must not come after that. */
  private attempt = new AbortController();

  constructor(options: ReplicationPortOptions, context: PortContext) {
    this.options = options;
    this.context = context;
  }

  handle(): PortHandle {
    return {
      requests: {
        connect: (_, signal) => this.connect(signal),
        createSlot: (_, signal) => this.createSlot(signal),
        startStreaming: () => this.startStreaming(),
      },
      casts: {
        acknowledge: () => this.stream?.acknowledge(),
        askProgress: () => this.stream?.askProgress(),
        hastenSlot: () => void this.hastenSlot().catch((error: unknown) => this.context.exit(error)),
        disconnect: () => this.disconnect(),
      },
      close: () => this.disconnect(),
    };
  }

  private async connect(given: AbortSignal): Promise<Message> {
    this.disconnect();
    this.attempt = new AbortController();
    const signal = AbortSignal.any([given, this.attempt.signal]);
    try {
      const client = await connect(this.options.target, { applicationName: STREAM_APPLICATION, replication: 'database', signal });
      const prepared = await until(signal, client, prepareReplication(client, this.options, this.stored()));
      this.client = client;
      this.prepared = prepared;
      const { standing, hasSwitched, isNoted, why, source } = prepared;
      return { type: 'replication.connected', standing, hasSwitched, isNoted, why, source };
    } catch (error) {
      return this.refused(error);
    }
  }

  private async createSlot(given: AbortSignal): Promise<Message> {
    const { client, prepared, attempt } = this;
    if (client === undefined || prepared === undefined || this.stream !== undefined) return NOT_CONNECTED;
    try {
      const { lsn, source } = await until(AbortSignal.any([given, attempt.signal]), client, createSlot(client, this.options, prepared));
      this.prepared = { ...prepared, source, standing: 'continued', confirmedLsn: lsn };
      this.untellable.forget();
      return { type: 'replication.slotCreated', lsn, source, isMarked: prepared.isMarked };
    } catch (error) {
      return this.refused(error);
    }
  }

  private async hastenSlot(): Promise<void> {
    const { client, attempt, options, context } = this;
    if (client === undefined) return;
    try {
      const wait = await hastenSlot(options.target, processOf(client), AbortSignal.any([attempt.signal, context.signal]));
      context.send(options.owner, { type: 'slot.awaited', ...wait });
    } catch (error) {
      if (worldError(error) === undefined) throw error; // Else the connection that makes the slot will tell, if that is broken too.
    }
  }

  private async startStreaming(): Promise<Message> {
    const { client, prepared } = this;
    if (client === undefined || prepared?.standing !== 'continued' || this.stream !== undefined) return NOT_CONNECTED;
    const { sink, transactionBytesMax, clock = systemClock } = this.options;
    const links = new PartitionLinks(this.options.target, clock);
    this.links = links;
    const stream = startReplicationStream({
      client, sink, transactionBytesMax, clock,
      linksOf: (oid, xid) => links.of(oid, xid),
      startCommand: startCommand(this.options),
      lastCommitLsn: this.options.lastCommitLsn(),
      heldLsn: () => this.options.stored().heldLsn,
      confirmedLsn: prepared.confirmedLsn,
      serverTimeoutMs: prepared.serverTimeoutMs,
    });
    this.stream = stream;
    try {
      await stream.started;
    } catch (error) {
      return this.refused(error);
    }
    void stream.ended.then((error) => this.ended(stream, error));
    return { type: 'replication.streaming' };
  }

  private stored(): StoredStream {
    return { ...this.options.stored(), untellable: this.untellable.error };
  }

  /** Not told when we ended it ourselves. */
  private ended(stream: ReplicationStream, error: Error): void {
    if (this.stream !== stream) return;
    this.disconnect();
    const told = portError(error);
    if (told === undefined) return this.context.exit(error);
    this.untellable.note(error, this.options.lastCommitLsn());
    this.context.send(this.options.owner, { type: 'replication.ended', ...told });
  }

  private refused(error: unknown): Message {
    const told = portError(error);
    if (told === undefined) throw error;
    return { type: 'replication.refused', ...told };
  }

  private disconnect(): void {
    const { stream, client, links } = this;
    this.attempt.abort();
    this.stream = this.client = this.prepared = this.links = undefined;
    links?.close();
    if (stream !== undefined) stream.close();
    else client?.connection.stream.destroy();
  }
}

const NOT_CONNECTED: Message = {
  type: 'replication.refused',
  error: { code: 'not_connected', message: 'there is no idle replication connection with a slot' },
  fatal: false,
};

/** @returns undefined for a bug. */
function portError(error: unknown): { readonly error: PortError; readonly fatal: boolean } | undefined {
  if (error instanceof ReplicationSetupError) return { error: plain(error), fatal: true };
  if (error instanceof PgoutputError || error instanceof WireError) {
    return { error: { code: 'malformed_stream', message: error.message }, fatal: true };
  }
  const refused = worldError(error);
  return refused && { error: { ...plain(refused), ...meaningOf(refused) }, fatal: isLasting(refused) };
}

function meaningOf(refused: WorldError): Pick<PortError, 'meaning'> {
  const meaning = readOnlyMeaning(refused);
  return meaning === undefined ? {} : { meaning };
}

function plain({ code, message }: PortError): PortError {
  return { code, message };
}
