/** Disk probe: does the disk take anything? Its name ends as that of all that was not finished, should it stay. */
import type { Disk } from './disk.ts';

/** What a group of the log has, about, when little comes. */
const PROBE_BYTES = 64 * 1024;

/** @throws {DiskError} it does not. */
export async function probeDisk(disk: Disk, directory: string): Promise<void> {
  const path = `${directory}/probe.new`;
  const file = await disk.open(path, 'write');
  try {
    await file.truncate(0);
    await file.append(Buffer.alloc(PROBE_BYTES));
    await file.sync();
  } finally {
    await file.close();
    await disk.removeFile(path);
  }
}
