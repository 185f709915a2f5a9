/** Forms: a window of the recording as a file. docs/observer.md says what holds for all of them. */
import type { SequenceStep } from './messages.ts';

/** `/api/scenario?from=&to=&process=`: the window as a file (it comes with `content-disposition: attachment`). */
export interface ScenarioView {
  readonly format: 'armature.window/1';
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What of it can be replayed and what cannot, in words. */
  readonly notes: readonly string[];
  /** Who takes part: `role` is the name that `turns` have for it. */
  readonly roles: readonly { readonly role: string; readonly pid: string; readonly kind: string | null }[];
  /** As `test/scenarios` has them. */
  readonly turns: readonly ScenarioTurn[];
  /** The records themselves, in causal order. */
  readonly steps: readonly SequenceStep[];
}

export type ScenarioTurn =
  | { readonly deliver: string; readonly from: string; readonly to: string }
  | { readonly timeout: string; readonly role: string }
  | { readonly kill: string }
  | { readonly happen: string };
