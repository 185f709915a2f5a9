/** Which files a program of Node loads: what a start costs follows them, and no clock has to be asked. */
import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invariant } from '../../src/base/invariant.ts';

/** Runs aside of the program, and hears of each module of ECMAScript; of what these require, Node keeps a list itself. */
const HOOK = `
  import { writeSync } from 'node:fs';
  export function load(url, context, next) {
    if (url.startsWith('file:')) writeSync(3, url + '\\n');
    return next(url, context);
  }`;
const BEFORE = `
  import { writeSync } from 'node:fs';
  import { createRequire, register } from 'node:module';
  import { pathToFileURL } from 'node:url';
  register(${JSON.stringify(moduleOf(HOOK))});
  const { cache } = createRequire(pathToFileURL('/none.js'));
  process.on('exit', () => writeSync(3, Object.keys(cache).map((path) => pathToFileURL(path) + '\\n').join('')));`;

export interface LoadedFiles {
  /** Of all, those of packages too. */
  readonly count: number;
  /** Of which anything was loaded. */
  readonly packages: readonly string[];
}

/** @param words of the command line of Node, which must end by itself. */
export function loadedFiles(directory: string, words: readonly string[]): LoadedFiles {
  const { output, status, stderr } = spawnSync(process.execPath, ['--import', moduleOf(BEFORE), ...words], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  invariant(status === 0, `a program whose files are listed ends well: ${stderr}`);
  const urls = [...new Set((output[3] ?? '').split('\n'))].filter((url) => url !== '');
  const paths = urls.map((url) => relative(directory, fileURLToPath(url))).sort();
  const packages = paths.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return { count: paths.length, packages: [...new Set(packages)] };
}

function moduleOf(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}
