/**
 * Dependant: follows a Materializer as an outer shape will, and keeps the set of values that it was told of.
 *
 * Values come as a set to begin with and then as moves; a move that is told again changes nothing.
 */
import { setup } from 'xstate';
import type { LinkValue, LinkValues } from '../../../src/actors/link-values.ts';
import { effects } from '../../../src/otp/effects.ts';
import type { CallFailed, Down, Name, Pid, ReplyTo, Table } from '../../../src/otp/process.ts';

type Event =
  | { type: 'values.areCurrent' }
  | { type: 'values.areInvalid' }
  | { type: 'takeMoves'; replyTo: ReplyTo }
  | { type: 'invalidate'; replyTo: ReplyTo }
  | (CallFailed & { type: 'subscription.failed' })
  | (Down & { type: 'materializer.down' });

type ViewChange = 'begin' | 'takeMoves' | 'invalidate' | 'refuse';

export class View implements Table<ViewChange> {
  readonly values = new Set<LinkValue>();
  /** How it was told that the values are no good; more than one entry is a violation. */
  readonly endings: ('invalidated' | 'refused')[] = [];

  constructor(private readonly source: () => LinkValues | undefined) {}

  apply(change: ViewChange): undefined {
    if (change === 'begin') for (const value of this.source()?.committed ?? []) this.values.add(value);
    if (change === 'takeMoves') this.takeMoves();
    if (change === 'invalidate') this.endings.push('invalidated');
    if (change === 'refuse') this.endings.push('refused');
  }

  clone(): View {
    const copy = new View(this.source);
    for (const value of this.values) copy.values.add(value);
    copy.endings.push(...this.endings);
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.values].sort(), this.endings]);
  }

  private takeMoves(): void {
    for (const { movedIn, movedOut } of this.source()?.moves ?? []) {
      for (const value of movedIn) this.values.add(value);
      for (const value of movedOut) this.values.delete(value);
    }
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
        { type: 'apply', params: { table: 'view', change: 'takeMoves' } },
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'moves.taken' } }) },
      ],
    },
  },
  initial: 'subscribing',
  states: {
    subscribing: {
      on: {
        'values.areCurrent': { target: 'following', actions: { type: 'apply', params: { table: 'view', change: 'begin' } } },
        'values.areInvalid': { target: 'refused', actions: { type: 'apply', params: { table: 'view', change: 'refuse' } } },
      },
    },
    following: {},
    refused: {},
    ended: { type: 'final' },
  },
});
