/**
 * The house: which room may import which. Imports go down only, rooms on one floor do not see each other, types count.
 *
 *   roof   index.ts · cli.ts                  what is imported, what is run; nobody imports them
 *   7      service · demo · commands
 *   6      http · observer · telemetry
 *   5      supervisors · api
 *   4      actors
 *   3      shapes · storage · postgres
 *   2      otp  |  sql
 *   1      model · settings
 *   0      base
 *
 * A new room must be given a floor here: `unknown-room` refuses it otherwise. `test/lint` proves that each rule bites.
 */
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const FLOORS = [
  ['base'],
  ['model', 'settings'],
  ['otp', 'sql'],
  ['shapes', 'storage', 'postgres'],
  ['actors'],
  ['supervisors', 'api'],
  ['http', 'observer', 'telemetry'],
  ['service', 'demo', 'commands'],
];

/** What a room may see although it lies below: a floor allows, these rows take away. */
const NEVER = {
  otp: { rooms: ['model', 'settings'], because: 'it must be publishable alone; a supervisor that knows shapes is a bug' },
  shapes: { rooms: ['otp'], because: 'it is mathematics: it runs in a test, a browser, a proof' },
  api: {
    rooms: ['storage', 'postgres', 'actors', 'otp'],
    because: 'it reads ports of its own: a log on another machine could stand behind them',
  },
  http: { rooms: ['actors', 'storage', 'postgres'], because: 'it translates; api decides' },
};

/** Packages a room may import. A room that is not named here imports none. */
const PACKAGES = {
  otp: ['xstate'],
  settings: ['zod'],
  sql: ['libpg-query'],
  postgres: ['pg'],
  actors: ['xstate'],
  http: ['zod'],
  api: ['zod'],
  telemetry: ['@opentelemetry/api', 'pino', 'prom-client'],
  observer: ['xstate', 'ws', 'preact', 'uplot', 'd3-hierarchy', 'elkjs'],
  service: ['pino'],
  demo: ['pg'],
  commands: ['zod'],
};

/** Rooms that are mathematics: no xstate, no processes, nothing of the machine below them. */
const PURE = ['base', 'model', 'sql', 'shapes'];

/** The embedded Postgres is a server of its own: its folder, its processes, its port. */
const EMBEDDED = 'src/demo/embedded-[a-z]+.ts';

/** The observer's page runs in a browser: the build makes its files of it and of the packages that it imports. */
const PAGE = '^src/observer/page/';

/** Resources of the machine, each behind its few files. */
const SEAMS = {
  fs: {
    modules: ['fs', 'fs/promises'],
    files: [
      'src/storage/disk/disk.ts',
      'src/storage/disk/processes.ts',
      'src/service/open-files-limit.ts',
      'src/observer/page-files.ts',
      'src/observer/package-root.ts',
      EMBEDDED,
    ],
  },
  http: {
    modules: ['http', 'http2', 'https'],
    files: ['src/http/server.ts', 'src/observer/inspection-server.ts', 'src/telemetry/metrics/metrics-server.ts'],
  },
  net: { modules: ['net', 'tls', 'dgram', 'dns'], files: ['src/postgres/connection/lending-socket.ts', EMBEDDED] },
  child_process: { modules: ['child_process', 'cluster'], files: [EMBEDDED] },
  threads: { modules: ['worker_threads'], files: ['src/postgres/snapshot/rows-(thread|worker).ts'] },
};

/** What examples show the service behind, and before. */
const SERVERS = ['express', '@types/express', 'fastify', 'hono', '@hono/node-server'];
const APP = ['pg', 'vite', '@vitejs/plugin-react', 'react', 'react-dom', '@electric-sql/react'].flatMap((name) => [name, `@types/${name}`]);
const CORE_OF_EXAMPLES = '^(crypto|http|net|path|stream(/promises)?|url|util)$';
/** Starts a Postgres for whoever has the repository, and stays behind when its example is copied. */
const DEMO_POSTGRES = '^examples/todo/demo-postgres\\.ts$';

const src = (rooms) => `^src/(${rooms.join('|')})/`;
const exactly = (names) => `^(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})$`;
const packages = (names) => `(^|/)node_modules/(${names.join('|')})/`;

const rooms = FLOORS.flat();

const floors = FLOORS.flatMap((floor, level) =>
  floor.map((room) => ({
    name: `${room}-sees-only-below`,
    severity: 'error',
    comment: 'Imports go down only, and rooms on one floor do not see each other: put the word one floor lower, or take a port.',
    from: { path: src([room]) },
    to: { path: '^src/[^/]+/', pathNot: src([room, ...FLOORS.slice(0, level).flat()]) },
  })),
);

const taken = Object.entries(NEVER).map(([room, { rooms: hidden, because }]) => ({
  name: `${room}-never-sees-${hidden[0]}`,
  severity: 'error',
  comment: `${room} does not import ${hidden.join(', ')}: ${because}.`,
  from: { path: src([room]) },
  to: { path: src(hidden) },
}));

const shelves = rooms.map((room) => ({
  name: `${room}-packages`,
  severity: 'error',
  comment: `${room} imports ${PACKAGES[room]?.join(', ') ?? 'no package'}: another dependency belongs to another room.`,
  from: { path: src([room]) },
  to: { path: '(^|/)node_modules/', pathNot: packages((PACKAGES[room] ?? []).flatMap((name) => [name, `@types/${name}`])) },
}));

const seams = Object.entries(SEAMS).map(([name, { modules, files }]) => ({
  name: `${name}-behind-its-file`,
  severity: 'error',
  comment: `Only ${files.join(', ')} wrap node:${name}; everybody else takes a port. One leak, and the simulation lies.`,
  from: { path: '^src/', pathNot: exactly(files) },
  to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only'], path: exactly(modules) }, // A type opens nothing.
}));

module.exports = {
  forbidden: [
    ...floors,
    ...taken,
    ...shelves,
    ...seams,
    {
      name: 'pure-rooms-know-no-machine',
      severity: 'error',
      comment: `${PURE.join(', ')} are mathematics: they run in a test, a browser, a proof.`,
      from: { path: src(PURE) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'unknown-room',
      severity: 'error',
      comment: 'A new room gets its floor in .dependency-cruiser.cjs first.',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: src(rooms) },
    },
    {
      name: 'nobody-imports-the-roof',
      severity: 'error',
      comment: 'The roof is what one imports or runs; a room that needs something of it takes it as an argument.',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'observers-only-observe',
      severity: 'error',
      comment: 'The service attaches telemetry and observer; nothing depends on being watched.',
      from: { path: '^src/', pathNot: src(['observer', 'telemetry', 'service']) },
      to: { path: src(['observer', 'telemetry']) },
    },
    {
      name: 'actors-know-no-other-machine',
      severity: 'error',
      comment: 'An actor knows its peers by pid and message; what both must know lies in a file without a machine.',
      from: { path: src(['actors']) },
      to: { path: exactly(machines('src/actors')) },
    },
    {
      name: 'actors-know-no-engine',
      severity: 'error',
      comment: 'Engines are chosen by the service, or by a simulation: an actor sees the interfaces of storage and postgres, as types.',
      from: { path: src(['actors']) },
      to: { path: src(['storage', 'postgres']), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'supervisors-have-no-behaviour',
      severity: 'error',
      comment: 'The tree must be readable as one table: child specifications, strategies, order.',
      from: { path: src(['supervisors']) },
      to: { path: packages(['xstate']) },
    },
    {
      name: 'product-knows-no-proof',
      severity: 'error',
      comment: 'Tests, benchmarks and examples depend on the product, not it on them.',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples)/' },
    },
    {
      name: 'examples-use-what-is-published',
      severity: 'error',
      comment: 'Whoever copies an example has the package, xstate and what else it shows, nothing else of this house.',
      from: { path: '^examples/([^/]+)/', pathNot: DEMO_POSTGRES },
      to: { pathNot: ['^examples/$1/', '^src/(otp/)?index\\.ts$', CORE_OF_EXAMPLES, packages(['xstate', ...SERVERS, ...APP])] },
    },
    {
      name: 'product-ships-its-packages',
      severity: 'error',
      comment: 'What src imports is a dependency in package.json, or it is missing where the service is installed.',
      from: { path: '^src/', pathNot: PAGE },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'A cycle, even of types, is one idea in two files, or a word on the wrong floor.',
      from: {},
      to: { circular: true },
    },
    { name: 'nothing-missing', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: join(__dirname, 'tsconfig.json') }, // Its `paths`: `armature/otp` is our source, built or not.
    tsPreCompilationDeps: true, // Types count: an import that vanishes when compiled still couples two rooms.
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/lint/(banned-calls|broken-house)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};

/** The files of `room` that make a machine, found by what they say. */
function machines(room) {
  return entries(room)
    .map((name) => `${room}/${name}`)
    .filter((path) => path.endsWith('.ts') && readFileSync(path, 'utf8').includes('.createMachine('))
    .concat('no machine'); // An empty list would match every file.
}

function entries(folder) {
  try {
    return readdirSync(folder, { recursive: true }).map(String);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
