import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { WireFormat } from '../../src/observer/wire-format.ts';
import { replayScheduler } from '../../src/otp/schedulers/choosing-scheduler.ts';
import { createRuntime, type Runtime } from '../../src/otp/runtime.ts';
import { handOverTree } from '../support/actors/hand-over-tree.ts';

beforeEach(() => {
  vi.useFakeTimers(); // The package converts an event in a timer of its own.
});
afterEach(() => {
  vi.useRealTimers();
});

const DEPTH = 50;

function startTree(): Runtime {
  const runtime = createRuntime({ scheduler: replayScheduler() });
  void runtime.start(handOverTree(), { id: 'tree' });
  return runtime;
}

/** The same events as both tell them; after each, the package's timer has run before the next. */
function toldTwice(runtime: Runtime) {
  const official: StatelyInspectionEvent[] = [];
  const inspector = createInspector({ send: (event) => void official.push(event) }, { serializationDepthLimit: DEPTH });
  const format = new WireFormat({ epochMicros: () => 0 });
  const ours: string[] = [];
  runtime.inspect((event) => {
    inspector.inspect.next?.(event);
    ours.push(...format.messagesOf(event));
  });
  ours.push(...format.announced());
  const runTimers = () => vi.runAllTimers();
  runTimers();
  return { official: () => official.map(plain), ours: () => ours.map((text) => plain(JSON.parse(text))), runTimers };
}

/** As it goes over the wire, without when, and with the definition as data: the package sorts its keys. */
function plain(message: unknown): unknown {
  const { createdAt: _, definition, ...rest } = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
  return definition === undefined ? rest : { ...rest, definition: JSON.parse(String(definition)) as unknown };
}

function isBirth(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === '@xstate.actor';
}

test('says of those who live what the package says', () => {
  const runtime = startTree();
  runtime.drain();

  const { official, ours } = toldTwice(runtime);

  expect({ ours: ours(), count: ours().length }).toEqual({ ours: official(), count: 5 });
});

test('says of births, deliveries, states and ends what the package says', () => {
  const runtime = startTree();
  const { official, ours, runTimers } = toldTwice(runtime);

  while (runtime.step()) runTimers();
  runtime.send('@follower', { type: 'follow' });
  while (runtime.step()) runTimers();
  runtime.exit('@keeper', 'kill');
  while (runtime.step()) runTimers();

  expect({ ours: ours(), births: ours().filter(isBirth).length }).toEqual({ ours: official(), births: 6 });
});

test('shows what JSON cannot: a function by its name, a BigInt by its digits', () => {
  const format = new WireFormat({ epochMicros: () => 1_500 });
  const event: InspectionEvent = {
    type: '@xstate.event',
    rootId: 'x:0',
    actorRef: { sessionId: 'x:1', send: () => undefined, getSnapshot: () => undefined },
    sourceRef: undefined,
    event: { type: 'odd', big: 10n, run: function run() {} },
  };

  expect(format.messagesOf(event)).toEqual([
    '{"type":"@xstate.event","event":{"type":"odd","big":"10","run":{"type":"run"}},"sessionId":"x:1","rootId":"x:0",' +
      '"createdAt":"1","id":null,"_version":"0.7.2"}',
  ]);
});
