/** The page CATALOGUE.md: each case of the list with its test, or with the reason why it is left out. */
import { casesOf, readTests, SECTIONS, type Case, type HoldingTest, type Section } from './catalogue.ts';

const DRAWN = 'Drawn from the titles of the tests by `npm run catalogue`; a test fails when it is out of date.';

const ABOUT = [
  'What the runtime was held against: the cases that the test suites of Erlang/OTP and of Elixir check, numbered by',
  'section. A test beside a number holds that case, on our own API and in our own words; where it differs from OTP on',
  'purpose, its title says so. A case without a test says why it cannot apply here.',
];

export function cataloguePage(): string {
  const tests = readTests();
  const sections = SECTIONS.map((section) => ({ section, cases: casesOf(section, tests) }));
  const overview = sections.map(({ section, cases }) => overviewRow(section, cases));
  const parts = sections.map(({ section, cases }) => sectionPart(section, cases));
  const head = [
    '# OTP conformance',
    '',
    ...ABOUT,
    '',
    DRAWN,
    '',
    '| Section | Cases | Tested | Left out |',
    '|---|---|---|---|',
    ...overview,
  ];
  return [...head, '', ...parts].join('\n');
}

function sectionPart(section: Section, cases: readonly Case[]): string {
  const rows = cases.flatMap(rowsOf);
  return [
    `## ${section.id} ${section.theme}`,
    '',
    '| Case | What is held, or why it is left out | Test file |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function overviewRow({ id, theme }: Section, cases: readonly Case[]): string {
  const tested = cases.filter(({ tests }) => tests.length > 0).length;
  const leftOut = cases.filter(({ reason }) => reason !== undefined).length;
  return `| ${id} ${theme} | ${cases.length} | ${tested} | ${leftOut} |`;
}

function rowsOf({ id, tests, reason }: Case): readonly string[] {
  if (reason !== undefined) return [`| ${id} | Left out: ${cell(reason)} | |`];
  if (tests.length === 0) return [`| ${id} | Open | |`];
  return tests.map((held) => testRow(id, held));
}

function testRow(id: string, { fileName, title }: HoldingTest): string {
  return `| ${id} | ${cell(title)} | [${fileName}](${fileName}) |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
