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
const lock = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as LockFile;
const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as LockedPackage;
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

test('the lock file names no download address, and a hash for every package', () => {
  const unlike = locked.filter(([, { resolved, integrity }]) => resolved !== undefined || integrity === undefined);

  expect(unlike).toEqual([]);
});

test('the lock file is of what package.json asks for: `npm ci` refuses another one', () => {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
  const [asked, known] = [manifest, lock.packages['']].map((of) => kinds.map((kind) => of?.[kind]));

  expect(known).toEqual(asked);
});

test('the lock file holds what every platform needs, not only the one it was written on', () => {
  const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}));
  const missing = wanted.filter((name) => !locked.some(([path]) => path.endsWith(`node_modules/${name}`)));

  expect(missing).toEqual([]);
});
