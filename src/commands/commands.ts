/** The commands, as one table: help, parsing and completion all follow from it. */
import { flagsOfSettings, type Command } from './command.ts';
import { completionCommand } from './completion.ts';

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    summary: 'follow the database that DATABASE_URL or --database-url names',
    flags: flagsOfSettings(),
    serves: 'start',
  },
  { name: 'demo', summary: 'bring a Postgres with some data, unless a database is named', flags: flagsOfSettings(), serves: 'demo' },
  completionCommand(() => COMMANDS),
];
