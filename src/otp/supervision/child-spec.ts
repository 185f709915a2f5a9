/** How a supervisor holds its children: OTP's child and supervisor specifications. */
import type { Message, ProcessSpec } from '../process.ts';

/** When a child is started again. */
export type Restart =
  | 'permanent' // Started again, however it ended.
  | 'transient' // Started again unless it ended as `normal`, `shutdown` or `{ shutdown }`.
  | 'temporary'; // Never started again; its specification goes with it.

/** How long a child may take to stop, in milliseconds, before it is killed. */
export type Shutdown = number | 'infinity' | 'brutal_kill';

/** How one child is started, restarted and stopped. */
export interface ChildSpec {
  /** Unique among its siblings; the last part of the child's path. */
  readonly id: string;
  /** Evaluated at each start. */
  readonly start: () => ProcessSpec;
  /** Default `permanent`. */
  readonly restart?: Restart;
  /** Default 5,000; `infinity` for a supervisor. */
  readonly shutdown?: Shutdown;
  /** Its end may end the supervisor, as `autoShutdown` says; never for a permanent child. */
  readonly significant?: boolean;
  /** What it is counted as. Default: what its last start has shown it to be, and a worker before the first. */
  readonly type?: 'worker' | 'supervisor';
}

/** A supervisor whose children have an order. */
export interface SupervisorSpec {
  /** Who is restarted with a child that has ended: nobody, all others, or those that were started behind it. */
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  /** Started in this order, each only when the one before has started; stopped in reverse. */
  readonly children: readonly ChildSpec[];
  /** What can be added to them, by name: a child is asked for as `{ type: 'startChild', template, args, replyTo }`. */
  readonly templates?: Readonly<Record<string, (args: Message) => ChildSpec>>;
  /** More than `maxRestarts` restarts within `maxSeconds` and the supervisor gives up. Default 3 in 5. */
  readonly maxRestarts?: number;
  /** Seconds; a whole number. */
  readonly maxSeconds?: number;
  /** When it ends by itself: never, with the first significant child that ends, or with the last. Default `never`. */
  readonly autoShutdown?: 'never' | 'any_significant' | 'all_significant';
  /** Registered before its first child starts. */
  readonly name?: `@${string}`;
}

/** A child whose id may be left to its supervisor. */
export type DynamicChildSpec = Omit<ChildSpec, 'id'> & {
  /** Default: the template's name and a number. */
  readonly id?: string;
};

/** A supervisor whose children come and go, without an order. */
export interface DynamicSupervisorSpec {
  /** What it can start, by name: a child is asked for as `{ type: 'startChild', template, args, replyTo }`. */
  readonly templates: Readonly<Record<string, (args: Message) => DynamicChildSpec>>;
  /** Children that are being restarted are counted. Default: no limit. */
  readonly maxChildren?: number;
  /** Added to the arguments of every request; a field of the request's own goes before. */
  readonly extraArgs?: Readonly<Record<string, unknown>>;
  /** More restarts than this within `maxSeconds`, of all children together, and it gives up. Default 3 in 5. */
  readonly maxRestarts?: number;
  /** Seconds; a whole number. */
  readonly maxSeconds?: number;
  /** There is no other: a dynamic supervisor knows no order of its children. */
  readonly strategy?: 'one_for_one';
  /** There is no other: no child of a dynamic supervisor is significant. */
  readonly autoShutdown?: 'never';
  /** Registered before it takes its first request. */
  readonly name?: `@${string}`;
}
