/**
 * What our code never does, as rules. Types are checked by tsc, imports by dependency-cruiser; this is the rest.
 *
 * An exception is a file name in one of the lists below, with its reason. There are no others: comments that switch a
 * rule off are themselves an error, so that this file says all there is to know. `test/lint` proves that each rule bites.
 */
import tseslint from 'typescript-eslint';

/** The only file that asks the machine for the time, or for a timer. */
const CLOCK = 'src/base/clock.ts';
/** The only file that asks the machine for randomness. */
const RANDOM = 'src/base/random.ts';
/** The process layer: it alone makes xstate actors. Its tests hold xstate to what it relies on, its benchmark runs beside bare ones. */
const PROCESS_LAYER = { product: 'src/otp/**', proof: ['test/otp/**', 'bench/otp/**'] };
/** Programs that are read before they are run: they print, and keep to everything else. */
const EXAMPLES = ['examples/**/*.ts', 'examples/**/*.tsx'];
/** The only file that yields to I/O. */
const TURN = 'src/base/turn.ts';
/** The same in the observer's page, and in that of an example, which run in a browser. */
const BROWSER = 'src/observer/page/browser.ts';
const BROWSER_OF_EXAMPLE = 'examples/todo/page/browser.ts';
/** Where the environment becomes a configuration, and where a child process inherits it. */
const ENVIRONMENT = ['src/cli.ts', 'src/demo/embedded-postgres.ts'];

const LINES_PER_FUNCTION_MAX = 70;
const COLUMNS_MAX = 140;

const timers = ['setTimeout', 'setInterval'].map((name) => ({
  name,
  message: 'Time comes in as an argument: take a Clock (src/base/clock.ts).',
}));
const yields = [{ name: 'setImmediate', message: `Only ${TURN} yields to I/O; to wait for something, take a Clock.` }];

const clockReads = [
  ['Date', 'now'],
  ['performance', 'now'],
  ['process', 'hrtime'],
].map(([object, property]) => ({
  object,
  property,
  message: 'Time comes in as an argument: take a Clock (src/base/clock.ts).',
}));
const randomness = [
  ['Math', 'random'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
].map(([object, property]) => ({
  object,
  property,
  message: 'Randomness comes in as an argument: take a Random (src/base/random.ts).',
}));
const environment = [
  { object: 'process', property: 'env', message: 'Settings come in as an argument: add them to src/settings/settings.ts.' },
];
const testShortcuts = [
  ...['mock', 'doMock', 'hoisted'].map((property) => ({
    object: 'vi',
    property,
    message: 'A double is a small real implementation of the same port, in test/support.',
  })),
  { object: 'expect', property: 'fail', message: 'Let an expect on the result fail the test.' },
];

const timerModules = {
  group: ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'],
  message: 'Time comes in as an argument: take a Clock (src/base/clock.ts).',
};
const actorMakers = {
  name: 'xstate',
  importNames: [
    'createActor', 'interpret', 'fromPromise', 'fromCallback', 'fromObservable', 'fromEventObservable', 'fromTransition',
    'spawnChild', 'stopChild', 'sendTo', 'sendParent', 'forwardTo', 'waitFor', 'toPromise',
  ],
  message: 'Only src/otp makes and addresses xstate actors: another one has no mailbox, monitor, link or trace.',
};

const everywhere = [
  {
    selector: 'Program > :not(ImportDeclaration) ~ ImportDeclaration',
    message: 'Imports stand on top.',
  },
  { selector: 'TSEnumDeclaration', message: 'A union of literals: an enum needs emitted code.' },
  { selector: 'ExportAllDeclaration', message: 'Export by name: a barrel hides what a room offers.' },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time comes in as an argument: take a Clock (src/base/clock.ts).',
  },
];
const inMachines = [
  {
    selector: "Property[key.name='invoke']",
    message: 'A machine asks for effects by name (src/otp/effects.ts); an invoked actor has no mailbox, monitor or trace.',
  },
  {
    // A state's own `after`; a parameter `after: offset` is a plain word.
    selector:
      ":matches(Property[key.name='states'] > ObjectExpression > Property > ObjectExpression, " +
        "CallExpression[callee.property.name='createMachine'] > ObjectExpression) > Property[key.name='after']",
    message: 'A time-out is the effect startTimer and the event timeout.<name>.',
  },
  {
    selector: "ObjectPattern > Property[key.name='spawn']",
    message: 'Processes are started by supervisors; an actor spawned here has no mailbox, monitor or trace.',
  },
  {
    selector: "ImportExpression[source.value='xstate']",
    message: 'Import by name, so that what is taken from xstate can be seen.',
  },
];
const inTests = [
  {
    selector: 'MemberExpression[object.name=/^(it|test|describe|suite)$/][property.name=/^(only|skip|todo)$/]',
    message: 'Every test runs, every time.',
  },
];

/** Types that matter at run time: a promise nobody awaits, a union somebody forgot, an import that vanishes. */
const typeAware = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
  '@typescript-eslint/prefer-promise-reject-errors': 'error',
  '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
  '@typescript-eslint/no-unnecessary-type-assertion': 'error',
  '@typescript-eslint/no-array-delete': 'error',
  '@typescript-eslint/no-for-in-array': 'error',
  '@typescript-eslint/no-implied-eval': 'error',
  '@typescript-eslint/no-unsafe-enum-comparison': 'error',
  '@typescript-eslint/consistent-type-exports': 'error',
};

const syntactic = {
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description', minimumDescriptionLength: 8 }],
  '@typescript-eslint/no-non-null-asserted-optional-chain': 'error',
  '@typescript-eslint/no-require-imports': 'error',
  '@typescript-eslint/no-unsafe-function-type': 'error',
  '@typescript-eslint/no-wrapper-object-types': 'error',
  '@typescript-eslint/no-misused-new': 'error',
  '@typescript-eslint/no-this-alias': 'error',
  '@typescript-eslint/prefer-as-const': 'error',
  eqeqeq: 'error',
  'prefer-const': 'error',
  'no-var': 'error',
  'no-debugger': 'error',
  'no-eval': 'error',
  'no-empty': 'error',
  'no-fallthrough': 'error',
  'no-unsafe-finally': 'error',
  'no-self-compare': 'error',
  'no-useless-catch': 'error',
  'no-template-curly-in-string': 'error',
  'no-unused-expressions': 'error',
};

function bans({ globals = [], properties = [], syntax = [], imports = [], importGroups = [] }) {
  return {
    'no-restricted-globals': ['error', ...globals],
    'no-restricted-properties': ['error', ...properties],
    'no-restricted-syntax': ['error', ...everywhere, ...syntax],
    'no-restricted-imports': ['error', { paths: imports, patterns: importGroups }],
  };
}

const product = {
  globals: [...timers, ...yields],
  properties: [...clockReads, ...randomness, ...environment],
  syntax: inMachines,
  imports: [actorMakers],
  importGroups: [timerModules],
};
const proof = {
  ...product,
  properties: [...clockReads, ...randomness, ...testShortcuts],
  syntax: [...inMachines, ...inTests],
};

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.armature/', 'test/lint/banned-calls/', 'test/lint/broken-house/'] },
  { linterOptions: { noInlineConfig: true } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    rules: { ...syntactic, ...typeAware },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'bench/**/*.ts', 'test/**/*.ts', ...EXAMPLES],
    ignores: ['test/**/*.test.ts'], // A `describe` is a function too; what a test calls is not exempt.
    rules: { 'max-lines-per-function': ['error', { max: LINES_PER_FUNCTION_MAX }] },
  },
  { rules: { 'max-len': ['error', { code: COLUMNS_MAX }] } },
  { files: ['src/**/*.ts', 'src/**/*.tsx'], rules: { 'no-console': 'error', ...bans(product) } },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: bans(proof) },
  { files: EXAMPLES, rules: bans(product) },

  // The exceptions, each the one file that wraps what it uses.
  { files: [CLOCK], rules: bans({ ...product, globals: yields, properties: [...randomness, ...environment] }) },
  { files: [BROWSER], rules: bans({ ...product, globals: yields, properties: [...randomness, ...environment] }) },
  { files: [RANDOM, BROWSER_OF_EXAMPLE], rules: bans({ ...product, properties: [...clockReads, ...environment] }) },
  { files: ENVIRONMENT, rules: bans({ ...product, properties: [...clockReads, ...randomness] }) },
  { files: [PROCESS_LAYER.product], rules: bans({ ...product, imports: [], syntax: [] }) },
  { files: PROCESS_LAYER.proof, rules: bans({ ...proof, imports: [], syntax: inTests }) },
  { files: [TURN], rules: bans({ ...product, globals: timers, imports: [], syntax: [] }) },
);
