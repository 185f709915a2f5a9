/**
 * The linter's rules bite. `banned-calls` holds the house's layout with one offence per line, each marked with the rule
 * that must refuse it; nothing may be refused beside that, and the real tree has none (`npm run check`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(import.meta.dirname, 'banned-calls');

test('each banned call, import and type is refused by its rule, and nothing else is', async () => {
  const eslint = new ESLint({ cwd: FIXTURES, overrideConfigFile: join(ROOT, 'eslint.config.js') });

  const results = await eslint.lintFiles(['.']);

  const refused = results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, ruleId }) => `${filePath.slice(FIXTURES.length + 1)}:${line} ${ruleId ?? 'no inline configuration'}`),
  );
  expect([...new Set(refused)].sort()).toEqual(marked().sort());
});

/** What the fixtures say of themselves: `refused: <rule>` at the end of a line. */
function marked(): string[] {
  return fixtures().flatMap((file) =>
    readFileSync(join(FIXTURES, file), 'utf8').split('\n').flatMap((line, index) => {
      const mark = /refused: (.+?)(?: \*\/)?$/.exec(line);
      return mark === null ? [] : [`${file}:${index + 1} ${mark[1]}`];
    }),
  );
}

function fixtures(): string[] {
  return readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
}
