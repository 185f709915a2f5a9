/**
 * ReplicationPort: the process that owns the replication connection.
 *
 * - `connect` → `replication.connected { slotCreated, confirmedLsn, systemId, timeline }` or `replication.refused { error, fatal }`
 * - `startStreaming` → `replication.streaming`, or `replication.refused`
 * - `acknowledge { lsn }` (no answer): everything up to that commit is durable
 * - `disconnect` (no answer): ends whatever is there, without telling
 *
 * When a stream that was started ends, `owner` is told `replication.ended { error, fatal }`, once; then `connect` may be asked
 * again. `fatal` means that asking again will not help. What the world does is an answer; a bug, also one of the
 * sink's, ends the port.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../base/clock.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Address, Message, Name, PortContext, PortHandle, PortSpec } from '../otp/process.ts';
import { ReplicaIdentityError, TransactionTooLargeError } from './change-writer.ts';
import { connect } from './connection.ts';
import { DatabaseRefusedError, DatabaseUnreachableError, worldError } from './database-error.ts';
import type { DatabaseTarget } from './database-url.ts';
import { PgoutputError } from './pgoutput-parser.ts';
import { WireError } from './raw-wire.ts';
import { invalidatedSlot, isSlotLost, prepareReplication, type PreparedReplication, ReplicationSetupError, startCommand } from './replication-setup.ts';
import { type ReplicationStream, startReplicationStream } from './replication-stream.ts';
import type { TransactionSink } from './transaction-sink.ts';

export interface ReplicationPortOptions {
  readonly name?: Name;
  readonly target: DatabaseTarget;
  readonly slot: string;
  readonly publication: string;
  readonly sink: TransactionSink;
  /** The commit LSN of the last transaction that the sink has taken; asked whenever a stream starts. */
  readonly lastCommitLsn: () => Lsn;
  /** The commit LSN of the last one that it has durably: one that is taken may still be lost, and Postgres must keep it. */
  readonly durableLsn: () => Lsn;
  /** Told `replication.ended`. */
  readonly owner: Address;
  readonly transactionBytesMax?: number;
  readonly clock?: Clock;
}

export interface PortError {
  readonly code: string;
  readonly message: string;
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

  constructor(options: ReplicationPortOptions, context: PortContext) {
    this.options = options;
    this.context = context;
  }

  handle(): PortHandle {
    return {
      requests: {
        connect: (_, signal) => this.connect(signal),
        startStreaming: () => this.startStreaming(),
      },
      casts: {
        acknowledge: (message) => this.stream?.acknowledge(message['lsn'] as Lsn),
        disconnect: () => this.disconnect(),
      },
      close: () => this.disconnect(),
    };
  }

  private async connect(signal: AbortSignal): Promise<Message> {
    this.disconnect();
    try {
      const { target } = this.options;
      const client = await connect(target, { applicationName: 'armature replication', replication: 'database', signal });
      this.client = client;
      const giveUp = (): void => void client.connection.stream.destroy(); // Ends a wait for the slot as well.
      signal.addEventListener('abort', giveUp, { once: true });
      this.prepared = await prepareReplication(client, this.options);
      signal.removeEventListener('abort', giveUp);
      const { serverTimeoutMs: _, ...told } = this.prepared;
      return { type: 'replication.connected', ...told };
    } catch (error) {
      this.disconnect();
      return this.refused(error);
    }
  }

  private async startStreaming(): Promise<Message> {
    const { client, prepared } = this;
    if (client === undefined || prepared === undefined || this.stream !== undefined) {
      return { type: 'replication.refused', error: { code: 'not_connected', message: 'there is no idle replication connection' }, fatal: false };
    }
    const { sink, transactionBytesMax, clock = systemClock } = this.options;
    const stream = startReplicationStream({
      client, sink, clock,
      startCommand: startCommand(this.options),
      lastCommitLsn: this.options.lastCommitLsn(),
      durableLsn: this.options.durableLsn(),
      confirmedLsn: prepared.confirmedLsn,
      serverTimeoutMs: prepared.serverTimeoutMs,
      ...(transactionBytesMax === undefined ? {} : { transactionBytesMax }),
    });
    this.stream = stream;
    try {
      await stream.started;
    } catch (error) {
      this.disconnect();
      return this.refused(error);
    }
    void stream.ended.then((error) => this.ended(stream, error));
    return { type: 'replication.streaming' };
  }

  /** Not told when we ended it ourselves. */
  private ended(stream: ReplicationStream, error: Error): void {
    if (this.stream !== stream) return;
    this.disconnect();
    const told = portError(error, this.options.slot);
    if (told === undefined) return this.context.exit(error);
    this.context.send(this.options.owner, { type: 'replication.ended', ...told });
  }

  private refused(error: unknown): Message {
    const told = portError(error, this.options.slot);
    if (told === undefined) throw error;
    return { type: 'replication.refused', ...told };
  }

  private disconnect(): void {
    const { stream, client } = this;
    this.stream = this.client = this.prepared = undefined;
    if (stream !== undefined) stream.close();
    else client?.connection.stream.destroy();
  }
}

/** @returns undefined for a bug. */
function portError(error: unknown, slot: string): { readonly error: PortError; readonly fatal: boolean } | undefined {
  if (isSlotLost(error)) return { error: plain(invalidatedSlot(slot)), fatal: true };
  if (error instanceof ReplicationSetupError || error instanceof ReplicaIdentityError || error instanceof TransactionTooLargeError) {
    return { error: plain(error), fatal: true };
  }
  if (error instanceof PgoutputError || error instanceof WireError) {
    return { error: { code: 'malformed_stream', message: error.message }, fatal: true };
  }
  const refused = worldError(error);
  if (refused instanceof DatabaseUnreachableError || refused instanceof DatabaseRefusedError) return { error: plain(refused), fatal: false };
  return undefined;
}

function plain({ code, message }: PortError): PortError {
  return { code, message };
}
