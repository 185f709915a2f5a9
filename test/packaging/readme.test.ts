/** What the README says can be done, and is called, is what there is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');
const readme = read('README.md');
const GUIDES = readdirSync(join(REPOSITORY, 'examples'))
  .map((name) => `examples/${name}/README.md`)
  .filter((path) => existsSync(join(REPOSITORY, path)));
const manifest = JSON.parse(read('package.json')) as { version: string; scripts: Record<string, string>; files: string[] };

test('no line of the documents is longer than 140 columns', () => {
  const pages = ['README.md', 'CHANGELOG.md', 'docs/races.md', 'docs/runtime-semantics.md'];
  const documents = [...pages, ...GUIDES];

  const lines = documents.flatMap((path) => read(path).split('\n').map((line, index) => ({ place: `${path}:${index + 1}`, line })));
  const long = lines.flatMap(({ place, line }) => (line.length > 140 ? [place] : []));

  expect(long).toEqual([]);
});

test('each npm script that it names exists', () => {
  const named = [...readme.matchAll(/npm (?:run )?(start|test|check|bench|charts|build)\b/g)].map(([, script = '']) => script);

  expect(named.filter((script) => !(script in manifest.scripts))).toEqual([]);
});

test('each file that README and ARCHITECTURE point to is there', () => {
  const targets = [readme, read('ARCHITECTURE.md')]
    .flatMap((text) => [...text.matchAll(/\]\((?!https?:)([^)#]+)\)|`((?:src|test)\/[a-z/.-]+)`/g)])
    .map(([, link, path]) => link ?? path ?? '');

  expect(targets.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

test.each(GUIDES)('each file that %s points to is there', (guide) => {
  const targets = [...read(guide).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target = '']) => join(dirname(guide), target));

  expect(targets.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

test('what ARCHITECTURE names in a file stands in that file', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/\[([^\]]+)\]\((src\/[^)]+\.ts)\)/g)].flatMap(([, text = '', path = '']) =>
    [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, path })),
  );

  expect(named.filter(({ name, path }) => !new RegExp(`\\b${name}\\b`).test(read(path)))).toEqual([]);
});

test('what must pass is run with the test command of the README', () => {
  const [, command = ''] = /```sh\n(npm ci && npm test)\n```/.exec(readme) ?? [];

  expect(read('.ci/run')).toContain(`'${command}'`);
});

test('package and program call themselves the same version, and ship their license and changelog', () => {
  expect({ version: manifest.version, files: manifest.files }).toEqual({
    version: VERSION,
    files: ['dist', '!dist/.tsbuildinfo', 'src', 'README.md', 'LICENSE', 'NOTICE', 'CHANGELOG.md'],
  });
});
