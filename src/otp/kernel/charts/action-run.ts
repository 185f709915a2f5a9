/** ActionRun: the actions of one step, one after the other, and the context that they leave. */
import type { AnyActorRef, AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateNode, MachineContext } from 'xstate';
import { paramsOf, type Given, type PlannedAction } from './named-parts.ts';
import { spawnerOf, type Assignment, type Custom, type Spawn } from '../xstate-seam.ts';

/**
 * Is itself what parameters and assigners are made of: another object for each would cost a twentieth of a step. Of actors it has the means
 * for who asks for them by name, which no process does; a copy of its fields (`{ ...args }`) has none.
 */
export class ActionRun implements Given {
  context: MachineContext;
  /** Actors that the machine has made itself, by an `assign`: in this step, or in one before it of the same event. */
  children: Record<string, AnyActorRef>;

  constructor(
    private readonly from: AnyMachineSnapshot,
    readonly event: AnyEventObject,
    private readonly scope: AnyActorScope,
    readonly input?: unknown,
  ) {
    this.context = from.context as MachineContext;
    this.children = from.children as Record<string, AnyActorRef>;
  }

  get self(): unknown {
    return this.scope.self;
  }

  get system(): unknown {
    return this.scope.system;
  }

  get spawn(): Spawn {
    return spawnerOf({ ...this.from, context: this.context }, this.event, this.scope, (child) => {
      this.children = { ...this.children, [child.id]: child };
    });
  }

  /** The first context. */
  begin(make: (args: never) => object): void {
    this.context = { ...make(this as never) };
  }

  perform(actions: readonly PlannedAction[]): void {
    const { event, scope } = this;
    for (const { type, exec, assignment, params: given } of actions) {
      const params = paramsOf(given, this);
      if (assignment !== undefined) this.context = { ...this.context, ...this.partOf(assignment, params) };
      else scope.actionExecutor({ type, info: { context: this.context, event, self: scope.self, system: scope.system }, params, exec });
    }
  }

  outputOf({ id, machine: { root } }: AnyStateNode): unknown {
    const output: unknown = root.output;
    if (typeof output !== 'function') return output;
    const event = { type: `xstate.done.state.${id}`, output: undefined };
    return (output as Custom)({ context: this.context, event, self: this.scope.self });
  }

  /** They were made for this very event: none of them has begun. */
  stopChildren(): void {
    for (const child of Object.values(this.children)) this.scope.stopChild(child);
  }

  private partOf(assignment: Assignment, params: unknown): object {
    if (typeof assignment === 'function') return assignment(this, params);
    const part: Record<string, unknown> = {};
    for (const key of Object.keys(assignment)) {
      const value = assignment[key];
      part[key] = typeof value === 'function' ? (value as Custom)(this, params) : value;
    }
    return part;
  }
}
