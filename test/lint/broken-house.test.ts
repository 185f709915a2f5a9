/**
 * The floors hold. `broken-house` is a small house with every import that the real one forbids, each marked with the
 * rules that must refuse it; nothing may be refused beside that, and the real tree has none (`npm run check`).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';

interface Report {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[];
  };
}

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(import.meta.dirname, 'broken-house');

test('each import that the floors forbid is refused by its rule, and nothing else is', () => {
  const { summary } = cruise();

  const refused = summary.violations.map(({ from, to, rule }) => `${from} → ${shortName(to)}: ${rule.name}`);
  expect(refused.sort()).toEqual(marked().sort());
});

function cruise(): Report {
  const command = join(ROOT, 'node_modules/.bin/depcruise');
  const config = join(ROOT, '.dependency-cruiser.cjs');
  const { stdout } = spawnSync(command, ['--config', config, '--output-type', 'json', 'src', 'test', 'examples'], {
    cwd: FIXTURES,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Report;
}

/** What the fixtures say of themselves: `refused: <rule>, <rule>` behind an import. */
function marked(): string[] {
  return fixtures().flatMap((file) =>
    readFileSync(join(FIXTURES, file), 'utf8').split('\n').flatMap((line) => {
      const mark = /^import .*?'(.+)'; \/\/ refused: (.+)$/.exec(line);
      if (mark === null) return [];
      const [, specifier = '', rules = ''] = mark;
      return rules.split(', ').map((rule) => `${file} → ${target(file, specifier)}: ${rule}`);
    }),
  );
}

function target(file: string, specifier: string): string {
  const isOurs = specifier.startsWith('.') && !specifier.endsWith('gone.ts'); // What is missing keeps its name.
  return isOurs ? posix.join(posix.dirname(file), specifier) : specifier.replace('node:', '');
}

/** A package by its name, wherever it is installed. */
function shortName(path: string): string {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;
}

function fixtures(): string[] {
  return readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
}
