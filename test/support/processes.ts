/** What runs in or on a directory, whoever started it: by working directory or by arguments, as Linux tells them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** @returns the command lines. A zombie has none left, and is not told. */
export function processesOn(directory: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const command = told(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim());
    const workingDirectory = told(() => readlinkSync(`/proc/${pid}/cwd`));
    return command !== '' && (command.includes(directory) || workingDirectory.startsWith(directory)) ? [command] : [];
  });
}

/** A process may end while it is looked at, or belong to somebody else. */
function told(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
