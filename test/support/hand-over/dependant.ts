/**
 * Dependant: follows a Materializer as an outer shape will, and keeps the set of values that it was told of.
 *
 * It begins with the values of a version, and goes on to the next ones by what moved in between.
 */
import { setup } from 'xstate';
import type { LinkValues } from '../../../src/actors/link-values.ts';
import { BEFORE_ALL, type LogOffset } from '../../../src/model/log-offset.ts';
import { effects } from '../../../src/otp/effects.ts';
import type { CallFailed, Down, Name, Pid, ReplyTo, Table } from '../../../src/otp/process.ts';

type Event =
  | { type: 'values.areCurrent'; offset: LogOffset }
  | { type: 'values.areInvalid' }
  | { type: 'takeMoves'; through: LogOffset; replyTo: ReplyTo }
  | { type: 'invalidate'; replyTo: ReplyTo }
  | (CallFailed & { type: 'subscription.failed' })
  | (Down & { type: 'materializer.down' });

export type ViewChange = { readonly begin: LogOffset } | { readonly takeMoves: LogOffset } | 'invalidate' | 'refuse';

export class View implements Table<ViewChange> {
  readonly values = new Set<string>();
  /** The version that it has; before everything until it has begun. */
  at = BEFORE_ALL;
  /** How it was told that the values are no good; more than one entry is a violation. */
  readonly endings: ('invalidated' | 'refused')[] = [];

  constructor(private readonly source: () => LinkValues | undefined) {}

  apply(change: ViewChange): undefined {
    if (change === 'invalidate') this.endings.push('invalidated');
    else if (change === 'refuse') this.endings.push('refused');
    else if ('begin' in change) this.begin(change.begin);
    else this.takeMoves(change.takeMoves);
  }

  clone(): View {
    const copy = new View(this.source);
    for (const value of this.values) copy.values.add(value);
    copy.at = this.at;
    copy.endings.push(...this.endings);
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.values].sort(), this.at, this.endings]);
  }

  /** Of a Materializer that has ended meanwhile there is nothing to begin with. */
  private begin(at: LogOffset): void {
    this.at = at;
    for (const value of this.source()?.textsAt(at) ?? []) this.values.add(value);
  }

  private takeMoves(through: LogOffset): void {
    const moved = this.source()?.movesBetween(this.at, through);
    for (const { value } of moved?.movedIn ?? []) this.values.add(value);
    for (const { value } of moved?.movedOut ?? []) this.values.delete(value);
    this.at = through;
  }
}

export const dependant = setup({
  types: { input: {} as { self: Pid; materializer: Name }, context: {} as { self: Pid; materializer: Name }, events: {} as Event },
  actions: { ...effects },
}).createMachine({
  id: 'dependant',
  context: ({ input }) => input,
  entry: [
    { type: 'monitor', params: ({ context }) => ({ process: context.materializer, as: 'materializer' }) },
    {
      type: 'call',
      params: ({ context }) => ({
        to: context.materializer,
        request: { type: 'subscribe', dependant: context.self },
        as: 'subscription',
      }),
    },
  ],
  on: {
    'materializer.down': '.ended',
    invalidate: {
      actions: [
        { type: 'apply', params: { table: 'view', change: 'invalidate' } },
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'invalidation.noted' } }) },
      ],
    },
    takeMoves: {
      actions: [
        { type: 'apply', params: ({ event }) => takeMoves(event) },
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'moves.taken' } }) },
      ],
    },
  },
  initial: 'subscribing',
  states: {
    subscribing: {
      on: {
        'values.areCurrent': { target: 'following', actions: { type: 'apply', params: ({ event }) => begin(event) } },
        'values.areInvalid': { target: 'refused', actions: { type: 'apply', params: { table: 'view', change: 'refuse' } } },
      },
    },
    following: {},
    refused: {},
    ended: { type: 'final' },
  },
});

function begin({ offset }: { offset: LogOffset }): { table: string; change: ViewChange } {
  return { table: 'view', change: { begin: offset } };
}

function takeMoves({ through }: { through: LogOffset }): { table: string; change: ViewChange } {
  return { table: 'view', change: { takeMoves: through } };
}
