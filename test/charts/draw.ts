/** `npm run charts`: draws every machine into docs/charts, and the example's into its page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { pages } from './charts.ts';
import { drawnExample, examplePage } from './example-page.ts';

const folder = new URL('../../docs/charts/', import.meta.url);

mkdirSync(folder, { recursive: true });
for (const { fileName, text } of pages()) writeFileSync(new URL(fileName, folder), text);
writeFileSync(examplePage, drawnExample());
