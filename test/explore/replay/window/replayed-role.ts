/** ReplayedRole: one process of a window on its machine: it takes its turns again, by the rules of `machine-process.ts`. */
import { initialTransition, transition, type AnyMachineSnapshot, type AnyStateMachine, type StateValue } from 'xstate';
import { crash } from '../../../../src/otp/kernel/error-report.ts';
import { unhandled } from '../../../../src/otp/kernel/machine-process.ts';
import { foundNoTransition, watchSelection } from '../../../../src/otp/kernel/xstate-seam.ts';
import type { ExitReason, Message } from '../../../../src/otp/process.ts';
import { withoutStack } from '../../checker/local-process.ts';
import type { Action } from '../../checker/performance.ts';
import { AskedMessages } from './asked-messages.ts';
import type { RecordedRole } from './recorded-window.ts';

type Begin = NonNullable<RecordedRole['begin']>;

export interface Taken {
  /** The state value, when it is another than before. */
  readonly becomes: unknown;
  readonly asked: AskedMessages;
  /** Undefined when it goes on. */
  readonly ends: ExitReason | undefined;
}

const NOTHING = new AskedMessages([]);

export class ReplayedRole {
  private snapshot: AnyMachineSnapshot | undefined;
  /** Why its last turn has ended it. */
  ends: ExitReason | undefined;

  constructor(
    private readonly machine: AnyStateMachine,
    private readonly begin: Begin,
  ) {
    watchSelection(machine);
    if ('value' in begin) this.snapshot = machine.resolveState({ value: begin.value as StateValue, context: begin.context });
  }

  get hasBegun(): boolean {
    return this.snapshot !== undefined;
  }

  /** Where it stands; undefined before its first state. */
  get standing(): { readonly value: unknown; readonly context: unknown } | undefined {
    return this.snapshot && { value: this.snapshot.value, context: this.snapshot.context as unknown };
  }

  /** Its first state. */
  first(): Taken {
    const input = 'input' in this.begin ? this.begin.input : {};
    return this.went(() => initialTransition(this.machine, input));
  }

  take(event: Message): Taken {
    const before = this.snapshot;
    if (before === undefined) return this.ended({ error: { name: 'Unborn', message: 'it has yet to begin' } });
    const taken = this.went(() => transition(this.machine, before, event));
    return foundNoTransition(event) ? this.ended(crash(unhandled(event, before))) : taken;
  }

  private went(go: () => [AnyMachineSnapshot, readonly Action[]]): Taken {
    const before = this.snapshot;
    try {
      const [snapshot, actions] = go();
      this.snapshot = snapshot;
      this.ends = stopOf(actions) ?? endOf(snapshot);
      return { becomes: isSame(before, snapshot) ? undefined : snapshot.value, asked: new AskedMessages(actions), ends: this.ends };
    } catch (error) {
      return this.ended(crash(error)); // As the runtime does: the process ends with it.
    }
  }

  private ended(reason: ExitReason): Taken {
    this.ends = withoutStack(reason);
    return { becomes: undefined, asked: NOTHING, ends: this.ends };
  }
}

function stopOf(actions: readonly Action[]): ExitReason | undefined {
  const stop = actions.findLast(({ type }) => type === 'stop');
  return (stop?.params as { readonly reason: ExitReason } | undefined)?.reason;
}

function endOf({ status, output }: AnyMachineSnapshot): ExitReason | undefined {
  if (status !== 'done') return undefined;
  const told: { readonly reason?: ExitReason } | undefined = output;
  return told?.reason ?? 'normal';
}

/** The runtime tells no transition that leads to the same states. */
function isSame(before: AnyMachineSnapshot | undefined, after: AnyMachineSnapshot): boolean {
  if (before === undefined) return false;
  if (before._nodes === after._nodes) return true;
  const nodes = new Set(before._nodes);
  return after._nodes.every((node) => nodes.has(node));
}
