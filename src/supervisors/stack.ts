/**
 * The stack: the whole service as one table.
 *
 * ```
 * stack             one_for_one
 * ├─ journal                      writes down what the others have to tell
 * ├─ storage        one_for_one   the log and what is derived from it; outlives everything below
 * ├─ status-monitor               who is ready
 * ├─ http                         keeps answering while the rest restarts
 * ├─ connections    rest_for_one  to Postgres; takes no shape down
 * ├─ candidates                   other instances that wait for the storage
 * ├─ succession                   whose end is that of all: another one is to take over
 * ├─ idle-watch                   has the connections stopped and started again, where that is wanted
 * └─ shapes         one_for_all   what must be rebuilt together
 * ```
 */
import { idleWatch } from '../actors/connections/idle-watch.ts';
import { succession } from '../actors/succession.ts';
import { statusMonitor } from '../actors/status-monitor.ts';
import type { ChildSpec, SupervisorSpec } from '../otp/supervision/child-spec.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import { connections } from './connections.ts';
import type { StackWiring } from './stack-wiring.ts';
import { shapes } from './shapes.ts';
import { storage } from './storage.ts';

/** What the server may take to close, beyond the time that it gives to open responses. */
const HTTP_CLOSING_MS = 2_000;

export function stack(wiring: StackWiring): SupervisorSpec {
  return {
    name: '@stack',
    strategy: 'one_for_one',
    autoShutdown: 'any_significant',
    children: [
      { id: 'journal', start: wiring.ports.journal },
      { id: 'storage', start: () => supervisor(storage(wiring)), shutdown: 'infinity' },
      { id: 'status-monitor', start: () => ({ machine: statusMonitor, tables: wiring.tables.statusMonitor, name: '@status-monitor' }) },
      { id: 'http', start: wiring.ports.http, shutdown: wiring.drainTimeoutMs + HTTP_CLOSING_MS },
      { id: 'connections', start: () => supervisor(connections(wiring)), shutdown: 'infinity' },
      ...(wiring.succession === undefined ? [] : successionOf(wiring.succession)),
      ...(wiring.idle === undefined ? [] : [idleWatchOf(wiring.idle)]),
      { id: 'shapes', start: () => supervisor(shapes(wiring)), shutdown: 'infinity' },
    ],
  };
}

function successionOf({ port, ...input }: NonNullable<StackWiring['succession']>): readonly ChildSpec[] {
  return [
    { id: 'candidates', start: port },
    { id: 'succession', start: () => ({ machine: succession, input, name: '@succession' }), restart: 'transient', significant: true },
  ];
}

function idleWatchOf({ lookEveryMs, tables }: NonNullable<StackWiring['idle']>): ChildSpec {
  return { id: 'idle-watch', start: () => ({ machine: idleWatch, input: { lookEveryMs }, tables, name: '@idle-watch' }) };
}
