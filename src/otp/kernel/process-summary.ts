/** ProcessSummary and ProcessEnd: what an onlooker is told of processes that live, and of one that ends. */
import type { ExitReason, Message, Name, Pid } from '../process.ts';
import type { ChildFate } from '../supervision/supervision-table.ts';

/** A process in a few fields, for who looks at all of them. */
export interface ProcessSummary {
  /** Its address. */
  readonly pid: Pid;
  /** The last part of its path, without its number. */
  readonly id: string;
  /** Undefined for a root. */
  readonly parent: Pid | undefined;
  /** Place among its siblings. */
  readonly order: number;
  /** The id of its machine; undefined for a port. */
  readonly machine: string | undefined;
  /** Of its specification, or the first that it registered. */
  readonly name: Name | undefined;
  /** A word for people. */
  readonly label: string | undefined;
  /** The machine's state value; `open` and the like for a port. */
  readonly state: unknown;
  /** It has children to look after. */
  readonly isSupervisor: boolean;
  /** Only a state value and a context at present, until a signal reaches it. */
  readonly hibernates: boolean;
  /** How many signals wait, postponed events among them. */
  readonly mailboxLength: number;
  /** Events handled since it began. */
  readonly handled: number;
  /** Messages that its mailbox had no room for. */
  readonly dropped: number;
  /** How often its supervisor had started it before. */
  readonly restarts: number;
  /**
   * An estimate of what the process itself takes, what waits for it, and what its tables say that they hold: without context and
   * other tables, whose size nobody knows.
   */
  readonly memoryBytes: number;
  /** On the clock's scale. */
  readonly sinceMs: number;
}

/** For whoever counts. */
export type ProcessFigures = Pick<ProcessSummary, 'pid' | 'state' | 'hibernates' | 'mailboxLength' | 'handled' | 'restarts'>;

/**
 * What can be told of a process only at the moment of its end. It is told as the process was: its state is the one it was in, or the
 * one it ended in. Nobody has heard of the end yet.
 */
export interface ProcessEnd {
  /** Who has ended. */
  readonly process: ProcessSummary;
  /** Why. */
  readonly reason: ExitReason;
  /** The event that it was handling; undefined when it ended by a signal from outside, or before its first event. */
  readonly event: Message | undefined;
  /** Of its machine, never to be changed; undefined for a port. */
  readonly context: unknown;
  /** Undefined when its parent is no supervisor. */
  readonly fate: ChildFate | undefined;
}
