/** What a process has open, as Linux tells it. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** How many files, of those in `directory`. */
export function openFilesIn(directory: string, pid: number | undefined): number {
  const descriptors = `/proc/${pid}/fd`;
  return readdirSync(descriptors).filter((descriptor) => pathOf(join(descriptors, descriptor)).startsWith(directory)).length;
}

/** One that was closed meanwhile has none. */
function pathOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    return '';
  }
}
