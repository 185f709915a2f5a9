/** The settings of a service that say which database it would follow, and how. */
import type { Settings } from '../settings/settings.ts';

export const DOCTOR_SETTINGS = [
  'databaseUrl', 'pooledDatabaseUrl', 'databaseCaFile', 'replicationStreamId', 'manualTablePublishing', 'takeOverSlot',
  'cleanupReplicationSlots', 'databasePoolSize',
] as const satisfies readonly (keyof Settings)[];
