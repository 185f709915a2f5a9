/** The commands, as one table: help, parsing and completion all follow from it. */
import { CLEANUP_SETTINGS } from './cleanup-settings.ts';
import { flagOf, flagsOfSettings, JSON_FLAG, type Command, type Flag } from './command.ts';
import { completionCommand } from './completion.ts';
import { DOCTOR_SETTINGS } from './doctor-settings.ts';
import { explainCommand } from './explain.ts';
import { inspectCommand } from './inspect.ts';
import { shapesCommand } from './shapes.ts';
import { storageCommand } from './storage.ts';

const DRY_RUN_FLAG: Flag = { flag: 'dry-run', help: 'say what would be done, and change nothing', variables: [] };
const SERVICE_FLAGS = [...flagsOfSettings(), JSON_FLAG];

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    summary: 'follow the database that DATABASE_URL or --database-url names',
    flags: SERVICE_FLAGS,
    serves: 'start',
  },
  { name: 'demo', summary: 'bring a Postgres with some data, unless a database is named', flags: SERVICE_FLAGS, serves: 'demo' },
  {
    name: 'doctor',
    summary: 'look at the database, and say what to run before it can be followed',
    flags: [...DOCTOR_SETTINGS.map(flagOf), JSON_FLAG],
    run: async (context) => (await import('./doctor.ts')).doctor(context), // Loads a driver, which help does not wait for.
  },
  {
    name: 'cleanup',
    summary: 'take out of a database what a service that was stopped has left there: its slot, its publication, replica identities',
    flags: [...CLEANUP_SETTINGS.map(flagOf), DRY_RUN_FLAG, JSON_FLAG],
    run: async (context) => (await import('./cleanup.ts')).cleanup(context), // As above.
  },
  shapesCommand,
  explainCommand,
  inspectCommand,
  storageCommand,
  completionCommand(() => COMMANDS),
];
