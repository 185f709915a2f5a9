/** `npm run where-page`: lists the operations of the WHERE language on its page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { drawnPage, wherePage } from './where-page.ts';

writeFileSync(wherePage, drawnPage(readFileSync(wherePage, 'utf8')));
