/** All kinds of faults, a row each. */
import type { Fault } from './fault.ts';
import { LINE_FAULTS } from './line-faults.ts';
import { POSTGRES_FAULTS } from './postgres-faults.ts';
import { SERVICE_FAULTS } from './service-faults.ts';

export const FAULTS: readonly Fault[] = [...SERVICE_FAULTS, ...POSTGRES_FAULTS, ...LINE_FAULTS];
