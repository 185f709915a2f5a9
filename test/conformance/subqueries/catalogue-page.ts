/** The page CATALOGUE.md: each case with the tests that hold it, or with the reason why it is left out. */
import type { Case, Held } from './case.ts';
import { SECTIONS } from './catalogue.ts';

const HEAD = [
  '# Shapes that depend on shapes: the cases',
  '',
  'What goes wrong easily where one shape takes values from another, case by case, and the tests that hold each. Several are one',
  'table of rows, of which the title of the row stands here. A case without a test says why it cannot apply.',
  '',
  'Drawn by `npm run catalogue`; a test fails when it is out of date, or when a test that it names is gone.',
  '',
];

export function cataloguePage(): string {
  const parts = SECTIONS.map(({ id, theme, cases }) => {
    const rows = Object.entries(cases).flatMap(([number, held]) => rowsOf(number, held));
    return [`## ${id} ${theme}`, '', '| Case | What | Held by | In |', '|---|---|---|---|', ...rows, ''].join('\n');
  });
  return [...HEAD, ...parts].join('\n');
}

function rowsOf(id: string, held: Case): readonly string[] {
  if ('leftOut' in held) return [`| ${id} | ${held.says} | Left out: ${held.leftOut} | |`];
  const [first = '', ...others] = held.heldBy.map(([file, title]: Held) => `${title} | [${file}](../../${file}) |`);
  return [`| ${id} | ${held.says} | ${first}`, ...others.map((other) => `| | | ${other}`)];
}
