/** ActionRun: the actions of one step, one after the other, and the context that they leave. */
import type { AnyActorRef, AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateNode, MachineContext } from 'xstate';
import { paramsOf, type PlannedAction } from './named-parts.ts';
import { spawnerOf, type Assignment, type Custom, type Spawn } from '../xstate-seam.ts';

export class ActionRun {
  context: MachineContext;
  /** Actors that the machine has made itself, by an `assign`. */
  children: Record<string, AnyActorRef> | undefined;

  constructor(
    private readonly from: AnyMachineSnapshot,
    private readonly event: AnyEventObject,
    private readonly scope: AnyActorScope,
  ) {
    this.context = from.context as MachineContext;
  }

  /** The first context. */
  begin(make: (args: never) => object, input: unknown): void {
    this.context = { ...make(new AssignArgs(this, this.event, this.scope, input) as never) };
  }

  perform(actions: readonly PlannedAction[]): void {
    const { event, scope } = this;
    for (const { type, exec, assignment, params: given } of actions) {
      const params = paramsOf(given, this.context, event);
      if (assignment !== undefined) this.assign(assignment, params);
      else scope.actionExecutor({ type, info: { context: this.context, event, self: scope.self, system: scope.system }, params, exec });
    }
  }

  outputOf({ id, machine: { root } }: AnyStateNode): unknown {
    const output: unknown = root.output;
    if (typeof output !== 'function') return output;
    const event = { type: `xstate.done.state.${id}`, output: undefined };
    return (output as Custom)({ context: this.context, event, self: this.scope.self });
  }

  /** Those of this very step: none of them has begun. */
  stopChildren(): void {
    for (const child of Object.values(this.children ?? {})) this.scope.stopChild(child);
  }

  spawner(): Spawn {
    return spawnerOf({ ...this.from, context: this.context }, this.event, this.scope, (child) => {
      this.children = { ...this.children, [child.id]: child };
    });
  }

  private assign(assignment: Assignment, params: unknown): void {
    const args = new AssignArgs(this, this.event, this.scope, undefined);
    this.context = { ...this.context, ...partOf(assignment, args, params) };
  }
}

function partOf(assignment: Assignment, args: AssignArgs, params: unknown): object {
  if (typeof assignment === 'function') return assignment(args, params);
  const part: Record<string, unknown> = {};
  for (const key of Object.keys(assignment)) {
    const value = assignment[key];
    part[key] = typeof value === 'function' ? (value as Custom)(args, params) : value;
  }
  return part;
}

/** What an assigner is given. Of actors it is given the means when it asks for them: no process does. */
class AssignArgs {
  readonly context: unknown;
  readonly self: unknown;
  readonly system: unknown;

  constructor(
    private readonly run: ActionRun,
    readonly event: AnyEventObject,
    scope: AnyActorScope,
    readonly input: unknown,
  ) {
    this.context = run.context;
    this.self = scope.self;
    this.system = scope.system;
  }

  get spawn(): Spawn {
    return this.run.spawner();
  }
}
