/**
 * Process: one xstate actor (or one port) with a mailbox, links, monitors and an exit reason.
 *
 * This file is the vocabulary that everybody shares. A machine is written against it and against `effects`, never
 * against the runtime: so the same machine is run, drawn, simulated and searched.
 */
import type { AnyStateMachine } from 'xstate';
import type { Fork } from '../base/fork.ts';

/** The printable address of one incarnation of a process, `stack/shapes/consumer#42`. Never given out twice. */
export type Pid = string & { readonly __brand: 'Pid' };

/** A registered name, `@shape-log-collector`: resolved when a message is sent, free again when its process ends. */
export type Name = `@${string}`;

/** To whom a message goes: a process, or whoever has a name by then. */
export type Address = Pid | Name;

/** What goes through a mailbox: plain JSON, small, no rows, no functions. */
export interface Message {
  /** What it is, and what a state handles it by. */
  readonly type: string;
  readonly [field: string]: unknown;
}

/** For what ports and the code around processes give, which no type guarantees. */
export function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** Why a process ended. */
export type ExitReason =
  | 'normal' // It had finished.
  | 'shutdown' // It was asked to stop, in good order.
  | { readonly shutdown: unknown } // Likewise, with a cause that its watchers may read (plain JSON).
  | 'killed' // It was ended by force.
  | 'noproc' // It was not there any more: why it ended is not known.
  | { readonly error: ErrorReport }; // It crashed.

/** An error, as it can be written down and sent. */
export interface ErrorReport {
  /** Of its class. */
  readonly name: string;
  /** In words. */
  readonly message: string;
  /** Where it was thrown; left out where nobody knows. */
  readonly stack?: string;
}

/** True when the process ended otherwise than by finishing or by being asked to. */
export function isFault(reason: ExitReason): boolean {
  return reason !== 'normal' && reason !== 'shutdown' && !(typeof reason === 'object' && 'shutdown' in reason);
}

/** For what machines give as the reason of their end, which no type guarantees. */
export function isExitReason(value: unknown): value is ExitReason {
  if (value === 'normal' || value === 'shutdown' || value === 'killed' || value === 'noproc') return true;
  if (typeof value !== 'object' || value === null) return false;
  return 'shutdown' in value || ('error' in value && isErrorReport(value.error));
}

function isErrorReport(value: unknown): value is ErrorReport {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}

/** Told to the owner of a monitor, exactly once, as an event of type `<as>.down`. */
export interface Down extends Message {
  /** As the monitor named it. */
  readonly process: Address;
  /** Why it ended; `noproc` when it had before it was watched. */
  readonly reason: ExitReason;
}

/** Told to a process that traps exits, when a linked process, its supervisor or a child has ended, or somebody sent it an exit. */
export interface Exit extends Message {
  /** Always this: a machine handles it by it. */
  readonly type: 'EXIT';
  /** Who has ended, or sent the exit. */
  readonly process: Address;
  /** Why. */
  readonly reason: ExitReason;
  /** From its supervisor: the order to end. */
  readonly fromParent: boolean;
}

/** Names one outstanding call; carried by a request as `replyTo`, printable. */
export type ReplyTo = string & { readonly __brand: 'ReplyTo' };

/** Told to a caller instead of a reply, as an event of type `<as>.failed`. */
export interface CallFailed extends Message {
  /** Who was called. */
  readonly to: Address;
  /** The type of the request that got no answer. */
  readonly request: string;
  /** `overloaded`: the mailbox of `to` was full, and drops what is too much. */
  readonly reason: ExitReason | 'timeout' | 'overloaded';
}

/**
 * What is larger than a few fields and belongs to one process, as an ETS table belongs to its owner. The effect
 * `apply` changes it; what the machine must know comes back as the process's very next event.
 */
export interface Table<Change = unknown> {
  /** @returns the event that tells the machine what came of it, or undefined for nothing to tell. A throw crashes the owner. */
  apply(change: Change): Message | undefined;
  /**
   * A copy for a checker that goes back to this state: whatever is done to one of the two, its end included, never shows in
   * the key or in the answers of the other.
   *
   * What only the table writes is a part of it, and copied with it. What others read or write too is the world: the table
   * reaches it through a port, whose `clone` gives the fork's one copy of it, so that all tables of a fork stand over one
   * world. The port to a world that nobody can copy (a disk, a database, a client that waits) throws.
   */
  clone(fork: Fork): Table<Change>;
  /**
   * Canonical text of the content: equal for equal tables. Tables of equal keys, over equal worlds, answer equal changes
   * equally, and then have equal keys again: so a checker need look at only one of them.
   */
  key(): string;
  /** An estimate of the memory that it takes, in bytes, for onlookers; known without a look at what it holds. */
  readonly heldBytes?: number;
  /**
   * Its owner hibernates: lets go of what it makes again when it is needed. Nobody can tell by its answers, and it may be asked while the
   * owner sleeps. Never throws.
   */
  hibernate?(): void;
  /** Its owner has ended, however it did: gives back what the table holds outside of itself. Never throws. */
  close?(): void;
}

/** A table that can say whom a `multicall` goes to. */
export interface RecipientsTable<Change = unknown> extends Table<Change> {
  /** Whom the next `multicall` goes to. */
  recipients(): Iterable<Address>;
}

/** A process whose behaviour is a machine. */
export interface MachineSpec {
  /** Without an actor around it: the runtime makes one for each incarnation. */
  readonly machine: AnyStateMachine;
  /** The machine's input; `self`, the process's own pid, is added to it. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** Made anew for each incarnation, whose pid they get. */
  readonly tables?: (self: Pid) => Readonly<Record<string, Table>>;
  /** Registered before its first event; a start whose name is taken fails with `already_started`. */
  readonly name?: Name;
  /** Exits of linked processes arrive as `EXIT` events instead of ending this one. Supervisors trap. */
  readonly trapExit?: boolean;
  /** The processes that it may make, each by the name that the effects `spawn`, `start` and `async` give. */
  readonly spawns?: Readonly<Record<string, (args: Message) => ProcessSpec>>;
  /** A word for people; the effect `label` changes it. */
  readonly label?: string;
  /** How many messages may wait, postponed ones among them. Default 100,000. Signals, replies and time-outs are not counted. */
  readonly mailboxMax?: number;
  /**
   * What happens to one message too many. Default `crash`: the process ends with a MailboxOverflowError, since it is too
   * slow or is sent too much. A message that is dropped vanishes, and a request among them fails as `overloaded`; the
   * oldest is the oldest of those that the process has not postponed.
   */
  readonly mailboxOverflow?: 'crash' | 'drop_newest' | 'drop_oldest';
  /** When it has been idle for so long, it hibernates until a signal reaches it. The effect `hibernate` asks for that at once. */
  readonly hibernateAfterMs?: number;
  /** Set by `supervisor` and `dynamicSupervisor`. */
  readonly isSupervisor?: boolean;
}

/**
 * A port: the one kind of process that is not a machine. It owns a resource of the world (a disk, a socket, a
 * server) and answers requests about it, each with one event.
 */
export interface PortSpec {
  /** `ignore` says that there is nothing to own: the port ends `normal`, and its supervisor does without it. */
  readonly open: (context: PortContext) => PortHandle | 'ignore' | Promise<PortHandle | 'ignore'>;
  /** Registered before it opens. */
  readonly name?: Name;
}

/** What a port is given when it opens. */
export interface PortContext {
  /** Its own address. */
  readonly self: Pid;
  /** Aborted when the port is told to stop. */
  readonly signal: AbortSignal;
  /** Vanishes when nobody is there. */
  send(to: Address, message: Message): void;
  /** Ends the port: an error says that it failed, nothing that it finished. */
  exit(error?: unknown): void;
}

/** How an open port is asked, and closed. */
export interface PortHandle {
  /**
   * By request type. The answer becomes an event of the caller. `signal` is aborted when the caller ends or gives up, when
   * the port stops, and at the latest when the answer is delivered, right before the caller handles it. A refusal by the
   * world is an answer too; a throw is a bug and ends the port.
   */
  readonly requests: Readonly<Record<string, (request: Message, signal: AbortSignal) => Message | Promise<Message>>>;
  /**
   * Of the same requests, those that can often be answered without a wait, by type: asked first. Undefined says that this one cannot, and
   * nothing has become of it; then `requests` is asked. An answer costs no signal and no turn of the event loop.
   */
  readonly atOnce?: Readonly<Record<string, (request: Message) => Message | undefined>>;
  /** Messages that want no answer, by type. */
  readonly casts?: Readonly<Record<string, (message: Message) => void>>;
  /** Told of a request that is not served, because its caller ended or gave up before the request arrived. */
  abandoned?(request: Message): void;
  /** Gives the resource back, in good order; the supervisor's shutdown time-out bounds it. */
  close?(): void | Promise<void>;
}

/** What a process is to be: a machine, or a port. */
export type ProcessSpec = MachineSpec | PortSpec;

/** Tells the two kinds of process apart. */
export function isPortSpec(spec: ProcessSpec): spec is PortSpec {
  return 'open' in spec;
}
