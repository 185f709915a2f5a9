/** How a supervisor holds its children: OTP's child and supervisor specifications. */
import type { Message, ProcessSpec } from './process.ts';

export type Restart =
  | 'permanent' // Started again, however it ended.
  | 'transient' // Started again unless it ended as `normal`, `shutdown` or `{ shutdown }`.
  | 'temporary'; // Never started again; its specification goes with it.

export interface ChildSpec {
  /** Unique among its siblings; the last part of the child's path. */
  readonly id: string;
  /** Evaluated at each start. */
  readonly start: () => ProcessSpec;
  /** Default `permanent`. */
  readonly restart?: Restart;
  /** How long it may take to stop, in milliseconds, before it is killed. Default 5,000; `infinity` for a supervisor. */
  readonly shutdown?: number | 'infinity' | 'brutal_kill';
  /** Its end may end the supervisor, as `autoShutdown` says; never for a permanent child. */
  readonly significant?: boolean;
}

export interface SupervisorSpec {
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  /** Started in this order, each only when the one before has started; stopped in reverse. */
  readonly children: readonly ChildSpec[];
  /** More than `maxRestarts` restarts within `maxSeconds` and the supervisor gives up. Default 3 in 5. */
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
  readonly autoShutdown?: 'never' | 'any_significant' | 'all_significant';
  readonly name?: `@${string}`;
}

export interface DynamicSupervisorSpec {
  /** What it can start, by name: a child is asked for as `{ type: 'startChild', template, args, replyTo }`. */
  readonly templates: Readonly<Record<string, (args: Message) => Omit<ChildSpec, 'id'> & { readonly id?: string }>>;
  readonly maxChildren?: number;
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
  readonly name?: `@${string}`;
}
