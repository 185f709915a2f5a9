/** The whole text of a small file that is somebody else's: a setting names it. */
import type { Disk } from './disk.ts';

/** @throws {DiskError} */
export async function wholeText(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  try {
    return new TextDecoder().decode(await file.read(0, file.size));
  } finally {
    await file.close();
  }
}
