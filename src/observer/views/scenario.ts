/** Forms: a window of the recording as a file that can be replayed. docs/observer.md says what holds for all of them. */

/** `/api/scenario?from=&to=&process=`: the window as a file (it comes with `content-disposition: attachment`). */
export interface ScenarioView {
  readonly format: 'armature.window/2';
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What of it is replayed and what is not, in words. */
  readonly notes: readonly string[];
  readonly roles: readonly ScenarioRole[];
  /** In the order in which they were taken. */
  readonly turns: readonly ScenarioTurn[];
}

/** Who takes part: `role` is the name that `turns` have for it. */
export interface ScenarioRole {
  readonly role: string;
  readonly pid: string;
  readonly kind: string | null;
  /** Whose definition takes its turns again; null for one that is shown and not replayed. */
  readonly machine: string | null;
  /** Why it is not replayed; null for one that is. */
  readonly whyNot: string | null;
  /** Where it stood before its first turn; null for one that is not replayed. */
  readonly begin: StandingView | null;
  /** Where it stood behind its last turn; null when nobody knows, or when it ended: its last turn says that. */
  readonly end: StandingView | null;
}

/** State value and context of a machine, whole; or the input of one that begins in the window. */
export type StandingView =
  | { readonly value: unknown; readonly context: unknown }
  | { readonly input: unknown };

export type ScenarioTurn = DeliverTurn | TimeoutTurn | BeginTurn | EndTurn;

/** What a turn has made of who took it. */
export interface TurnOutcome {
  /** The state value behind it, when that is another. */
  readonly becomes?: unknown;
  /** What was sent because of it, in that order. What goes to nobody is not in it. */
  readonly sends?: readonly SentView[];
}

export interface SentView {
  readonly send: string;
  readonly to: string;
  /** Its other fields. */
  readonly event: unknown;
}

export interface DeliverTurn extends TurnOutcome {
  /** The type of the event. */
  readonly deliver: string;
  readonly from: string;
  readonly to: string;
  readonly event: unknown;
  /** In which turn it was sent, counted from 0; missing when that was before the window, or by what takes no turns. */
  readonly sentIn?: number;
}

export interface TimeoutTurn extends TurnOutcome {
  /** The name of the timer. */
  readonly timeout: string;
  readonly role: string;
  readonly event: unknown;
}

/** A process takes its first state. */
export interface BeginTurn extends TurnOutcome {
  readonly begin: string;
}

export interface EndTurn {
  /** `{ "kill": role }` of one that was killed. */
  readonly kill?: string;
  readonly end?: string;
  readonly reason?: unknown;
}
