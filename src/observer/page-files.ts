/**
 * PageFiles: what the build has made of the page, by the paths that it is served at. Read once, and whole: it is a few
 * files, and no path that somebody asks for ever becomes the name of a file.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { packageRoot } from './package-root.ts';
import type { PageFile } from './pages/page-file.ts';

/** The same from the sources as from what is built, wherever the build puts this file. */
const BUILT = new URL('dist/observer/', packageRoot());

/** Each is an address of the one page. */
const VIEWS = [
  'tree', 'process', 'populations', 'population', 'messages', 'shapes', 'shape', 'explain', 'postgres', 'deaths',
];

const FILES: Readonly<Record<string, string>> = {
  '/': 'page/front.html',
  '/front.js': 'page/front.js',
  '/front.css': 'page/front.css',
  '/icon.svg': 'page/icon.svg',
  '/_observer': 'page/index.html',
  '/_observer/observer.js': 'page/observer.js',
  '/_observer/observer.css': 'page/observer.css',
  '/_observer/layout.js': 'page/layout.js',
  ...Object.fromEntries(VIEWS.map((view) => [`/_observer/${view}`, 'page/index.html'])),
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json; charset=utf-8',
};

/** @returns nothing where the page was not built. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  if (!existsSync(new URL('page/', BUILT))) return new Map();
  const names = readdirSync(new URL('charts/placed/', BUILT));
  const charts = names.map((name) => [`/_observer/charts/${name}`, `charts/placed/${name}`] as const);
  return new Map([...Object.entries(FILES), ...charts].map(([path, file]) => [path, read(file)]));
}

function read(file: string): PageFile {
  const ending = file.slice(file.lastIndexOf('.') + 1);
  return { contentType: CONTENT_TYPES[ending] ?? 'application/octet-stream', bytes: readFileSync(new URL(file, BUILT)) };
}
