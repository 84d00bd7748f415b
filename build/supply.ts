/**
 * What is known about the packages that go into the image. Some of it stands in the lock file and is always checked; the
 * rest is asked of the package registry, and where that does not answer this says what was not checked. Run: make check-supply
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { readProduction, renderLicences } from './licences.ts';
import type { LockedPackage } from './licences.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** Packages of package.json that production may have. */
const DIRECT_LIMIT = 25;
/** Licences that let anyone use, change and pass on what contains them. */
const LICENCES = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'PSF-2.0',
  'Python-2.0',
  'CC0-1.0',
  'CC-BY-3.0',
  'Unlicense',
  '(MIT OR CC0-1.0)',
]);
/** How npm says that nobody answered; anything else is an answer. */
const NO_ANSWER =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|^npm (?:warn|error).*\b(?:403|405|407|50\d) [A-Z]/m;

/** How one check ended. */
export type Verdict = { readonly state: 'ok' | 'failed' | 'not-checked'; readonly text: string };

/** What the lock file alone says: sizes, scripts, sums, licences. */
export function checkLock(packages: readonly LockedPackage[]): Verdict[] {
  const direct = packages.filter(({ isDirect }) => isDirect).length;
  return [
    verdict(direct <= DIRECT_LIMIT, `${direct} direct packages in production, at most ${DIRECT_LIMIT}`),
    none(
      'run a script when they are installed',
      packages.filter(({ hasInstallScript }) => hasInstallScript),
    ),
    none(
      'have no checksum',
      packages.filter(({ integrity }) => integrity === undefined),
    ),
    none(
      'are under a licence that nobody has looked at',
      packages.filter(({ license }) => license === undefined || !LICENCES.has(license)),
    ),
  ];
}

/** What npm answered: done, wrong, or not asked at all because nobody was there. */
export function judge(what: string, { status, output }: { status: number | null; output: string }): Verdict {
  if (status === 0) return { state: 'ok', text: what };
  const isSilent = NO_ANSWER.test(output);
  return isSilent
    ? { state: 'not-checked', text: `${what}: the registry does not answer that from here` }
    : { state: 'failed', text: `${what}\n${output.trim()}` };
}

function verdict(isFine: boolean, text: string): Verdict {
  return { state: isFine ? 'ok' : 'failed', text };
}

function none(what: string, packages: readonly LockedPackage[]): Verdict {
  const names = packages.map(({ name }) => name);
  return verdict(
    names.length === 0,
    `${names.length} packages ${what}${names.map((name) => `\n  ${name}`).join('')}`,
  );
}

function ask(what: string, args: readonly string[]): Verdict {
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return judge(what, { status, output: `${stdout}\n${stderr}` });
}

async function main(): Promise<void> {
  const packages = readProduction();
  const page = readFileSync(join(ROOT, 'docs/licences.md'), 'utf8');
  const verdicts = [
    ...checkLock(packages),
    verdict(page === (await renderLicences(packages)), 'docs/licences.md is what the lock file says'),
    ask('no known hole of severity high or more (npm audit)', ['audit', '--omit=dev', '--audit-level=high']),
    ask('every package is signed by its registry (npm audit signatures)', ['audit', 'signatures']),
  ];
  const marks = { ok: 'ok          ', failed: 'FAILED      ', 'not-checked': 'NOT CHECKED ' };
  for (const { state, text } of verdicts) console.log(`${marks[state]}${text}`);
  if (verdicts.some(({ state }) => state === 'failed')) process.exitCode = 1;
}

if (import.meta.main) await main();
