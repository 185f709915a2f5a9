/** NamedParts: the actions and guards that a chart names, each found once: what processes are made of, and nothing else. */
import type { AnyStateMachine, AnyTransitionDefinition, UnknownAction } from 'xstate';
import { assignmentOf, isCustom, type Assignment, type Custom } from '../xstate-seam.ts';

/** What is given to an action or a guard: a value, or made of context and event. */
type Params = unknown;

export interface PlannedAction {
  readonly type: string;
  /** Undefined where the machine names an action that it does not have. */
  readonly exec: Custom | undefined;
  /** Of an `assign`, which is run by nobody else. */
  readonly assignment: Assignment | undefined;
  readonly params: Params;
}

export interface PlannedGuard {
  readonly claim: Custom;
  readonly params: Params;
}

/** Undefined for an action of another kind. */
export function actionIn({ implementations }: AnyStateMachine, action: UnknownAction): PlannedAction | undefined {
  const isInline = typeof action === 'function';
  const type = typeof action === 'string' ? action : isInline ? action.name || '(anonymous)' : action.type;
  const exec: unknown = isInline ? action : implementations.actions[type];
  const params: unknown = typeof action === 'object' && 'params' in action ? action.params : undefined;
  const assignment = assignmentOf(exec);
  if (assignment !== undefined) return { type, exec: undefined, assignment, params };
  return exec === undefined || isCustom(exec) ? { type, exec, assignment, params } : undefined;
}

/** Undefined for a guard of another kind. */
export function guardIn(
  { implementations }: AnyStateMachine,
  guard: NonNullable<AnyTransitionDefinition['guard']>,
): PlannedGuard | undefined {
  const claim: unknown = typeof guard === 'function' ? guard : implementations.guards[typeof guard === 'string' ? guard : guard.type];
  const params: unknown = typeof guard === 'object' && 'params' in guard ? guard.params : undefined;
  return isCustom(claim) ? { claim, params } : undefined;
}

/** What parameters, and guards, are made of. */
export interface Given {
  readonly context: unknown;
  readonly event: unknown;
}

export function paramsOf(params: Params, given: Given): unknown {
  return typeof params === 'function' ? (params as Custom)(given) : params;
}
