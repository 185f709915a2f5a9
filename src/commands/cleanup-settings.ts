/** The settings of a service that say what it has left in which database. */
import type { Settings } from '../settings/settings.ts';

export const CLEANUP_SETTINGS = [
  'databaseUrl', 'databaseCaFile', 'replicationStreamId', 'manualTablePublishing', 'takeOverSlot', 'cleanupReplicationSlots',
] as const satisfies readonly (keyof Settings)[];
