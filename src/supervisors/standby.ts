/**
 * The standby: what runs while another instance works in the storage. It ends by itself, when the storage has been taken over or cannot be
 * opened; the stack begins in its place.
 *
 * ```
 * standby           one_for_one
 * ├─ journal                      writes down what the others have to tell
 * ├─ status-monitor               who is ready
 * ├─ pools                        asked for tables, and nothing else
 * ├─ connection-pools
 * ├─ standby-storage              the directory of the other instance
 * └─ standby                      whose end is that of all
 * ```
 */
import { connectionPools } from '../actors/connections/connection-pools.ts';
import { standby as standbyMachine } from '../actors/standby.ts';
import { statusMonitor } from '../actors/status-monitor.ts';
import type { PortSpec, Table } from '../otp/process.ts';
import type { SupervisorSpec } from '../otp/supervision/child-spec.ts';

export interface StandbyWiring {
  readonly ports: Readonly<Record<'journal' | 'pools' | 'standbyStorage', () => PortSpec>>;
  readonly tables: { readonly statusMonitor: () => Readonly<Record<string, Table>> };
}

export function standby({ ports, tables }: StandbyWiring): SupervisorSpec {
  return {
    strategy: 'one_for_one',
    autoShutdown: 'any_significant',
    children: [
      { id: 'journal', start: ports.journal },
      { id: 'status-monitor', start: () => ({ machine: statusMonitor, tables: tables.statusMonitor, name: '@status-monitor' }) },
      { id: 'pools', start: ports.pools },
      { id: 'connection-pools', start: () => ({ machine: connectionPools, name: '@connection-pools' }) },
      { id: 'standby-storage', start: ports.standbyStorage, shutdown: 'infinity' },
      { id: 'standby', start: () => ({ machine: standbyMachine, name: '@standby' }), restart: 'transient', significant: true },
    ],
  };
}
