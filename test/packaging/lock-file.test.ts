/** What `npm ci` installs on any machine, from any registry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const REPOSITORY = join(import.meta.dirname, '../..');
/** The project, and the older versions of Postgres that tests are run on. */
const INSTALLED = ['.', 'test/versions'];

function read(folder: string, file: string): unknown {
  return JSON.parse(readFileSync(join(REPOSITORY, folder, file), 'utf8'));
}

function lockedIn(folder: string): readonly (readonly [path: string, LockedPackage])[] {
  return Object.entries((read(folder, 'package-lock.json') as LockFile).packages);
}

test.each(INSTALLED)('the lock file of %s names no download address, and a hash for every package', (folder) => {
  const unlike = lockedIn(folder).filter(([path, { resolved, integrity }]) => {
    return path !== '' && (resolved !== undefined || integrity === undefined);
  });

  expect(unlike).toEqual([]);
});

test.each(INSTALLED)('the lock file of %s is of what package.json asks for: `npm ci` refuses another one', (folder) => {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
  const manifest = read(folder, 'package.json') as LockedPackage;
  const root = lockedIn(folder).find(([path]) => path === '')?.[1];
  const [asked, known] = [manifest, root].map((of) => kinds.map((kind) => of?.[kind]));

  expect(known).toEqual(asked);
});

test('the lock file holds what every platform needs, not only the one it was written on', () => {
  const locked = lockedIn('.');
  const wanted = locked.flatMap(([, { optionalDependencies }]) => Object.keys(optionalDependencies ?? {}));
  const missing = wanted.filter((name) => !locked.some(([path]) => path.endsWith(`node_modules/${name}`)));

  expect(missing).toEqual([]);
});
