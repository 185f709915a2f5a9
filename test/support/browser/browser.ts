/** A real browser, without a window: Chromium of the system, as `.ci/run` installs it. It is told of nothing outside this machine. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run'];

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: pathOfBrowser(), args: FLAGS });
}

/** What a page did that it should not have done. */
export interface Misdeeds {
  /** Requests to anywhere else than the service. */
  readonly elsewhere: string[];
  /** Errors of scripts, and what the console was told as an error. */
  readonly errors: string[];
}

/** @returns what `page` does amiss from now on. */
export function watchMisdeeds(page: Page, origin: string): Misdeeds {
  const misdeeds: Misdeeds = { elsewhere: [], errors: [] };
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) misdeeds.elsewhere.push(url);
  });
  page.on('pageerror', (error) => misdeeds.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') misdeeds.errors.push(message.text());
  });
  return misdeeds;
}

function pathOfBrowser(): string {
  const named = process.env['CHROMIUM'];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
  return found ?? '/usr/bin/chromium'; // Where it is not, the launch says so.
}
