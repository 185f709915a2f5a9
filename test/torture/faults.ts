/** All kinds of faults, a row each. */
import { DISK_FAULTS } from './disk-faults.ts';
import type { Fault } from './fault.ts';
import { LINE_FAULTS } from './line-faults.ts';
import { POSTGRES_FAULTS } from './postgres-faults.ts';
import { SERVICE_FAULTS } from './service-faults.ts';
import { STREAM_FAULTS } from './stream-faults.ts';
import { TABLE_FAULTS } from './table-faults.ts';

export const FAULTS: readonly Fault[] = [
  ...SERVICE_FAULTS, ...POSTGRES_FAULTS, ...LINE_FAULTS, ...DISK_FAULTS, ...TABLE_FAULTS, ...STREAM_FAULTS,
];
