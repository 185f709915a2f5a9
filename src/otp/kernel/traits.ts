/** Traits: what processes of one kind have in common, kept once for all of them. */
import type { AnyStateMachine } from 'xstate';
import { SHUTDOWN_MS } from '../supervision/child-row.ts';
import type { Kernel, Traits } from './entry.ts';
import { machineBehaviour } from './machine-process.ts';
import { portBehaviour } from './port-process.ts';
import { isPortSpec, type MachineSpec, type ProcessSpec } from '../process.ts';

const MAILBOX_MAX = 100_000;

export class TraitsTable {
  private readonly kernel: Kernel;
  /** By machine, the traits of the process that began last: mostly the next one has the same. */
  private readonly lastOf = new WeakMap<AnyStateMachine, Traits>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  of(spec: ProcessSpec, shutdown: Traits['shutdown'] = SHUTDOWN_MS): Traits {
    if (isPortSpec(spec)) return { ...BARE, kernel: this.kernel, behaviour: portBehaviour, shutdown };
    const last = this.lastOf.get(spec.machine);
    if (last !== undefined && last.shutdown === shutdown && isLike(spec, last)) return last;
    const traits: Traits = { ...particularsOf(spec), kernel: this.kernel, behaviour: machineBehaviour, shutdown, machine: spec.machine };
    this.lastOf.set(spec.machine, traits);
    return traits;
  }
}

const BARE = {
  machine: undefined,
  spawns: undefined,
  trapExit: false,
  mailboxMax: MAILBOX_MAX,
  mailboxOverflow: 'crash',
  hibernateAfterMs: undefined,
} as const;

/** What the specification says, or means where it is silent. */
function particularsOf({ spawns, trapExit = false, mailboxMax = MAILBOX_MAX, mailboxOverflow = 'crash', hibernateAfterMs }: MachineSpec) {
  return { spawns, trapExit, mailboxMax, mailboxOverflow, hibernateAfterMs };
}

function isLike(spec: MachineSpec, traits: Traits): boolean {
  const { spawns, trapExit, mailboxMax, mailboxOverflow, hibernateAfterMs } = particularsOf(spec);
  return (
    spawns === traits.spawns && trapExit === traits.trapExit && mailboxMax === traits.mailboxMax &&
    mailboxOverflow === traits.mailboxOverflow && hibernateAfterMs === traits.hibernateAfterMs
  );
}
