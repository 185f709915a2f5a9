import type { Lsn } from './lsn.ts'; // The other half of the cycle: told once.

export type Xid = Lsn;
