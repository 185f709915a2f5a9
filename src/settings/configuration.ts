/**
 * Configuration: what the service was told, from flags, then from `ARMATURE_…`, then from the names of ElectricSQL, so
 * that a deployment switches by changing the image.
 *
 * Reading never throws and never prints: mistakes come back as sentences that say what to do, all of them at once. A
 * secret is never part of a sentence.
 */
import type * as z from 'zod';
import { CA_WITHOUT_TLS, isProblem, parseDatabaseUrl } from './database-url.ts';
import { nearest } from './nearest-name.ts';
import { SETTINGS, variableOf, type Setting, type Settings } from './settings.ts';
import { inUseMs } from './shape-use.ts';

/** A flag's text, or true for one that stands alone; names without their dashes. */
export type Flags = Readonly<Record<string, string | true>>;
/** Variables by their names, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;
/** `demo` brings its own Postgres unless a database is named, and serves this machine only unless told otherwise. */
export type Command = 'start' | 'demo';

/** What was read, or a sentence for each mistake. */
export type ReadConfiguration = { readonly configuration: Configuration } | { readonly problems: readonly string[] };

/** What `readConfiguration` has read, every default filled in: for `startService`. Its settings are the options of that, by their names. */
export interface Configuration extends Settings {
  /** For which it was read. */
  readonly command: Command;
  /** The address to listen on. */
  readonly host: string;
  /** Whoever knows it may read; undefined when everybody may. */
  readonly secret: string | undefined;
  /** Whether the service shows itself. */
  readonly observer: boolean;
  /** Variables of the reference that are set and mean nothing here: worth one line in the log. */
  readonly ignored: readonly string[];
  /** False: no port is opened, and requests come from the program around the service alone. */
  readonly listens?: boolean;
}

/** How a mistake among several settings is told: by the names under which they were given. */
export interface Advice {
  readonly noDatabase: string;
  /** Without a full stop. */
  readonly secret: string;
  /** The names of these settings. */
  readonly shapeExpireAfter: string;
  readonly databaseCaFile: string;
  readonly replicationIdleTimeout: string;
  readonly cleanupReplicationSlots: string;
}

export const NO_DATABASE =
  'No database is named. Set DATABASE_URL (or --database-url) to postgresql://user:password@host:5432/database, or run "armature demo".';

const LOOPBACK = '127.0.0.1';
/** Who listens there is reached from this machine alone. */
const LOCAL: readonly string[] = [LOOPBACK, '::1', 'localhost'];
const ADVICE: Advice = {
  noDatabase: NO_DATABASE,
  secret:
    'Set ARMATURE_SECRET (or --secret), which clients must then send, or set ARMATURE_INSECURE=true (or --insecure) ' +
    'to let everybody read who can reach the port',
  shapeExpireAfter: 'ARMATURE_SHAPE_EXPIRE_AFTER (or --shape-expire-after)',
  databaseCaFile: 'ARMATURE_DATABASE_CA_CERTIFICATE_FILE (or --database-ca-certificate-file)',
  replicationIdleTimeout: 'ARMATURE_REPLICATION_IDLE_TIMEOUT (or --replication-idle-timeout)',
  cleanupReplicationSlots: 'ARMATURE_CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN (or --cleanup-replication-slots-on-shutdown)',
};

/** Reads flags and variables as the program does. It throws nothing and prints nothing. */
export function readConfiguration(command: Command, flags: Flags, environment: Environment): ReadConfiguration {
  const unknown = [...unknownNames(flags, environment)];
  const read = readSettings(Object.keys(SETTINGS) as SettingName[], flags, environment); // A table's own keys.
  if ('problems' in read) return { problems: [...unknown, ...read.problems] };
  if (unknown.length > 0) return { problems: unknown };
  const completed = completeSettings(command, read.settings, ADVICE);
  return 'problems' in completed ? completed : { configuration: { ...completed.configuration, ignored: ignoredNames(environment) } };
}

type SettingName = keyof Settings;

/** The text of a setting, and the name under which it was given. */
export interface GivenSetting {
  readonly text: string | undefined;
  readonly source: string;
}

/** The settings of some names alone, or every mistake in them. */
type SomeSettings<Name extends SettingName> = { readonly settings: Pick<Settings, Name> } | { readonly problems: readonly string[] };

/** The settings of these names alone, each by itself: for who starts no service. */
export function readSettings<Name extends SettingName>(
  names: readonly Name[],
  flags: Flags,
  environment: Environment,
): SomeSettings<Name> {
  return parseSettings(names, (name) => given(SETTINGS[name], flags, environment));
}

/** Each setting out of the text that `give` has of it. */
export function parseSettings<Name extends SettingName>(names: readonly Name[], give: (name: Name) => GivenSetting): SomeSettings<Name> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const setting: Setting = SETTINGS[name];
    const { text, source } = give(name);
    const parsed = setting.type.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(problem(source, parsed.error));
  }
  return problems.length > 0 ? { problems } : { settings: values as Pick<Settings, Name> }; // Each type has just read its own value.
}

/** The rules between settings. */
export function completeSettings(command: Command, settings: Settings, advice: Advice, listens = true): ReadConfiguration {
  const { databaseUrl, secret, listenOnIpv6 } = settings;
  if (command === 'start' && databaseUrl === undefined) {
    return { problems: [advice.noDatabase] };
  }
  const staysLocal = command === 'demo' && secret === undefined && (settings.host ?? LOOPBACK) === LOOPBACK && !listenOnIpv6;
  const insecure = settings.insecure || staysLocal;
  if (secret !== undefined && insecure) return { problems: [`Both a secret and insecure mode are set. ${advice.secret}; not both.`] };
  if (listens && secret === undefined && !insecure) {
    return { problems: [`Neither a secret nor insecure mode is set. ${advice.secret}.`] };
  }
  const useless = uselessCaFile(settings, advice.databaseCaFile);
  if (useless !== undefined) return { problems: [useless] };
  const hasty = expiresInUse(settings, advice.shapeExpireAfter);
  if (hasty !== undefined) return { problems: [hasty] };
  const forgetful = sleepsWithoutSlot(settings, advice);
  if (forgetful !== undefined) return { problems: [forgetful] };
  const host = settings.host ?? (listenOnIpv6 ? '::' : staysLocal ? LOOPBACK : '0.0.0.0');
  const observer = settings.observer ?? (command === 'demo' || LOCAL.includes(host));
  return { configuration: { ...settings, command, insecure, secret, host, observer, ignored: [] } };
}

/** Who names whom to trust must not talk to everybody. */
function uselessCaFile({ databaseCaFile, databaseUrl, pooledDatabaseUrl }: Settings, name: string): string | undefined {
  if (databaseCaFile === undefined) return undefined;
  const targets = [databaseUrl, pooledDatabaseUrl].flatMap((url) => (url === undefined ? [] : [parseDatabaseUrl(url)]));
  const isPlain = targets.some((target) => !isProblem(target) && target.sslMode === 'disable');
  return isPlain ? `${name} is set: ${CA_WITHOUT_TLS}` : undefined;
}

/** A shape that ended while it is in use would come back at once, again and again, at the cost of a snapshot. */
function expiresInUse({ shapeExpireAfterMs = Infinity, longPollTimeoutMs }: Settings, name: string): string | undefined {
  const leastMs = inUseMs(longPollTimeoutMs);
  if (shapeExpireAfterMs >= leastMs) return undefined;
  return `${name} is too short: behind a read a shape counts as in use for ${leastMs / 1000} s (three minutes, or three long polls).`;
}

/** A slot that ends with its connection would take all shapes with it, each time. */
function sleepsWithoutSlot({ replicationIdleTimeoutMs, cleanupReplicationSlots }: Settings, names: Advice): string | undefined {
  if (replicationIdleTimeoutMs === 0 || !cleanupReplicationSlots) return undefined;
  return (
    `Both ${names.replicationIdleTimeout} and ${names.cleanupReplicationSlots} are set: the replication slot would end with the ` +
    'connections, and all shapes with it. Set one of them.'
  );
}

/** The text of a setting and the name under which it was given; a variable that is empty is not set. */
function given(setting: Setting, flags: Flags, environment: Environment): GivenSetting {
  const ours = variableOf(setting);
  const flag = flags[setting.flag];
  if (flag !== undefined) return { text: flag === true ? 'true' : flag, source: `--${setting.flag}` };
  const source = [ours, ...setting.electric].find((name) => environment[name] !== undefined && environment[name] !== '');
  return source === undefined ? { text: undefined, source: ours } : { text: environment[source], source };
}

/** A type says what the text must be, or brings sentences of its own. */
function problem(source: string, { issues }: z.ZodError): string {
  const message = issues[0]?.message ?? 'is invalid';
  return /^[A-Z]/.test(message) ? `${source}: ${message}` : `${source} ${message}`;
}

/** A name that nobody reads is a slip of the pen, and the setting that was meant keeps its default: better not to start. */
function* unknownNames(flags: Flags, environment: Environment): Iterable<string> {
  const settings = Object.values<Setting>(SETTINGS);
  const flagNames = settings.map(({ flag }) => flag);
  const variables = settings.map(variableOf);
  for (const name of Object.keys(flags)) {
    if (!flagNames.includes(name))
      yield`--${name} is no flag of Armature. Did you mean --${nearest(name, flagNames)}? "armature --help" lists them all.`;
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith('ARMATURE_') && !variables.includes(name)) {
      yield `${name} is no setting of Armature. Did you mean ${nearest(name, variables)}? "armature --help" lists them all.`;
    }
  }
}

function ignoredNames(environment: Environment): readonly string[] {
  const known = Object.values<Setting>(SETTINGS).flatMap(({ electric }) => electric);
  return Object.keys(environment).filter((name) => name.startsWith('ELECTRIC_') && !known.includes(name)).sort();
}
