/** Chromium for tests: the system's own, without sandbox and without calls of its own to the outside. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const CANDIDATES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Why tests with a browser cannot run here, or null when they can. Printed once per test file. */
export function whyNoBrowser(what: string): string | null {
  if (findBrowser() !== undefined) return null;
  const reason = `${what}: skipped, there is no Chromium here (apt-get install chromium, or set CHROMIUM)`;
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** Starts the browser; close it after the tests. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('there is no Chromium here');
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function findBrowser(): string | undefined {
  return CANDIDATES.find((path) => path !== undefined && existsSync(path));
}
