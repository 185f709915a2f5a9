/** What is remembered of a publication's tables: nothing yet. */
import type { PublicationOptions } from '../../../src/postgres/catalog/publication.ts';
import { memoryLog } from '../../../src/storage/log/memory-log.ts';

export function newMemories(): Pick<PublicationOptions, 'trees' | 'memberships'> {
  const log = memoryLog();
  return { trees: log, memberships: log };
}
