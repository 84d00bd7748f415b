/**
 * Runs the tests that keep each threat away, prints a line for each, and writes the table of docs/security.md.
 * The table of threats is test/security/threats.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import { z } from 'zod';
import { THREATS } from '../test/security/threats.ts';
import type { Check, Threat } from '../test/security/threats.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/security.md');
/** The table below this heading is written here; the sentences above it are the page's own. */
const SECTION = /(?<=\n## Threats\n(?:(?!\|).*\n)*)\|(?:.*\n)*?(?=\n|$)/;

const resultsSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});

/** The page with its table as the threats are; everything else stays as it is. */
export async function renderThreats(page: string): Promise<string> {
  if (!SECTION.test(page)) throw new Error('docs/security.md has no table under "Threats"');
  const rows = THREATS.map(({ number, threat, control, checks, rest }) => {
    const proofs = checks.map(({ file, title }) => `\`${file.slice(5, -8)}\`: “${toShown(title)}”`);
    const cells = [`S${number}`, threat, control, proofs.join('<br>') || '—', rest ?? ''];
    return `| ${cells.join(' | ')} |`;
  });
  const head = ['| # | threat | control | proved by | what is left |', '| --- | --- | --- | --- | --- |'];
  return format(
    page.replace(SECTION, () => `${[...head, ...rows].join('\n')}\n`),
    { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' },
  );
}

/** Matches the titles that a test's title makes; `%s` and `$name` stand for anything. */
export function toTitlePattern(title: string): RegExp {
  const parts = title.split(/%[sdifjo]|\$[a-z][\w.]*/);
  return new RegExp(
    `^${parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`,
    's',
  );
}

function toShown(title: string): string {
  return title
    .replaceAll(/%[sdifjo]|\$[a-z][\w.]*/g, '…')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');
}

type Outcome = 'passed' | 'failed' | 'skipped' | 'not found';

/** Runs the named tests and no others; answers what became of each. */
function runChecks(): (check: Check) => Outcome {
  const checks = THREATS.flatMap((threat) => threat.checks);
  const files = [...new Set(checks.map(({ file }) => file))];
  const names = [...new Set(checks.map(({ title }) => toTitlePattern(title).source.slice(1, -1)))];
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-security-'));
  const report = join(folder, 'report.json');
  try {
    spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...files,
        '--testNamePattern',
        `(?:${names.join('|')})$`,
        '--reporter=dot',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const { testResults } = resultsSchema.parse(JSON.parse(readFileSync(report, 'utf8')));
    return ({ file, title }) => {
      const pattern = toTitlePattern(title);
      const found = testResults
        .filter(({ name }) => name.endsWith(`/${file}`))
        .flatMap(({ assertionResults }) => assertionResults.filter((one) => pattern.test(one.title)))
        .map(({ status }) => status);
      if (found.includes('failed')) return 'failed';
      if (found.includes('passed')) return 'passed';
      return found.length > 0 ? 'skipped' : 'not found';
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One line: how the threat stands, by its worst check. */
function toLine({ number, threat, checks, rest }: Threat, outcomeOf: (check: Check) => Outcome): string {
  const bad = checks.filter((check) => outcomeOf(check) === 'failed' || outcomeOf(check) === 'not found');
  const skipped = checks.filter((check) => outcomeOf(check) === 'skipped');
  const mark = bad.length > 0 ? '✗' : checks.length === skipped.length ? '–' : '✓';
  const counts = `${checks.length - bad.length - skipped.length} of ${checks.length}`;
  return [
    `${mark} S${String(number).padEnd(3)} ${counts.padEnd(8)} ${threat}`,
    ...bad.map((check) => `         ${outcomeOf(check)}: ${check.file} “${check.title}”`),
    ...skipped.map((check) => `         skipped here: ${check.file} “${check.title}”`),
    ...(rest === null ? [] : [`         left: ${rest}`]),
  ].join('\n');
}

if (import.meta.main) {
  writeFileSync(PAGE, await renderThreats(readFileSync(PAGE, 'utf8')));
  if (!process.argv.includes('--docs')) {
    const outcomeOf = runChecks();
    console.log(`\nthreats, checks that passed\n${THREATS.map((one) => toLine(one, outcomeOf)).join('\n')}`);
    const bad = THREATS.flatMap(({ checks }) => checks).filter((one) =>
      ['failed', 'not found'].includes(outcomeOf(one)),
    );
    if (bad.length > 0) process.exitCode = 1;
  }
}
