/**
 * The build's JavaScript. The compiler has checked the sources and written the declarations; this joins our modules into a few files,
 * for a start waits for each file that it has to find and read, and there are seven hundred of ours.
 *
 * Only `dist` is written, and only what differs: a service that runs has loaded all of its files when it listens, and one that starts
 * meanwhile finds what its entry point names, for files are there before those that name them, and go when nobody does. The program of a
 * thread alone is looked for later; a service that does not find it reads what it was for by itself.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type BuildOptions, type OutputFile } from 'esbuild';

const ROOT = import.meta.dirname;
const SOURCES = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');
const CHUNKS = join(DIST, 'chunks');
/** What the compiler knows of its last run. */
const COMPILERS_OWN = '.tsbuildinfo';

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  format: 'esm',
  write: false,
  logLevel: 'warning',
  preserveSymlinks: true, // A map names what it is made of as it stands in the repository, wherever that comes from.
} as const;

/**
 * Two packages are taken in. Of zod's hundred files most are messages in other languages, and of forty of OpenTelemetry's interface little
 * is left; several copies of that in one program are meant to find each other. Every other package is found where it was installed: what
 * has bugs that matter (`pg`, `ws`) can be mended there, and a program's machines are made by the xstate that we have too.
 */
const PROGRAM: BuildOptions = {
  ...COMMON,
  entryPoints: ['src/cli.ts', 'src/index.ts', 'src/otp/index.ts', 'src/postgres/snapshot/rows-worker.ts'],
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  platform: 'node',
  target: 'node20',
  external: ['libpg-query', 'pg', 'pino', 'prom-client', 'ws', 'xstate'],
  sourcemap: true,
  sourcesContent: false, // The package has them.
};

/** The observer's page, and the charts of all machines as they were placed. */
const PAGE: BuildOptions = {
  ...COMMON,
  entryPoints: [
    ...['observer.tsx', 'front.tsx', 'layout.ts', '*.html', '*.svg'].map((name) => `src/observer/page/${name}`),
    'src/observer/charts/placed/*.json',
  ],
  outbase: 'src/observer',
  outdir: 'dist/observer',
  minify: true,
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.html': 'copy', '.svg': 'copy', '.json': 'copy' },
};

const [program, page] = await Promise.all([build(PROGRAM), build(PAGE)]);
const made = [...filesOf(program), ...filesOf(page)];
const isNamedByOthers = ({ path }: OutputFile): boolean => path.startsWith(CHUNKS);
for (const file of made.filter(isNamedByOthers)) write(file);
for (const file of made.filter((one) => !isNamedByOthers(one))) write(file);
removeAllBut(new Set([...made.map(({ path }) => relative(DIST, path)), ...declarations(), COMPILERS_OWN]));

function filesOf({ outputFiles = [] }: { outputFiles?: readonly OutputFile[] | undefined }): readonly OutputFile[] {
  return outputFiles;
}

function write({ path, contents }: OutputFile): void {
  if (isThere(path, contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

function isThere(path: string, contents: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(contents);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Of an earlier build there may be files of sources that are gone, or that had other names. */
function removeAllBut(kept: ReadonlySet<string>): void {
  for (const path of filesBelow(DIST)) if (!kept.has(path)) rmSync(join(DIST, path));
}

function declarations(): readonly string[] {
  return filesBelow(SOURCES).filter((path) => path.endsWith('.ts')).map((path) => path.replace(/\.ts$/, '.d.ts'));
}

function filesBelow(directory: string): readonly string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}
