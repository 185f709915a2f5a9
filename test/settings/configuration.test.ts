/** What the service was told, and how it says what is wrong with it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfiguration, type Command, type Configuration, type Environment, type Flags } from '../../src/settings/configuration.ts';
import { SETTINGS, variableOf, type Setting } from '../../src/settings/settings.ts';
import { VERSION } from '../../src/base/version.ts';

const URL_OF_DATABASE = 'postgresql://someone:pass-word@db:5432/app';
const PLAIN = { DATABASE_URL: URL_OF_DATABASE, ARMATURE_INSECURE: 'true' };

function read(environment: Environment = {}, flags: Flags = {}, command: Command = 'start'): Partial<Configuration> {
  const result = readConfiguration(command, flags, { ...PLAIN, ...environment });
  return 'configuration' in result ? result.configuration : {};
}

function problemsOf(environment: Environment, flags: Flags = {}, command: Command = 'start'): readonly string[] {
  const result = readConfiguration(command, flags, environment);
  return 'problems' in result ? result.problems : [];
}

test('the defaults are those of the reference', () => {
  expect(read()).toEqual({
    command: 'start',
    databaseUrl: URL_OF_DATABASE,
    pooledDatabaseUrl: undefined,
    databaseCaFile: undefined,
    secret: undefined,
    insecure: true,
    port: 3000,
    host: '0.0.0.0',
    listenOnIpv6: false,
    enableDeletion: false,
    longPollTimeoutMs: 20_000,
    chunkBytesMax: 10_485_760,
    keepEveryUpdate: false,
    shapeLogBytesMax: 1_073_741_824,
    cacheMaxAgeSeconds: 60,
    cacheStaleAgeSeconds: 300,
    maxConcurrentRequests: { initial: 300, existing: 10_000 },
    storage: 'disk',
    storageDirectory: './.armature/storage',
    takeOverSlot: false,
    replicationStreamId: 'default',
    cleanupReplicationSlots: false,
    manualTablePublishing: false,
    publicationCheckEveryMs: 10_000,
    retainedWalBytesMax: 1_073_741_824,
    replicationIdleTimeoutMs: 0,
    shapeHibernateAfterMs: 30_000,
    shapeDormantAfterMs: 60_000,
    transactionBytesMax: 262_144_000,
    subqueryValuesMax: 5_000_000,
    databasePoolSize: 20,
    databaseTimeoutMs: 15_000,
    drainTimeoutMs: 5000,
    tcpReadTimeoutMs: 60_000,
    tcpSendTimeoutMs: 30_000,
    keepAliveTimeoutMs: 75_000,
    logLevel: 'info',
    observer: false,
    inspect: false,
    inspectPort: 3001,
    ignored: [],
  });
});

test('a deployment of the reference is understood as it is', () => {
  const environment = {
    ARMATURE_INSECURE: undefined,
    ELECTRIC_SECRET: 'S3cret',
    ELECTRIC_PORT: '4000',
    ELECTRIC_LISTEN_ON_IPV6: 'true',
    ELECTRIC_ENABLE_INTEGRATION_TESTING: 'true',
    ELECTRIC_LONG_POLL_TIMEOUT: '15000',
    ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD: '10000',
    ELECTRIC_CACHE_MAX_AGE: '1',
    ELECTRIC_CACHE_STALE_AGE: '3',
    ELECTRIC_MAX_CONCURRENT_REQUESTS: '{"initial":7}',
    ELECTRIC_STORAGE: 'FAST_FILE',
    ELECTRIC_STORAGE_DIR: '/data',
    ELECTRIC_REPLICATION_STREAM_ID: 'blue',
    CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN: 'true',
    ELECTRIC_MANUAL_TABLE_PUBLISHING: 'true',
    ELECTRIC_QUERY_DATABASE_URL: URL_OF_DATABASE,
    ELECTRIC_DB_POOL_SIZE: '5',
    ELECTRIC_TCP_READ_TIMEOUT: '45s',
    ELECTRIC_LOG_LEVEL: 'warning',
    ELECTRIC_TCP_SEND_TIMEOUT: '30s',
    ELECTRIC_INSTANCE_ID: 'x',
  };
  expect(read(environment)).toMatchObject({
    secret: 'S3cret', insecure: false, port: 4000, host: '::', enableDeletion: true, longPollTimeoutMs: 15_000, chunkBytesMax: 10_000,
    cacheMaxAgeSeconds: 1, cacheStaleAgeSeconds: 3, maxConcurrentRequests: { initial: 7, existing: 10_000 }, storage: 'disk',
    storageDirectory: '/data', replicationStreamId: 'blue', cleanupReplicationSlots: true, manualTablePublishing: true,
    pooledDatabaseUrl: URL_OF_DATABASE, databasePoolSize: 5, logLevel: 'warn',
    tcpReadTimeoutMs: 45_000, tcpSendTimeoutMs: 30_000,
    ignored: ['ELECTRIC_INSTANCE_ID'],
  });
});

test('a flag weighs more than our variable, and that more than the reference\'s; an empty variable is none', () => {
  const environment = { ELECTRIC_PORT: '1', ARMATURE_PORT: '2' };
  expect([read(environment, { port: '3' }).port, read(environment).port, read({ ...environment, ARMATURE_PORT: '' }).port]).toEqual([
    3, 2, 1,
  ]);
});

test.each([
  ['250', 250], ['250ms', 250], ['250msec', 250], ['2s', 2000], ['2 sec', 2000], ['2m', 120_000], ['2min', 120_000], ['3h', 10_800_000],
  ['24d', 2_073_600_000],
])('a duration of %s is %i ms', (text, durationMs) => {
  expect(read({ ARMATURE_LONG_POLL_TIMEOUT: text }).longPollTimeoutMs).toBe(durationMs);
});

test.each([
  ['A18', { DATABASE_URL: URL_OF_DATABASE }, /^Neither a secret nor insecure mode is set\. Set ARMATURE_SECRET/],
  ['A18', { ...PLAIN, ELECTRIC_SECRET: 'pass-word' }, /^Both a secret and insecure mode are set/],
  ['', { ARMATURE_INSECURE: 'true' }, /^No database is named\. Set DATABASE_URL/],
  ['', { ...PLAIN, DATABASE_URL: 'mysql://someone:pass-word@db/app' }, /^DATABASE_URL: .*postgresql:/],
  ['', { ...PLAIN, DATABASE_URL: 'someone:pass-word@db' }, /^DATABASE_URL/],
  ['', { ...PLAIN, DATABASE_URL: `${URL_OF_DATABASE}?sslmode=often` }, /sslmode of the database URL is unknown; use disable/],
  [
    '', { ...PLAIN, ELECTRIC_POOLED_DATABASE_URL: `${URL_OF_DATABASE}?sslmode=disable`, ELECTRIC_DATABASE_CA_CERTIFICATE_FILE: '/ca' },
    /^ARMATURE_DATABASE_CA_CERTIFICATE_FILE .* is set: sslmode=disable encrypts nothing/,
  ],
  ['', { ...PLAIN, DATABASE_URL: `${URL_OF_DATABASE}?replication=database` }, /option "replication"/],
  ['', { ...PLAIN, ARMATURE_PROT: '3000' }, /^ARMATURE_PROT is no setting of Armature\. Did you mean ARMATURE_PORT\?/],
  ['', { ...PLAIN, ELECTRIC_PORT: '99999' }, /^ELECTRIC_PORT must be a whole number from 0 to 65535/],
  ['', { ...PLAIN, ARMATURE_PORT: '30 00' }, /^ARMATURE_PORT must be a whole number/],
  ['', { ...PLAIN, ARMATURE_LONG_POLL_TIMEOUT: '20 hours' }, /^ARMATURE_LONG_POLL_TIMEOUT must be a duration, as in 500ms/],
  ['', { ...PLAIN, ARMATURE_MAX_CONCURRENT_REQUESTS: '{"initial":0}' }, /must be JSON, as in/],
  ['', { ...PLAIN, ARMATURE_MAX_CONCURRENT_REQUESTS: '300' }, /must be JSON, as in/],
  ['', { ...PLAIN, ARMATURE_MAX_CONCURRENT_REQUESTS: 'x' }, /must be JSON, as in/],
  ['', { ...PLAIN, ARMATURE_INSECURE: 'maybe' }, /^ARMATURE_INSECURE must be true or false/],
  ['', { ...PLAIN, ARMATURE_STORAGE: 'tape' }, /^ARMATURE_STORAGE must be disk or memory/],
  ['', { ...PLAIN, ELECTRIC_REPLICATION_IDLE_TIMEOUT: '900ms' }, /^ELECTRIC_REPLICATION_IDLE_TIMEOUT must be 0, for never, or at least 1s/],
  [
    '', { ...PLAIN, ELECTRIC_REPLICATION_IDLE_TIMEOUT: '5min', CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN: 'true' },
    /^Both ARMATURE_REPLICATION_IDLE_TIMEOUT .* and ARMATURE_CLEANUP_.* are set: the replication slot would end with the connections/,
  ],
  ['', { ...PLAIN, ARMATURE_MAX_SHAPE_LOG_SIZE: '65535' }, /^ARMATURE_MAX_SHAPE_LOG_SIZE must be at least 65536/],
  ['', { ...PLAIN, ARMATURE_LOG_LEVEL: 'loud' }, /^ARMATURE_LOG_LEVEL must be trace/],
  ['', { ...PLAIN, ELECTRIC_REPLICATION_STREAM_ID: 'a"b' }, /^ELECTRIC_REPLICATION_STREAM_ID may have up to 40/],
])('%s %o is one mistake, told without a secret', (_id, environment, says) => {
  const problems = problemsOf(environment);
  expect({ count: problems.length, text: problems[0], tellsSecret: problems.join().includes('pass-word') }).toEqual({
    count: 1,
    text: expect.stringMatching(says),
    tellsSecret: false,
  });
});

test.each([['0', 0], ['1s', 1_000], ['5min', 300_000]])('the database may be left alone after %s', (text, idleMs) => {
  expect(read({ ELECTRIC_REPLICATION_IDLE_TIMEOUT: text }).replicationIdleTimeoutMs).toBe(idleMs);
});

test('what Postgres may keep for the slot may be more than an integer holds', () => {
  expect(read({ ARMATURE_RETAINED_WAL_WARNING: '53687091200' }).retainedWalBytesMax).toBe(53_687_091_200);
});

test('an age may be longer than any timer runs, and a wait may not', () => {
  expect({
    age: read({ ARMATURE_SHAPE_EXPIRE_AFTER: '90d' }).shapeExpireAfterMs,
    wait: problemsOf({ ...PLAIN, ARMATURE_LONG_POLL_TIMEOUT: '25d' }),
  }).toEqual({ age: 7_776_000_000, wait: ['ARMATURE_LONG_POLL_TIMEOUT must be no longer than 24 days'] });
});

test('a shape may not expire while it counts as in use: for three minutes, or three long polls', () => {
  const polls = { ARMATURE_LONG_POLL_TIMEOUT: '2min' };
  const tooShort = [{ ARMATURE_SHAPE_EXPIRE_AFTER: '179s' }, { ...polls, ARMATURE_SHAPE_EXPIRE_AFTER: '359s' }];

  expect({
    tooShort: tooShort.map((environment) => problemsOf({ ...PLAIN, ...environment })),
    taken: read({ ...polls, ARMATURE_SHAPE_EXPIRE_AFTER: '6min' }).shapeExpireAfterMs,
  }).toEqual({
    tooShort: [[expect.stringMatching(/^ARMATURE_SHAPE_EXPIRE_AFTER .* 180 s/)], [expect.stringMatching(/ 360 s/)]],
    taken: 360_000,
  });
});

test('all mistakes are told at once', () => {
  expect(problemsOf({ ...PLAIN, ARMATURE_PORT: 'x', ARMATURE_STORAGE: 'tape' }, { prot: '1' })).toHaveLength(3);
});

test.each([
  ['by itself', {}, {}, { insecure: true, host: '127.0.0.1', secret: undefined }],
  ['with a database', { DATABASE_URL: URL_OF_DATABASE }, {}, { insecure: true, host: '127.0.0.1', databaseUrl: URL_OF_DATABASE }],
  ['with a secret', { ARMATURE_SECRET: 'x' }, {}, { insecure: false, host: '0.0.0.0', secret: 'x' }],
  ['open to all on purpose', {}, { insecure: true, host: '0.0.0.0' }, { insecure: true, host: '0.0.0.0' }],
] as const)('the demo, %s, is open to this machine at most unless told otherwise', (_how, environment, flags, expected) => {
  const result = readConfiguration('demo', flags, environment);
  expect('configuration' in result ? result.configuration : result).toMatchObject(expected);
});

test('the demo on an address that others reach needs a secret or a word', () => {
  expect(problemsOf({}, { host: '0.0.0.0' }, 'demo')).toEqual([expect.stringMatching(/^Neither a secret/)]);
});

test.each([
  ['start', {}, false],
  ['start', { host: '127.0.0.1' }, true],
  ['start', { host: '::1' }, true],
  ['start', { host: '127.0.0.1', observer: 'false' }, false],
  ['start', { host: '10.0.0.1', observer: true }, true],
  ['demo', { host: '0.0.0.0', insecure: true }, true],
  ['demo', { observer: 'off' }, false],
] as const)('%s %o shows itself: %s', (command, flags, expected) => {
  const result = readConfiguration(command, flags, command === 'start' ? { DATABASE_URL: URL_OF_DATABASE, ARMATURE_INSECURE: 'true' } : {});
  expect('configuration' in result && result.configuration.observer).toBe(expected);
});

test('no two settings share a name', () => {
  const names = Object.values<Setting>(SETTINGS).flatMap((setting) => [setting.flag, ...setting.electric]);
  expect(new Set(names).size).toBe(names.length);
});

test('every variable of the images and of compose is a setting', () => {
  const files = ['Dockerfile', 'docker-compose.yml']
    .map((name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'))
    .join('\n');
  const known = Object.values<Setting>(SETTINGS).flatMap((setting) => [variableOf(setting), ...setting.electric]);
  const used = files.match(/\b(?:ARMATURE|ELECTRIC)_[A-Z_]+[A-Z]\b/g) ?? [];
  expect(used.filter((name) => !known.includes(name))).toEqual([]);
});

test('the version is the package\'s', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
});

test.each(['TCP_READ_TIMEOUT', 'TCP_SEND_TIMEOUT', 'KEEP_ALIVE_TIMEOUT'])('a time of nothing for ARMATURE_%s is refused', (name) => {
  expect(problemsOf({ ...PLAIN, [`ARMATURE_${name}`]: '0s' })).toEqual([expect.stringContaining('must be longer than nothing')]);
});
