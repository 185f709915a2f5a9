/** `armature storage`: looks at a storage directory, verifies it, copies it; all three also beside the service that works in it. */
import { JSON_FLAG, type CommandContext, type ToolCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { refused } from './terminal.ts';

const LIMIT_DEFAULT = 100;

export const storageCommand: ToolCommand = {
  name: 'storage',
  summary: 'look at a storage directory, verify it, or copy it; also of a service that runs',
  operands: [
    { name: 'inspect|verify|backup', values: ['inspect', 'verify', 'backup'] },
    { name: 'DIRECTORY' },
    { name: 'TARGET', isOptional: true },
  ],
  flags: [
    { flag: 'limit', value: 'NUMBER', help: `inspect: how many shapes, the largest first (default: ${LIMIT_DEFAULT})`, variables: [] },
    JSON_FLAG,
  ],
  run: storage,
};

async function storage({ flags, operands, terminal }: CommandContext): Promise<ExitCode> {
  const [action, directory = '', target] = operands;
  const isJson = flags['json'] !== undefined;
  const { limit = String(LIMIT_DEFAULT) } = flags;
  const isBackup = action === 'backup';
  if (isBackup !== (target !== undefined)) return refused(terminal, [WANTS[isBackup ? 'target' : 'noTarget']], EXIT.misused);
  if (!/^[1-9]\d{0,8}$/.test(String(limit))) return refused(terminal, ['--limit must be a whole number from 1 to 999999999'], EXIT.misused);
  const asked = { directory, terminal, isJson };
  // What they need is loaded as late as this: help does not wait for it.
  if (action === 'verify') return (await import('./storage/verify-storage.ts')).verify(asked);
  if (target !== undefined) return (await import('./storage/backup-storage.ts')).backup({ ...asked, target });
  return (await import('./storage/inspect-storage.ts')).inspect({ ...asked, limit: Number(limit) });
}

const WANTS = {
  target: 'Write it as: armature storage backup DIRECTORY TARGET, with a target that is not there yet, or empty',
  noTarget: 'Only "armature storage backup" takes a second directory',
} as const;
