/**
 * Options: the settings as a program gives them: each by its name, as a value. They are read by the same types as flags and variables,
 * so what may be set is the same, and each mistake is told by the name of its option, all of them at once.
 */
import { completeSettings, parseSettings, type Advice, type Configuration, type ReadConfiguration } from './configuration.ts';
import { nearest } from './nearest-name.ts';
import { SETTINGS, type Settings } from './settings.ts';

/** Settings that an option of another form stands for. */
const STOOD_FOR = ['storage', 'storageDirectory', 'logLevel'] as const;

/** Every setting by its name; docstrings with units are where the options are (`ServiceOptions`). */
export type SettingOptions = { readonly [Name in Exclude<keyof Settings, (typeof STOOD_FOR)[number]>]?: Settings[Name] };

/** How grave a line must be to be written. */
export type LogLevel = Configuration['logLevel'];

/** What options of another form come to. */
export interface FormedOptions {
  readonly storage: string | undefined;
  readonly storageDirectory: string | undefined;
  readonly logLevel: string | undefined;
  readonly listens: boolean;
}

const ADVICE: Advice = {
  noDatabase: 'No database is named. Set databaseUrl to postgresql://user:password@host:5432/database.',
  secret:
    'Set secret, which clients must then send, or insecure: true to let everybody read who can reach the port, ' +
    'or listen: false to open none',
  shapeExpireAfter: 'shapeExpireAfterMs',
  databaseCaFile: 'databaseCaFile',
  replicationIdleTimeout: 'replicationIdleTimeoutMs',
  cleanupReplicationSlots: 'cleanupReplicationSlots',
};

/**
 * @param options whatever a program gave: nothing holds one that is not typed to the types.
 * @param otherNames of options that are no settings.
 */
export function readOptions(
  options: Readonly<Record<string, unknown>>,
  formed: FormedOptions,
  otherNames: readonly string[],
): ReadConfiguration {
  const { listens, ...texts } = formed;
  const stoodFor: Readonly<Record<string, string | undefined>> = texts;
  const read = parseSettings(Object.keys(SETTINGS) as (keyof Settings)[], (name) => { // A table's own keys.
    return { text: Object.hasOwn(stoodFor, name) ? stoodFor[name] : textOf(options[name]), source: name };
  });
  const problems = [...unknownOptions(options, otherNames), ...unreadable(options), ...('problems' in read ? read.problems : [])];
  if ('problems' in read || problems.length > 0) return { problems };
  const completed = completeSettings('start', read.settings, ADVICE, listens);
  return 'problems' in completed ? completed : { configuration: { ...completed.configuration, listens } };
}

/** A value as the text that says the same: durations are milliseconds there too. */
function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return isRecord(value) ? JSON.stringify(Object.fromEntries(Object.entries(value).map(plain))) : String(value);
}

function plain([name, value]: [string, unknown]): [string, unknown] {
  return [name, typeof value === 'number' ? value : String(value)];
}

function optionNames(): readonly string[] {
  return Object.keys(SETTINGS).filter((name) => !STOOD_FOR.some((other) => other === name));
}

/** Whose text would not say what they are. */
function* unreadable(options: Readonly<Record<string, unknown>>): Iterable<string> {
  for (const name of optionNames()) {
    const value = options[name];
    const isPlain = ['undefined', 'string', 'number', 'boolean', 'bigint'].includes(typeof value);
    if (!isPlain && !(isRecord(value) && name === 'maxConcurrentRequests')) yield`${name} must be a text, a number, true or false`;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function* unknownOptions(options: object, otherNames: readonly string[]): Iterable<string> {
  const names = [...optionNames(), ...otherNames];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) yield`${name} is no option of startService. Did you mean ${nearest(name, names)}?`;
  }
}
