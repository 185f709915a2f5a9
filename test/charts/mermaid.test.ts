/** Every diagram that stands in a page as text, drawn by Mermaid as a reader's browser draws it. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchBrowser } from '../support/browser/browser.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const FOLDERS = ['', 'docs', 'docs/charts', 'examples/supervised-counter'];
const MERMAID = createRequire(import.meta.url).resolve('mermaid/dist/mermaid.min.js');

interface Diagram {
  readonly where: string;
  readonly text: string;
}

test('every Mermaid diagram of the pages parses and is drawn', async () => {
  const diagrams = FOLDERS.flatMap(diagramsIn);
  const browser = await launchBrowser();
  const page = await browser.newPage();
  await page.addScriptTag({ path: MERMAID });

  const failures: string[] = [];
  for (const { where, text } of diagrams) {
    const outcome = await page.evaluate<string>(
      `mermaid.parse(${JSON.stringify(text)}).then(() => mermaid.render('drawn', ${JSON.stringify(text)}))
        .then(({ svg }) => (svg.includes('<svg') ? '' : 'no picture'), (error) => String(error))`,
    );
    if (outcome !== '') failures.push(`${where}: ${outcome}`);
  }
  await browser.close();

  expect({ failures, areThere: diagrams.length > 0 }).toEqual({ failures: [], areThere: true });
});

function diagramsIn(folder: string): readonly Diagram[] {
  const names = readdirSync(join(REPOSITORY, folder)).filter((name) => name.endsWith('.md'));
  return names.flatMap((name) => {
    const text = readFileSync(join(REPOSITORY, folder, name), 'utf8');
    return [...text.matchAll(/```mermaid\n(.*?)```/gs)].map(([, diagram = ''], index) => ({
      where: `${join(folder, name)}, diagram ${index + 1}`,
      text: diagram,
    }));
  });
}
