/** What keeps somebody from using a page, as axe finds it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CONTRAST = { runOnly: { type: 'rule', values: ['color-contrast'] } };

interface Findings {
  readonly violations: readonly { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string }[] }[];
}

/** @returns what axe takes for serious, or worse, in what `page` shows now, in light and in dark. */
export async function seriousFaults(page: Page, what: string): Promise<readonly string[]> {
  await page.evaluate(AXE); // Not as an element: the page's policy may refuse it.
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const light = await found(page, what, {});
  await page.emulateMedia({ colorScheme: 'dark' });
  return [...light, ...(await found(page, `${what} in dark`, CONTRAST))];
}

async function found(page: Page, what: string, options: object): Promise<readonly string[]> {
  const { violations } = await page.evaluate<Findings>(`axe.run(${JSON.stringify({ ...options, resultTypes: ['violations'] })})`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${what}: ${id} ${nodes[0]?.html.slice(0, 200)}`);
}
