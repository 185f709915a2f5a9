/** The page of races names tests; each of them must be there under that title, or the page would promise what nobody looks at. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');
/** Bullets that begin with `Test`, up to the next bullet or paragraph. */
const BULLETS = /^- Tests?\b[^]*?(?=\n- |\n\n)/gm;
const page = readFileSync(join(REPOSITORY, 'docs/races.md'), 'utf8');
const bullets = [...page.matchAll(BULLETS)].map(([bullet]) => bullet.replace(/\s+/g, ' '));

/** Every text that stands in quotes in a test, which all titles do, and what `%s` in a title stands for. */
function textsOfTests(): ReadonlySet<string> {
  const names = readdirSync(join(REPOSITORY, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const sources = names.map((name) => readFileSync(join(REPOSITORY, 'test', name), 'utf8'));
  return new Set(sources.flatMap((source) => [...source.matchAll(/'((?:[^'\\\n]|\\.)+)'/g)].map(([, text = '']) => text)));
}

/** A title may leave out what stands behind `%s`. */
function isTitle(title: string, texts: ReadonlySet<string>): boolean {
  if (texts.has(title)) return true;
  return [...texts].some((text) => {
    const [head = '', tail = '', ...more] = text.split('%s');
    if (!text.includes('%s') || more.length > 0 || head.length + tail.length === 0 || !title.startsWith(head)) return false;
    const rest = title.slice(head.length);
    return texts.has(rest) || (rest.endsWith(tail) && texts.has(rest.slice(0, rest.length - tail.length)));
  });
}

test('each test that the page names is there under its title', () => {
  const texts = textsOfTests();
  const titles = bullets.flatMap((bullet) => [...bullet.matchAll(/\*([^*]+)\*/g)].map(([, title = '']) => title));

  expect({ isLong: titles.length > 30, missing: titles.filter((title) => !isTitle(title, texts)) }).toEqual({ isLong: true, missing: [] });
});

test('each file that the page names is there', () => {
  const paths = [...page.matchAll(/`((?:src|test)\/[\w/.-]+)`/g)].map(([, path = '']) => path);

  expect(paths.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

test('each race has a test', () => {
  const races = page.split(/^## \d+\. /m).slice(1);

  expect(races.filter((race) => race.search(BULLETS) === -1).map((race) => race.split('\n')[0])).toEqual([]);
});
