/**
 * ChildRequests: what a supervisor can be asked about its children, and what it answers.
 *
 * What must never go wrong: whoever asks is answered exactly once. So a request either gets its answer at once, or is
 * kept by the table until the child that it is about has started or stopped.
 */
import type { DynamicChildSpec } from './child-spec.ts';
import type { SpecFault } from './child-spec-faults.ts';
import { describeSpec, listed, type ChildRow } from './child-row.ts';
import { crash } from '../kernel/error-report.ts';
import type { Address, ExitReason, Message, Pid, ReplyTo } from '../process.ts';

/** Asks for a child of one of the templates. */
export interface StartChild extends Message {
  /** Answered by `child.started { id, pid }`, `child.ignored { id }` or `child.refused { id?, reason, pid? }`. */
  readonly type: 'startChild';
  /** Its name. */
  readonly template: string;
  /** What the template makes a specification of. */
  readonly args: Message;
  /** Left out, nobody is answered. */
  readonly replyTo?: ReplyTo | undefined;
}

/** Asks about a child that is there. */
export interface ChildRequest extends Message {
  readonly type:
    | 'terminateChild' // `child.terminated { id }`
    | 'restartChild' // Like `startChild`.
    | 'deleteChild' // `child.deleted { id }`
    | 'getChildSpec' // `child.spec { spec: { id, restart, shutdown, significant, type } }`
    | 'whichChild'; // `child { child: { id, pid, status, type } }`
  /** Which child; a dynamic supervisor takes its pid as well. */
  readonly id?: string | undefined;
  /** For a dynamic supervisor. */
  readonly pid?: Pid | undefined;
  /** Left out, nobody is answered. */
  readonly replyTo?: ReplyTo | undefined;
}

/** What a supervisor asks of itself when the restart of a child has failed in `process`. */
export type RetryRestart = { readonly type: 'restart.retry'; readonly id: string; readonly process: Address };

/** Whatever a supervisor is asked. */
export type SupervisorRequest =
  | StartChild
  | ChildRequest
  | RetryRestart
  | { readonly type: 'whichChildren' | 'countChildren'; readonly replyTo: ReplyTo };

/** Why a request was not fulfilled, and nothing has changed. */
export type RequestRefusal =
  | 'already_started' // A child of this id runs; `pid` is its process.
  | 'already_present' // A child of this id is there, but does not run.
  | 'running'
  | 'restarting'
  | 'not_found'
  | 'max_children'
  | 'unknown_template'
  | 'dynamic' // A dynamic supervisor does no such thing.
  | SpecFault // The template made a faulty specification.
  | ExitReason; // The start failed, or the template did.

export interface RequestAnswer {
  readonly to: ReplyTo;
  readonly event: Message;
}

export type RequestsAnswered = { readonly type: 'requests.answered'; readonly answers: readonly RequestAnswer[] };

export function requestsAnswered(...answers: readonly (readonly RequestAnswer[])[]): RequestsAnswered {
  return { type: 'requests.answered', answers: answers.flat() };
}

/** @returns no answer when the request came without `replyTo`: then nobody waits for it. */
export function answer(to: ReplyTo | undefined, event: Message): readonly RequestAnswer[] {
  return to === undefined ? [] : [{ to, event }];
}

export function refusal(to: ReplyTo | undefined, id: string | undefined, reason: RequestRefusal, pid?: Pid): readonly RequestAnswer[] {
  return answer(to, { type: 'child.refused', ...(id === undefined ? {} : { id }), reason, ...(pid === undefined ? {} : { pid }) });
}

/** The answer to a request that only looks at the child. */
export function description(to: ReplyTo | undefined, type: 'getChildSpec' | 'whichChild', row: ChildRow): readonly RequestAnswer[] {
  return answer(to, type === 'whichChild' ? { type: 'child', child: listed(row) } : { type: 'child.spec', spec: describeSpec(row) });
}

type Made<Spec> = { readonly spec: Spec } | { readonly refusal: RequestRefusal };

/** The specification that a template makes of `args`, unless there is no such template, it throws, or `faultOf` finds a fault. */
export function specFrom<Spec extends DynamicChildSpec>(
  templates: Readonly<Record<string, (args: Message) => Spec>>,
  { template, args }: StartChild,
  faultOf: (spec: Spec) => SpecFault | undefined,
): Made<Spec> {
  const make = Object.hasOwn(templates, template) ? templates[template] : undefined;
  if (make === undefined) return { refusal: 'unknown_template' };
  try {
    const spec = make(args);
    const fault = faultOf(spec);
    return fault === undefined ? { spec } : { refusal: fault };
  } catch (thrown) {
    return { refusal: crash(thrown) };
  }
}
